//! `[service.NAME]`: systems that are asked and told over http.
use super::Service;
use crate::finding::At;
use crate::install::{Install, normal, unknown};
use crate::read::{Table, Value};
use ivr::{HttpPart, HttpPiece, HttpText, Types};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long an event may take when the service does not say.
const TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT_MAX: Duration = Duration::from_secs(60);
const ANSWER_MAX: usize = 64_000;
const RETRIES_MAX: i64 = 5;
const HEADERS_MAX: usize = 50;

/// As flows see it, and as the engine does.
pub(super) fn read<'a>(
    table: Table<'a>,
    at: At<'a>,
    install: &Install<'a>,
    folder: &Path,
) -> Option<(Service, engine::Service)> {
    let url = table.need("url", "write `url = \"https://HOST/PATH\"`").and_then(|value| url(&value));
    let timeout = table.get("timeout").and_then(|v| v.duration(Duration::from_millis(100)..=TIMEOUT_MAX));
    let retries = table.get("retries").and_then(|v| v.count(0..=RETRIES_MAX)).unwrap_or(0);
    let answer_max = table.get("answer_max").and_then(|v| v.bytes(1000..=1_000_000)).unwrap_or(ANSWER_MAX);
    let ca = table.get("ca").and_then(|value| {
        let path = normal(&folder.join(value.word()?));
        match std::fs::read_to_string(&path) {
            Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => {}
            Ok(_) => value.error("bad-ca", format!("{} holds no certificate in PEM form", path.display())),
            Err(error) => value.error("bad-ca", format!("{} cannot be read: {error}", path.display())),
        }
        Some(path)
    });
    let mut headers: Vec<(Arc<str>, Vec<HttpPiece>)> = vec![];
    for entry in table.get("headers").and_then(|v| v.table()).map(|t| t.entries()).unwrap_or_default() {
        if headers.len() == HEADERS_MAX {
            entry.error("too-many", format!("a service has at most {HEADERS_MAX} headers"));
            break;
        }
        headers.extend(header(&entry, install).map(|pieces| (Arc::from(entry.key), pieces)));
    }
    let title = table.title.clone();
    let findings = table.findings;
    table.done();
    let url = url?;
    let secret = |(_, pieces): &(Arc<str>, Vec<HttpPiece>)| {
        pieces.iter().any(|piece| matches!(piece, HttpPiece::Secret(_)))
    };
    if headers.iter().any(secret) && url.starts_with("http:") && !is_here(&url) {
        let what = format!("{title} is sent a secret that everybody on the way can read");
        findings.warning(at, "secret-unencrypted", what, "use https".to_owned());
    }
    let for_engine = engine::Service {
        url: HttpText::plain(&url),
        headers: headers.iter().map(|(name, pieces)| (name.clone(), http_text(pieces))).collect(),
        timeout: timeout.unwrap_or(TIMEOUT),
        retries,
        answer_max,
        ca,
    };
    Some((Service { url, timeout, retries, headers, answer_max }, for_engine))
}

/// Without variables: only the secrets are left to be filled in.
fn http_text(pieces: &[HttpPiece]) -> HttpText {
    let part = |piece: &HttpPiece| match piece {
        HttpPiece::Template(text) => HttpPart::Text(text.literal().unwrap_or_default().into()),
        HttpPiece::Secret(name) => HttpPart::Secret(name.clone()),
    };
    HttpText(pieces.iter().map(part).collect())
}

fn url(value: &Value<'_>) -> Option<Arc<str>> {
    const FORM: &str = "write \"https://HOST\" or \"https://HOST:PORT/PATH\"";
    let text = value.word()?;
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let authority = rest.map(|r| r.split(['/', '?', '#']).next().unwrap_or(""));
    if authority.is_some_and(|a| a.contains('@')) {
        value.error_help(
            "secret-in-clear",
            "this url has a password in it",
            "put it into [secret] and into `headers`: Authorization = \"Basic {secret.NAME}\"".to_owned(),
        );
        return None;
    }
    let host = |a: &str| !a.is_empty() && a.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
    let printable = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}?#".contains(c);
    if !authority.is_some_and(host) || !text.chars().all(printable) {
        let what = format!("`url` is no address of a service: \"{}\"", crate::shorten(text));
        value.error_help("bad-url", what, FORM.to_owned());
        return None;
    }
    Some(text.trim_end_matches('/').into())
}

/// Whether nobody is on the way.
fn is_here(url: &str) -> bool {
    let host = url.trim_start_matches("http://").split('/').next().unwrap_or("");
    ["localhost", "127.0.0.1", "[::1]"].contains(
        &host
            .rsplit_once(':')
            .map_or(host, |(host, port)| if port.bytes().all(|b| b.is_ascii_digit()) { host } else { url }),
    ) || host == "[::1]"
}

fn header(entry: &Value<'_>, install: &Install<'_>) -> Option<Vec<HttpPiece>> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if entry.key.is_empty() || !entry.key.chars().all(token) {
        let what = format!("no header can be called `{}`", crate::shorten(entry.key));
        entry.findings.error(entry.key_at(), "bad-header", what);
        return None;
    }
    let text = entry.text()?;
    if text.chars().any(char::is_control) {
        entry.error("bad-header", format!("the header `{}` is more than one line", entry.key));
        return None;
    }
    let pieces = match ivr::http_pieces(text, &Types::default()) {
        Ok(pieces) => pieces,
        Err(error) => {
            let help = "a service's headers hold texts and `{secret.NAME}`; a brace itself is written `{{`";
            let help = error.help.filter(|_| !text.contains('{')).unwrap_or_else(|| help.to_owned());
            entry.findings.error_help(entry.inside(error.at), "bad-header", error.what, help);
            return None;
        }
    };
    let mut known = true;
    for piece in &pieces {
        if let HttpPiece::Secret(name) = piece
            && !install.systems.secrets.contains(name)
        {
            unknown(entry, "secret", name, install.systems.secrets.iter().map(|s| &**s));
            known = false;
        }
    }
    let in_clear = !pieces.is_empty() && pieces.iter().all(|p| matches!(p, HttpPiece::Template(_)));
    if in_clear && holds_secrets(entry.key) {
        entry.error_help(
            "secret-in-clear",
            format!("the header `{}` stands here in clear", entry.key),
            format!("put the secret into [secret] and write `{} = \"... {{secret.NAME}}\"`", entry.key),
        );
        return None;
    }
    known.then_some(pieces)
}

/// Headers that are there to carry a secret.
fn holds_secrets(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "auth-key", "access-key"]
        .iter()
        .any(|word| header.contains(word))
}
