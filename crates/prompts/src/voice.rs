//! Who speaks: a program, or a service behind HTTP.

use crate::list::{HeaderValue, How, HttpVoice, Voice};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// No sound of a voice is larger: ten minutes of 48 kHz stereo.
pub const SOUND_BYTES_MAX: u64 = 128 << 20;
/// So much of what a failing program says is repeated.
const COMPLAINT_BYTES_MAX: u64 = 64 << 10;
const COMPLAINT_CHARS: usize = 300;

/// The bytes of a WAV file, or why not, for a person.
pub type Speaking<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>>;

/// Sends one request and gives the body of a 2xx answer, within the request's limits.
pub trait Http: Send + Sync {
    fn send(&self, request: Request) -> Speaking<'_>;
}

#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub url: String,
    /// Sent by POST; None: GET.
    pub body: Option<String>,
    pub headers: Vec<(String, String)>,
    pub timeout: Duration,
    pub bytes_max: u64,
}

/// Without values of headers: they may be secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Request").field("url", &self.url).field("headers", &headers).finish_non_exhaustive()
    }
}

/// For where there is no HTTP.
#[derive(Clone, Copy, Debug)]
pub struct NoHttp;

impl Http for NoHttp {
    fn send(&self, _: Request) -> Speaking<'_> {
        Box::pin(async { Err("this program cannot ask a service over HTTP".to_owned()) })
    }
}

/// Has a text spoken. `programs`: where a program with a relative path lies; `scratch`: a folder for its file.
pub async fn speak(
    voice: &Voice,
    text: &str,
    programs: &Path,
    scratch: &Path,
    http: &dyn Http,
) -> Result<Vec<u8>, String> {
    let speaking = async {
        match &voice.how {
            How::Command(command) => run(command, text, programs, scratch).await,
            How::Http(service) => http.send(service.request(text, voice.timeout)?).await,
            How::Chords => Err("music has no words".to_owned()),
        }
    };
    match tokio::time::timeout(voice.timeout, speaking).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("it took longer than {:?}", voice.timeout)),
    }
}

async fn run(command: &[String], text: &str, programs: &Path, scratch: &Path) -> Result<Vec<u8>, String> {
    let (program, arguments) = command.split_first().ok_or("there is no program")?;
    if arguments.iter().any(|a| a == "{text}") && text.starts_with('-') {
        return Err(
            "the text begins with `-`, which a program takes for an option: give it on the standard \
                    input (leave {text} out of the command)"
                .into(),
        );
    }
    if text.contains('\0') {
        return Err("the text has a NUL in it".into());
    }
    let out = Scratch::new(scratch);
    let file = out.0.to_string_lossy();
    let by_file = arguments.iter().any(|a| a.contains("{out}"));
    let by_argument = arguments.iter().any(|a| a.contains("{text}"));
    let mut child = Command::new(program_path(program, programs))
        // The text comes last: braces in it are words.
        .args(arguments.iter().map(|a| a.replace("{out}", &file).replace("{text}", text)))
        .stdin(if by_argument { Stdio::null() } else { Stdio::piped() })
        .stdout(if by_file { Stdio::null() } else { Stdio::piped() })
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("`{program}` does not start: {e}"))?;
    let stdin = child.stdin.take();
    let say = async {
        if let Some(mut stdin) = stdin {
            // A program may speak without having read all.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
    };
    let (heard, complaint) = (child.stdout.take(), child.stderr.take());
    let ((), heard, complaint) =
        tokio::join!(say, read(heard, SOUND_BYTES_MAX), read(complaint, COMPLAINT_BYTES_MAX));
    let status = child.wait().await.map_err(|e| e.to_string())?;
    if !status.success() {
        return Err(format!("`{program}` failed ({status}){}", last_words(&complaint)));
    }
    let heard = match by_file {
        true => read(tokio::fs::File::open(&out.0).await.ok(), SOUND_BYTES_MAX).await,
        false => heard,
    };
    match heard.len() as u64 {
        0 => Err(format!("`{program}` wrote nothing{}", last_words(&complaint))),
        n if n > SOUND_BYTES_MAX => Err(format!("`{program}` wrote more than {} MiB", SOUND_BYTES_MAX >> 20)),
        _ => Ok(heard),
    }
}

/// One byte more than the limit at most.
async fn read(from: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> Vec<u8> {
    let mut bytes = vec![];
    if let Some(from) = from {
        // What came before an error counts: a broken sound is noticed when it is decoded.
        let _ = from.take(bytes_max + 1).read_to_end(&mut bytes).await;
    }
    bytes
}

fn program_path(program: &str, programs: &Path) -> PathBuf {
    match program.contains('/') && !program.starts_with('/') {
        true => programs.join(program),
        false => program.into(),
    }
}

fn last_words(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let Some(line) = text.lines().rev().find(|l| !l.trim().is_empty()) else { return String::new() };
    let line: String =
        line.trim().chars().take(COMPLAINT_CHARS).map(|c| if c.is_control() { '?' } else { c }).collect();
    format!(": {line}")
}

/// A file that goes when this does.
struct Scratch(PathBuf);

impl Scratch {
    fn new(folder: &Path) -> Scratch {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Scratch(folder.join(format!(".speaking-{}-{number}.wav", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl HttpVoice {
    /// What to send so that this is spoken.
    pub fn request(&self, text: &str, timeout: Duration) -> Result<Request, String> {
        let mut headers = vec![("Accept".to_owned(), self.accept.clone())];
        let named =
            |headers: &BTreeHeaders, wanted: &str| headers.keys().any(|k| k.eq_ignore_ascii_case(wanted));
        if self.body.is_some() && !named(&self.headers, "content-type") {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
        for (name, value) in &self.headers {
            let value = match value {
                HeaderValue::Text(text) => text.clone(),
                HeaderValue::Secret { env, before } => match std::env::var(env) {
                    Ok(secret) => format!("{before}{secret}"),
                    Err(_) => return Err(format!("header {name}: {env} is not set in the environment")),
                },
            };
            headers.push((name.clone(), value));
        }
        let quoted = serde_json::to_string(text).map_err(|e| e.to_string())?;
        let inside = &quoted[1..quoted.len() - 1];
        Ok(Request {
            url: self.url.replace("{text}", &percent_encoded(text)),
            body: self.body.as_ref().map(|body| body.replace("{text}", inside)),
            headers,
            timeout,
            bytes_max: SOUND_BYTES_MAX,
        })
    }
}

type BTreeHeaders = std::collections::BTreeMap<String, HeaderValue>;

fn percent_encoded(text: &str) -> String {
    let encode = |b: u8| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(encode).collect()
}
