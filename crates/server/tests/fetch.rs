//! The HTTP client against hosts on loopback that answer well, badly, late or not at all.
use hotline_core::{Rng, Time};
use hotline_server::Clock;
use hotline_server::fetch::{
    BreakerLimits, BytesResult, FetchLimits, Fetcher, HttpFailure, HttpMethod, HttpPart, HttpRequest,
    HttpResult, HttpText, PauseLimits, SecretValue, Secrets,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;

// --- what is answered -------------------------------------------------------------------------------------------

#[test]
fn an_answer_in_json() {
    let host = Host::that([Does::Say(json(200, r#"{"name":"Li"}"#))]);
    let lab = Lab::new();
    assert_eq!(lab.ask(host.get("/customers?number=1")), answered(200, r#"{"name":"Li"}"#));
    let heard = host.heard();
    assert!(heard[0].starts_with("GET /customers?number=1 HTTP/1.1\r\n"), "{}", heard[0]);
    let port = host.port;
    for line in [&format!("host: 127.0.0.1:{port}"), "accept: application/json", "user-agent: hotline/"] {
        assert!(heard[0].contains(line), "{line} in {}", heard[0]);
    }
}

#[test]
fn a_body_goes_out_with_its_type() {
    let host = Host::that([Does::Say(json(201, "{}"))]);
    let request = HttpRequest { body: Some(text(r#"{"score":2}"#)), ..host.request(HttpMethod::Post, "/") };
    assert_eq!(Lab::new().ask(request), answered(201, "{}"));
    let heard = &host.heard()[0];
    assert!(heard.contains("content-type: application/json\r\n") && heard.contains("content-length: 11\r\n"));
    assert!(heard.ends_with("\r\n\r\n{\"score\":2}"), "{heard}");
}

#[test]
fn what_an_answer_may_be() {
    use HttpFailure::*;
    let page = |status| typed(status, "text/html", "<html>");
    for (said, result) in [
        (json(404, r#"{"error":1}"#), answered(404, r#"{"error":1}"#)),
        (json(200, "\u{feff}{}"), answered(200, "{}")),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), answered(204, "")),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(), answered(200, "")),
        (chunked("application/json", &["{\"a\"", ":1}"]), answered(200, r#"{"a":1}"#)),
        ("HTTP/1.1 100 Continue\r\n\r\n".to_owned() + &json(200, "1"), answered(200, "1")),
        (page(200), HttpResult::Failed(WrongType)),
        (page(404), answered(404, "")),
        (page(302).replace("\r\n\r\n", "\r\nlocation: http://192.0.2.1/\r\n\r\n"), answered(302, "")),
        (json(200, &"x".repeat(1001)), HttpResult::Failed(TooLarge)),
        (json(200, &"x".repeat(1000)), answered(200, &"x".repeat(1000))),
        (json(500, &"x".repeat(1001)), answered(500, "")),
        (chunked("application/json", &["x"; 1001]), HttpResult::Failed(TooLarge)),
        (format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(70_000)), HttpResult::Failed(WrongType)),
        (format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(1000)), HttpResult::Failed(WrongType)),
        ("SSH-2.0-OpenSSH_9.9\r\n".to_owned(), HttpResult::Failed(WrongType)),
    ] {
        let host = Host::that([Does::Say(said.clone())]);
        assert_eq!(Lab::new().ask(host.get("/")), result, "{:.100}", said);
    }
}

#[test]
fn text_that_is_not_utf_8_is_no_json() {
    for (status, result) in [(200, HttpResult::Failed(HttpFailure::WrongType)), (400, answered(400, ""))] {
        let mut said = json(status, "12").into_bytes();
        let end = said.len();
        said[end - 2..].copy_from_slice(&[0xc3, 0x28]);
        let host = Host::that([Does::SayBytes(said)]);
        assert_eq!(Lab::new().ask(host.get("/")), result);
    }
}

#[test]
fn sound_for_the_prompts_tool() {
    let mut said = b"HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\ncontent-length: 4\r\n\r\n".to_vec();
    said.extend([0, 159, 146, 150]);
    let host = Host::that([Does::SayBytes(said), Does::Say(json(200, "{}"))]);
    let lab = Lab::new();
    let request = HttpRequest { body: Some(text("Welcome")), ..host.request(HttpMethod::Post, "/tts") };
    let heard = lab.ask_bytes(request.clone(), &["audio/*"]);
    let body = vec![0, 159, 146, 150];
    assert_eq!(heard, BytesResult::Answered { status: 200, media_type: "audio/wav".to_owned(), body });
    assert!(host.heard()[0].contains("accept: audio/*\r\n"));
    let refused = lab.ask_bytes(request, &["audio/*"]);
    assert_eq!(refused, BytesResult::Failed(HttpFailure::WrongType));
}

// --- how long it takes ------------------------------------------------------------------------------------------

#[test]
fn the_timeout_is_for_everything() {
    let slow_head = Does::SayAndWait("HTTP/1.1 200 OK\r\ncontent-le".to_owned());
    let slow_body = Does::SayAndWait(json(200, "{}").replace("length: 2", "length: 20"));
    for does in [Does::SayAndWait(String::new()), slow_head, slow_body, Does::Drip] {
        let host = Host::that([does.clone()]);
        let lab = Lab::new();
        let begun = lab.clock.now();
        let request = HttpRequest { timeout: ms(150), retries: 3, ..host.get("/") };
        assert_eq!(lab.ask(request), HttpResult::Failed(HttpFailure::Timeout), "{does:?}");
        let took = lab.clock.now().since(begun);
        assert!(took >= ms(150) && took < ms(5_000), "{does:?}: {took:?}");
        assert_eq!(host.heard().len(), 1, "no time for another try");
    }
}

#[test]
fn an_endless_body_ends() {
    let host = Host::that([Does::Endless]);
    assert_eq!(Lab::new().ask(host.get("/")), HttpResult::Failed(HttpFailure::TooLarge));
}

#[test]
fn a_host_that_accepts_and_says_nothing_in_tls_is_refused() {
    let host = Host::that([Does::SayAndWait(String::new())]);
    let lab = Lab::with(|limits| limits.connect_max = ms(100));
    let request = HttpRequest { url: text(&format!("https://127.0.0.1:{}/", host.port)), ..host.get("/") };
    let begun = lab.clock.now();
    assert_eq!(lab.ask(request), HttpResult::Failed(HttpFailure::Refused));
    assert!(lab.clock.now().since(begun) < ms(5_000), "the connection's time, not the request's");
}

// --- connections ------------------------------------------------------------------------------------------------

#[test]
fn connections_are_used_again() {
    let host = Host::that([Does::Say(json(200, "1"))]);
    let lab = Lab::new();
    for _ in 0..5 {
        assert_eq!(lab.ask(host.get("/")), answered(200, "1"));
    }
    assert_eq!((host.heard().len(), host.accepted()), (5, 1));
}

#[test]
fn a_connection_closed_while_at_rest_is_replaced() {
    let host = Host::that([Does::SayAndClose(json(200, "1"))]);
    let lab = Lab::new();
    for _ in 0..3 {
        // The news of the end may come while the next request is being written: that is what a further try is for.
        let request = HttpRequest { retries: 1, ..host.get("/") };
        assert_eq!(lab.ask(request), answered(200, "1"));
    }
    assert_eq!(host.accepted(), 3);
}

#[test]
fn places_are_limited_and_given_back() {
    let host = Host::that([Does::SayAndWait(String::new())]);
    let lab = Lab::with(|limits| limits.in_flight_per_host_max = 2);
    let request = || HttpRequest { timeout: ms(200), ..host.get("/") };
    let results = lab.ask_all([request(), request(), request()]);
    use HttpFailure::*;
    assert_eq!(results, [Timeout, Timeout, Overloaded].map(HttpResult::Failed));
    assert_eq!(lab.ask(request()), HttpResult::Failed(Timeout), "there is a place again");
    let other = Host::that([Does::Say(json(200, "1"))]);
    assert_eq!(
        lab.ask_all([request(), request(), other.get("/")]).last(),
        Some(&answered(200, "1")),
        "another host has its own places"
    );
}

// --- once more --------------------------------------------------------------------------------------------------

#[test]
fn tries_again_what_may_be_done_twice() {
    use HttpMethod::*;
    for fails in
        [Does::Say(json(502, "0")), Does::Say(json(503, "0")), Does::Say(json(504, "0")), Does::Reset]
    {
        for (method, again) in [(Get, true), (Put, true), (Delete, true), (Post, true), (Patch, false)] {
            let host = Host::that([fails.clone(), fails.clone(), Does::Say(json(200, "1"))]);
            let result = Lab::new().ask(HttpRequest { retries: 2, ..host.request(method, "/") });
            assert_eq!(result == answered(200, "1"), again, "{method:?} after {fails:?}: {result:?}");
            assert_eq!(host.heard().len(), if again { 3 } else { 1 }, "{method:?} after {fails:?}");
        }
    }
}

#[test]
fn not_more_often_than_asked_and_not_for_what_will_not_pass() {
    for (does, retries, tries, result) in [
        (Does::Say(json(503, "0")), 0, 1, answered(503, "0")),
        (Does::Say(json(503, "0")), 1, 2, answered(503, "0")),
        (Does::Say(json(500, "0")), 2, 1, answered(500, "0")),
        (Does::Say(json(404, "0")), 2, 1, answered(404, "0")),
        (Does::Reset, 1, 2, HttpResult::Failed(HttpFailure::Refused)),
        (Does::Say(typed(200, "text/plain", "x")), 2, 1, HttpResult::Failed(HttpFailure::WrongType)),
    ] {
        let host = Host::that([does.clone()]);
        assert_eq!(Lab::new().ask(HttpRequest { retries, ..host.get("/") }), result, "{does:?}");
        assert_eq!(host.heard().len(), tries, "{does:?}");
    }
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("loopback").port();
    let lab = Lab::new();
    let host = Host { port, ..Host::that([Does::Reset]) };
    assert_eq!(lab.ask(host.get("/")), HttpResult::Failed(HttpFailure::Refused));
    let nowhere = HttpRequest { url: text("http://nowhere.invalid/"), ..host.get("/") };
    assert_eq!(lab.ask(nowhere), HttpResult::Failed(HttpFailure::Refused));
}

#[test]
fn every_try_of_a_post_carries_one_key() {
    let host = Host::that([Does::Say(json(503, "0")), Does::Reset, Does::Say(json(200, "1"))]);
    let lab = Lab::new();
    let request = || HttpRequest { retries: 2, ..host.request(HttpMethod::Post, "/") };
    assert_eq!(lab.ask(request()), answered(200, "1"));
    assert_eq!(lab.ask(request()), answered(200, "1"));
    let keys: Vec<_> = host.heard().iter().map(|heard| header(heard, "idempotency-key")).collect();
    assert!(keys[0].as_ref().is_some_and(|key| key.len() == 26), "{keys:?}");
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3], "{keys:?}");
}

#[test]
fn retry_after_is_honoured_within_the_timeout() {
    let busy = |seconds| json(503, "0").replace("\r\n\r\n", &format!("\r\nretry-after: {seconds}\r\n\r\n"));
    let lab = Lab::new();
    let host = Host::that([Does::Say(busy(1)), Does::Say(json(200, "1"))]);
    let begun = lab.clock.now();
    assert_eq!(lab.ask(HttpRequest { retries: 1, ..host.get("/") }), answered(200, "1"));
    assert!(lab.clock.now().since(begun) >= ms(1_000));

    let host = Host::that([Does::Say(busy(60)), Does::Say(json(200, "1"))]);
    let begun = lab.clock.now();
    assert_eq!(lab.ask(HttpRequest { retries: 1, ..host.get("/") }), answered(503, "0"));
    assert!(lab.clock.now().since(begun) < ms(5_000), "at once: waiting would be in vain");
}

#[test]
fn retries_have_a_budget() {
    let host = Host::that([Does::Say(json(503, "0"))]);
    let lab = Lab::with(|limits| {
        limits.breaker = BreakerLimits { failures_in_a_row: 1000, tries_min: 1000, ..limits.breaker };
    });
    for _ in 0..30 {
        assert_eq!(lab.ask(HttpRequest { retries: 3, ..host.get("/") }), answered(503, "0"));
    }
    let tries = host.heard().len();
    assert!(tries > 40 && tries <= 30 + 10 + 30 / 5, "{tries}");
}

// --- the circuit ------------------------------------------------------------------------------------------------

#[test]
fn a_host_that_keeps_failing_is_left_alone_and_probed() {
    let lab = Lab::with(|limits| limits.breaker.open_for = ms(100));
    let host = Host::that([500, 500, 500, 500, 500, 200].map(|status| Does::Say(json(status, "1"))));
    let silent = Host::that([Does::SayAndWait(String::new())]);
    let log = lab.logged(|| {
        for _ in 0..5 {
            assert_eq!(lab.ask(host.get("/secret-path")), answered(500, "1"));
        }
        assert_eq!(lab.ask(host.get("/")), HttpResult::Failed(HttpFailure::CircuitOpen));
        assert_eq!(host.heard().len(), 5, "left alone");
        // Time passes: another host is waited for.
        let wait = HttpRequest { timeout: ms(150), ..silent.get("/") };
        assert_eq!(lab.ask(wait), HttpResult::Failed(HttpFailure::Timeout));
        assert_eq!(lab.ask(host.get("/")), answered(200, "1"), "the probe");
        assert_eq!(lab.ask(host.get("/")), answered(200, "1"));
    });
    let name = format!("http://127.0.0.1:{}", host.port);
    let opened =
        format!("WARN hotline_server::fetch: a host keeps failing and is left alone for a while host={name}");
    let closed = format!("INFO hotline_server::fetch: a host is well again host={name}");
    assert_eq!(log.matches(&opened).count(), 1, "{log}");
    assert_eq!(log.matches(&closed).count(), 1, "{log}");
}

// --- TLS --------------------------------------------------------------------------------------------------------

#[test]
fn a_service_may_have_an_authority_of_its_own() {
    let (ca, config) = authority("127.0.0.1");
    let host = Host::tls([Does::Say(json(200, "1"))], Some(config));
    let lab = Lab::new();
    assert_eq!(lab.ask(host.get("/")), HttpResult::Failed(HttpFailure::Refused), "unknown authority");
    let own = BTreeMap::from([(Arc::from("crm"), ca.path().to_owned())]);
    lab.fetcher.install(Secrets::new(), &own).expect("a certificate");
    assert_eq!(lab.ask(host.get("/")), answered(200, "1"));
    assert_eq!(lab.ask(host.get("/")), answered(200, "1"));
    let other = HttpRequest { service: "billing".into(), ..host.get("/") };
    assert_eq!(lab.ask(other), HttpResult::Failed(HttpFailure::Refused), "nobody else trusts it");
    assert_eq!(host.heard().len(), 2);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (ca, config) = authority("crm.example");
    let host = Host::tls([Does::Say(json(200, "1"))], Some(config));
    let lab = Lab::new();
    let own = BTreeMap::from([(Arc::from("crm"), ca.path().to_owned())]);
    lab.fetcher.install(Secrets::new(), &own).expect("a certificate");
    assert_eq!(lab.ask(host.get("/")), HttpResult::Failed(HttpFailure::Refused));
}

#[test]
fn a_file_that_is_no_authority_is_named_and_changes_nothing() {
    let lab = Lab::with_secrets(&[("token", "k1")]);
    let empty = tempfile::NamedTempFile::new().expect("a file");
    for file in [empty.path().to_owned(), PathBuf::from("/no/such/file")] {
        let own = BTreeMap::from([(Arc::from("crm"), file.clone())]);
        let said = lab.fetcher.install(Secrets::new(), &own).expect_err("no certificate").to_string();
        assert!(said.starts_with(&format!("{}: not the PEM of a cert", file.display())), "{said}");
    }
    let host = Host::that([Does::Say(json(200, "1"))]);
    let request =
        HttpRequest { headers: vec![("x".into(), HttpText(vec![secret("token")]))], ..host.get("/") };
    assert_eq!(lab.ask(request), answered(200, "1"), "the old secrets are still there");
}

// --- what nobody may see ----------------------------------------------------------------------------------------

#[test]
fn nothing_private_reaches_the_log() {
    let lab = Lab::with_secrets(&[("token", "s3cret")]);
    let host = Host::that([
        Does::Say(json(200, r#"{"name":"Wang"}"#)),
        Does::Reset,
        Does::Say("?\r\n\r\n".to_owned()),
    ]);
    let request = HttpRequest {
        url: HttpText(vec![
            HttpPart::Text(format!("http://127.0.0.1:{}/13800138000?key=", host.port).as_str().into()),
            secret("token"),
        ]),
        headers: vec![("Authorization".into(), HttpText(vec![secret("token")]))],
        body: Some(HttpText(vec![HttpPart::Text("pin=4711&".into()), secret("token")])),
        ..host.request(HttpMethod::Post, "/")
    };
    let unknown = HttpRequest { body: Some(HttpText(vec![secret("nobody-knows")])), ..request.clone() };
    let log = lab.logged(|| {
        for _ in 0..3 {
            lab.ask(request.clone());
        }
        assert_eq!(lab.ask(unknown), HttpResult::Failed(HttpFailure::BadRequest));
    });
    let heard = &host.heard()[0];
    assert!(heard.contains("/13800138000?key=s3cret") && heard.ends_with("pin=4711&s3cret"), "{heard}");
    assert!(log.contains("nobody-knows") && log.contains("127.0.0.1"), "the log was captured: {log}");
    let shown = format!("{log} {:?} {request:?} {:?}", lab.fetcher, SecretValue::new("s3cret"));
    for private in ["s3cret", "13800138000", "4711", "Wang", "key="] {
        assert!(!shown.contains(private), "{private} in {shown}");
    }
}

#[test]
fn secrets_can_be_replaced() {
    let lab = Lab::with_secrets(&[("token", "old")]);
    let host = Host::that([Does::Say(json(200, "1"))]);
    let request =
        HttpRequest { headers: vec![("x-key".into(), HttpText(vec![secret("token")]))], ..host.get("/") };
    lab.ask(request.clone());
    let new = Secrets::from([("token".into(), SecretValue::new("new"))]);
    lab.fetcher.install(new, &BTreeMap::new()).expect("no files");
    lab.ask(request);
    let keys: Vec<_> = host.heard().iter().map(|heard| header(heard, "x-key").expect("a key")).collect();
    assert_eq!(keys, ["old", "new"]);
    assert_eq!(host.accepted(), 1, "connections stay");
}

// --- the caller's side ------------------------------------------------------------------------------------------

#[test]
fn done_is_never_called_from_within_and_always_once() {
    let lab = Lab::new();
    let host = Host::that([Does::SayAndWait(String::new())]);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let ask = |request: HttpRequest| {
        let calls = calls.clone();
        lab.fetcher.fetch(request, move |result| calls.lock().expect("no panic").push(result));
    };
    ask(HttpRequest { url: text("no url"), ..host.get("/") });
    ask(host.get("/"));
    assert_eq!(calls.lock().expect("no panic").len(), 0, "not before the runtime's turn");
    lab.runtime.block_on(tokio::task::yield_now());
    assert_eq!(*calls.lock().expect("no panic"), [HttpResult::Failed(HttpFailure::BadRequest)]);
    drop(lab.runtime);
    use HttpFailure::*;
    assert_eq!(*calls.lock().expect("no panic"), [BadRequest, Refused].map(HttpResult::Failed));
}

// --- the lab ----------------------------------------------------------------------------------------------------

struct Lab {
    runtime: Runtime,
    fetcher: Fetcher,
    clock: Clock,
}

impl Lab {
    fn new() -> Lab {
        Lab::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut FetchLimits)) -> Lab {
        Lab::build(change, &[])
    }

    fn with_secrets(secrets: &[(&str, &str)]) -> Lab {
        Lab::build(|_| {}, secrets)
    }

    fn build(change: impl FnOnce(&mut FetchLimits), secrets: &[(&str, &str)]) -> Lab {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let pause = PauseLimits { first: ms(1), longest: ms(2) };
        let mut limits = FetchLimits { pause, ..FetchLimits::default() };
        change(&mut limits);
        let secrets =
            secrets.iter().map(|(name, value)| (Arc::from(*name), SecretValue::new(*value))).collect();
        let fetcher = Fetcher::seeded(runtime.handle(), limits, secrets, Rng::from_u64(7));
        Lab { runtime, fetcher, clock: Clock::start() }
    }

    fn ask(&self, request: HttpRequest) -> HttpResult {
        self.ask_all([request]).remove(0)
    }

    fn ask_all<const N: usize>(&self, requests: [HttpRequest; N]) -> Vec<HttpResult> {
        let results = requests.map(|request| {
            let (tell, told) = oneshot::channel();
            self.fetcher.fetch(request, move |result| tell.send(result).expect("someone listens"));
            told
        });
        self.runtime.block_on(async {
            let mut all = Vec::new();
            for told in results {
                all.push(told.await.expect("done is called"));
            }
            all
        })
    }

    fn ask_bytes(&self, request: HttpRequest, types: &'static [&'static str]) -> BytesResult {
        let (tell, told) = oneshot::channel();
        self.fetcher.fetch_bytes(request, types, move |result| tell.send(result).expect("someone listens"));
        self.runtime.block_on(told).expect("done is called")
    }

    /// Every line of every crate that `act` writes on the runtime's only thread.
    fn logged(&self, act: impl FnOnce()) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, act);
        let bytes = log.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("text")
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a host does with a request.
#[derive(Clone, Debug)]
enum Does {
    Say(String),
    SayBytes(Vec<u8>),
    SayAndClose(String),
    /// Until the other side leaves.
    SayAndWait(String),
    /// A byte of a head at a time, for ever.
    Drip,
    /// A body that never ends.
    Endless,
    Reset,
}

/// A host on loopback: the n-th request gets the n-th answer, later ones the last.
struct Host {
    port: u16,
    tls: bool,
    accepted: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn that<const N: usize>(script: [Does; N]) -> Host {
        Host::tls(script, None)
    }

    fn tls<const N: usize>(script: [Does; N], tls: Option<Arc<ServerConfig>>) -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let host = Host {
            port: listener.local_addr().expect("bound").port(),
            tls: tls.is_some(),
            accepted: Arc::default(),
            heard: Arc::default(),
        };
        let (accepted, heard) = (host.accepted.clone(), host.heard.clone());
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                accepted.fetch_add(1, SeqCst);
                let (script, heard, tls) = (script.clone(), heard.clone(), tls.clone());
                thread::spawn(move || {
                    let ends = stream.try_clone().expect("a handle");
                    match tls {
                        None => converse(stream, &ends, &*script, &heard),
                        Some(config) => {
                            let session = ServerConnection::new(config).expect("a session");
                            converse(StreamOwned::new(session, stream), &ends, &*script, &heard)
                        }
                    }
                });
            }
        });
        host
    }

    fn get(&self, path: &str) -> HttpRequest {
        HttpRequest { retries: 0, ..self.request(HttpMethod::Get, path) }
    }

    fn request(&self, method: HttpMethod, path: &str) -> HttpRequest {
        let scheme = if self.tls { "https" } else { "http" };
        HttpRequest {
            service: "crm".into(),
            method,
            url: text(&format!("{scheme}://127.0.0.1:{}{path}", self.port)),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(20),
            retries: 0,
            body_max: 1000,
        }
    }

    fn accepted(&self) -> usize {
        self.accepted.load(SeqCst)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }
}

/// One connection, request after request, until either side has had enough.
fn converse(mut stream: impl Read + Write, ends: &TcpStream, script: &[Does], heard: &Mutex<Vec<String>>) {
    while let Some(request) = hear(&mut stream) {
        let nth = {
            let mut heard = heard.lock().expect("no panic");
            heard.push(request);
            heard.len() - 1
        };
        let written = match &script[nth.min(script.len() - 1)] {
            Does::Say(text) => stream.write_all(text.as_bytes()),
            Does::SayBytes(bytes) => stream.write_all(bytes),
            Does::SayAndClose(text) => {
                let _ = stream.write_all(text.as_bytes());
                return;
            }
            Does::SayAndWait(text) => {
                let _ = stream.write_all(text.as_bytes());
                let _ = stream.read(&mut [0; 1]);
                return;
            }
            Does::Drip => for_ever(&mut stream, "HTTP/1.1 200 OK\r\nx: ", "y", Some(ends)),
            Does::Endless => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
                for_ever(&mut stream, head, "0123456789", None)
            }
            Does::Reset => {
                let _ = socket2::SockRef::from(ends).set_linger(Some(Duration::ZERO));
                return;
            }
        };
        if written.and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// `piece` after `piece`, at the pace of a read that times out when `paced` says so.
fn for_ever(
    stream: &mut (impl Read + Write),
    head: &str,
    piece: &str,
    paced: Option<&TcpStream>,
) -> io::Result<()> {
    stream.write_all(head.as_bytes())?;
    if let Some(paced) = paced {
        paced.set_read_timeout(Some(ms(20)))?;
    }
    loop {
        stream.write_all(piece.as_bytes())?;
        if paced.is_some() && matches!(stream.read(&mut [0; 1]), Ok(0)) {
            return Ok(());
        }
    }
}

/// A request, head and body.
fn hear(stream: &mut impl Read) -> Option<String> {
    let mut heard = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = header(&text, "content-length").map_or(0, |n| n.parse().expect("a length"));
            if heard.len() >= head + 4 + length {
                return Some(text);
            }
        }
        let mut bytes = [0; 4096];
        match stream.read(&mut bytes) {
            Ok(n) if n > 0 => heard.extend_from_slice(&bytes[..n]),
            _ => return None,
        }
    }
}

fn header(heard: &str, name: &str) -> Option<String> {
    let lines = heard.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

fn typed(status: u16, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Said\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn json(status: u16, body: &str) -> String {
    typed(status, "application/json", body)
}

fn chunked(media_type: &str, chunks: &[&str]) -> String {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunks: String = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
    head + &chunks + "0\r\n\r\n"
}

fn answered(status: u16, body: &str) -> HttpResult {
    HttpResult::Answered { status, body: body.into() }
}

fn text(text: &str) -> HttpText {
    HttpText(vec![HttpPart::Text(text.into())])
}

fn secret(name: &str) -> HttpPart {
    HttpPart::Secret(name.into())
}

fn ms(ms: u64) -> Duration {
    Time::ZERO.until(Time::from_millis(ms))
}

/// A new authority's PEM file, and a host it vouches for.
fn authority(name: &str) -> (tempfile::NamedTempFile, Arc<ServerConfig>) {
    let ca_key = rcgen::KeyPair::generate().expect("a key");
    let mut ca = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&ca_key).expect("a certificate");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(ca_certificate.pem().as_bytes()).expect("room");

    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a pair");
    (file, Arc::new(config))
}
