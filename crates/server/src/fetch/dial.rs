//! Connections: TCP, and TLS by rustls with ring, both within one time.
use super::FetchLimits;
use http_body_util::Full;
use hyper::Uri;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};
use tower_service::Service;

/// The connections that one set of roots vouches for; those at rest are kept by host.
pub(crate) type Client = legacy::Client<Dial, Full<Bytes>>;

pub(crate) fn client(roots: RootCertStore, limits: &FetchLimits) -> Client {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let tls =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(limits.idle_max)
        .pool_max_idle_per_host(limits.idle_per_host_max)
        .http1_max_buf_size(limits.head_bytes_max.max(8192)) // hyper takes no less
        .build(Dial { tls, within: limits.connect_max })
}

/// Opens connections, each within `within`: name, TCP and TLS.
#[derive(Clone)]
pub(crate) struct Dial {
    tls: HttpsConnector<HttpConnector>,
    within: Duration,
}

type Connection = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
type BoxError = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Dial {
    type Response = Connection;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Connection, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tls.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connection = tokio::time::timeout(self.within, self.tls.call(uri));
        Box::pin(async move { connection.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))? })
    }
}

/// The authorities that browsers trust.
pub(crate) fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// Those, and the ones in a PEM file.
pub(crate) fn roots_with(file: &Path) -> Result<RootCertStore, CaError> {
    let fails = |why: &dyn fmt::Display| CaError { file: file.display().to_string(), why: why.to_string() };
    let mut roots = public_roots();
    let public = roots.len();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|e| fails(&e))? {
        let certificate = certificate.map_err(|e| fails(&e))?;
        roots.add(certificate).map_err(|e| fails(&e))?;
    }
    if roots.len() == public {
        return Err(fails(&"no certificate in it"));
    }
    Ok(roots)
}

/// A file of authorities that cannot be used.
#[derive(Debug)]
pub struct CaError {
    file: String,
    why: String,
}

impl fmt::Display for CaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CaError { file, why } = self;
        write!(f, "{file}: not the PEM of a certificate authority: {why}")
    }
}

impl Error for CaError {}
