//! `hotline prompts`: what callers hear, seen, rendered, checked and played.
use crate::failure::{DONE, FOUND_WRONG, Failure};
use crate::installation;
use crate::table::Table;
use prompts::{Error, Http, Level, Outcome, Place, Renderer, Request, Selection, Speaking, Survey};
use serde_json::json;
use server::fetch::{BytesResult, FetchLimits, Fetcher, HttpMethod, HttpRequest};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// What each language has, recorded or rendered, and what it lacks
    Status {
        /// JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Have a voice speak what is missing or has a new text; recordings of people are kept
    Render(Render),
    /// Measure every file: loudness, clipping, silence, noise, length
    Check {
        /// JSON for programs
        #[arg(long)]
        json: bool,
        /// Trim and level recordings in place, as mono with 16 bits; keep a copy of what you cannot record again
        #[arg(long)]
        fix: bool,
    },
    /// Play what a caller hears
    Play(Play),
}

#[derive(clap::Args, Debug)]
struct Render {
    /// Only in this language
    #[arg(long, value_name = "L")]
    language: Option<String>,
    /// Only these prompts
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// Anew, even what is up to date; to have a recording rendered, remove its file
    #[arg(long)]
    force: bool,
    /// So many voices at once [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Keep what voices said here [default: var/prompts-cache beside config/]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
struct Play {
    /// Names of prompts, one after the other
    #[arg(required_unless_present = "say", value_name = "PROMPT")]
    prompts: Vec<String>,
    /// A value read aloud after them: number:105, telephone:13800138000, money:12.50, money-USD:12.50
    #[arg(long, value_name = "KIND:VALUE")]
    say: Option<String>,
    /// As callers of this language hear it [default: the first with a file]
    #[arg(long, value_name = "L")]
    language: Option<String>,
    /// Write a WAV file instead
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn prompts(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let main = installation::main_file(config)?;
    let place = Place::of(&main)?;
    match &options.what {
        What::Status { json } => status(place, *json),
        What::Render(options) => render(place, options),
        What::Check { json, fix } => check(place, *json, *fix),
        What::Play(options) => play(&place, options),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::not_started(error)
    }
}

// Status.

/// Names in a list that is too long to read.
const NAMES_SHOWN: usize = 12;

fn status(place: Place, json: bool) -> Result<u8, Failure> {
    let statuses = prompts::status(&Survey::of(place)?);
    let wrong = statuses.iter().any(|s| s.enabled && !s.unheard.is_empty());
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{:#}", json!({ "languages": statuses }))?;
        return Ok(u8::from(wrong));
    }
    let mut table = Table::new(&[
        "LANGUAGE",
        "PROMPTS>",
        "RECORDED>",
        "RENDERED>",
        "OUT OF DATE>",
        "MISSING>",
        "ELSEWHERE>",
        "UNHEARD>",
        "FALLS BACK TO",
    ]);
    for s in &statuses {
        let language = if s.enabled { s.language.clone() } else { format!("{} (not enabled)", s.language) };
        table.row([
            language,
            s.listed.to_string(),
            s.recorded.to_string(),
            s.rendered.to_string(),
            s.stale.len().to_string(),
            s.missing.len().to_string(),
            s.falls_back.to_string(),
            s.unheard.len().to_string(),
            s.fallbacks.join(", "),
        ]);
    }
    table.print(&mut out)?;
    for s in &statuses {
        let voice = if s.voice { "" } else { " (it has no voice)" };
        if !s.missing.is_empty() {
            writeln!(out, "{}: to render or record{voice}: {}", s.language, names(&s.missing))?;
        }
        if !s.stale.is_empty() {
            writeln!(out, "{}: out of date: {}", s.language, names(&s.stale))?;
        }
        for (name, flows) in &s.needed_by {
            writeln!(out, "{}: nothing is heard of {name}, which {} play", s.language, flows.join(", "))?;
        }
    }
    Ok(if wrong { FOUND_WRONG } else { DONE })
}

fn names(all: &[String]) -> String {
    let shown = all[..all.len().min(NAMES_SHOWN)].join(", ");
    match all.len() - all.len().min(NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

// Render.

fn render(place: Place, options: &Render) -> Result<u8, Failure> {
    let cores = || std::thread::available_parallelism().map_or(2, usize::from);
    let survey = Survey::of(place)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::not_started(format!("no runtime: {e}")))?;
    let limits = FetchLimits {
        timeout_max: Duration::from_secs(600),
        body_bytes_max: prompts::SOUND_BYTES_MAX as usize,
        ..FetchLimits::default()
    };
    let renderer = Renderer {
        cache: options.cache.clone().unwrap_or_else(|| survey.place.root.join("var/prompts-cache")),
        http: Arc::new(Service(Fetcher::new(runtime.handle(), limits, BTreeMap::new()))),
        jobs: options.jobs.map_or_else(cores, usize::from),
    };
    let selection =
        Selection { language: options.language.as_deref(), only: &options.only, force: options.force };
    let (mut made, mut current, mut kept, mut voiceless, mut failed) = (0, 0, 0, 0, 0);
    let mut out = std::io::stdout().lock();
    let mut printed = Ok(());
    let mut tell = |item: &prompts::Item, outcome: &Outcome| {
        let path = item.path.display();
        let (count, line) = match outcome {
            Outcome::Made => (&mut made, format!("made    {path}")),
            Outcome::Current => (&mut current, String::new()),
            Outcome::Kept => (&mut kept, format!("kept    {path}: recorded by somebody")),
            Outcome::NoVoice => {
                (&mut voiceless, format!("without {path}: prompts.toml has no [voice.{}]", item.language))
            }
            Outcome::Failed(why) => (&mut failed, format!("failed  {path}: {why}")),
        };
        *count += 1;
        if !line.is_empty() && printed.is_ok() {
            printed = writeln!(out, "{line}");
        }
    };
    runtime.block_on(renderer.render(&survey, selection, &mut tell))?;
    printed?;
    let mut summary = format!("{made} made, {current} up to date, {kept} recorded by somebody");
    for (count, what) in [(voiceless, "without a voice"), (failed, "failed")] {
        if count > 0 {
            summary += &format!(", {count} {what}");
        }
    }
    writeln!(out, "{summary}")?;
    Ok(if failed > 0 { FOUND_WRONG } else { DONE })
}

/// A text-to-speech service, asked as any other system is.
struct Service(Fetcher);

const SOUNDS: &[&str] =
    &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave", "application/octet-stream"];

impl Http for Service {
    fn send(&self, request: Request) -> Speaking<'_> {
        let host = request.url.split('/').nth(2).unwrap_or_default().to_owned();
        let order = HttpRequest {
            service: host.as_str().into(),
            method: if request.body.is_some() { HttpMethod::Post } else { HttpMethod::Get },
            url: request.url.as_str().into(),
            headers: request.headers.iter().map(|(n, v)| (n.as_str().into(), v.as_str().into())).collect(),
            body: request.body.as_deref().map(Into::into),
            timeout: request.timeout,
            retries: 2,
            body_max: request.bytes_max as usize,
        };
        let (done, answer) = tokio::sync::oneshot::channel();
        self.0.fetch_bytes(order, SOUNDS, |result| drop(done.send(result)));
        Box::pin(async move {
            match answer.await {
                Ok(BytesResult::Answered { status: 200..=299, body, .. }) if !body.is_empty() => Ok(body),
                Ok(BytesResult::Answered { status: status @ 200..=299, .. }) => {
                    Err(format!("{host} answered {status} without a sound"))
                }
                Ok(BytesResult::Answered { status, .. }) => Err(format!("{host} answered {status}")),
                Ok(BytesResult::Failed(failure)) => {
                    Err(format!("{host} did not answer with a WAV file: {failure:?}"))
                }
                Err(_) => Err(format!("{host} was not asked")),
            }
        })
    }
}

// Check.

fn check(place: Place, json: bool, fix: bool) -> Result<u8, Failure> {
    let mut survey = Survey::of(place)?;
    let mut fixed = vec![];
    if fix {
        fixed = prompts::fix(&survey)?;
        survey = Survey::of(survey.place)?;
    }
    let findings = prompts::check(&survey);
    let wrong = findings.iter().any(|f| f.level != Level::Note);
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{:#}", json!({ "files": survey.items.len(), "fixed": fixed, "findings": findings }))?;
        return Ok(u8::from(wrong));
    }
    for path in &fixed {
        writeln!(out, "fixed {}", path.display())?;
    }
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let of = |level: Level| findings.iter().filter(|f| f.level == level).count();
    let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    writeln!(
        out,
        "{}: {}, {}, {}",
        count(survey.items.len(), "prompt"),
        count(of(Level::Error), "error"),
        count(of(Level::Warning), "warning"),
        count(of(Level::Note), "note"),
    )?;
    Ok(if wrong { FOUND_WRONG } else { DONE })
}

// Play.

/// The first that is there plays.
const PLAYERS: [&[&str]; 4] =
    [&["aplay", "-q"], &["paplay"], &["ffplay", "-v", "error", "-nodisp", "-autoexit"], &["play", "-q"]];

fn play(place: &Place, options: &Play) -> Result<u8, Failure> {
    let language = match &options.language {
        Some(language) => language.clone(),
        None => first_language(place, options.prompts.first())?,
    };
    let mut names = options.prompts.clone();
    if let Some(say) = &options.say {
        names.extend(prompts::reading(say, &language)?);
    }
    let heard = prompts::hear(place, &language, &names)?;
    let mut err = std::io::stderr().lock();
    for (spoken, path) in &heard.from {
        let note = if *spoken == language { "" } else { " (falls back)" };
        writeln!(err, "{}{note}", path.display())?;
    }
    let wav = heard.sound.to_wav();
    if let Some(out) = &options.out {
        std::fs::write(out, wav).map_err(|e| Failure::not_started(format!("{}: {e}", out.display())))?;
        return Ok(DONE);
    }
    let file = std::env::temp_dir().join(format!("hotline-prompt-{}.wav", std::process::id()));
    std::fs::write(&file, wav).map_err(|e| Failure::not_started(format!("{}: {e}", file.display())))?;
    let played = PLAYERS.iter().find_map(|player| {
        let status = Command::new(player[0]).args(&player[1..]).arg(&file).stdin(Stdio::null()).status();
        status.ok().map(|s| (player[0], s))
    });
    let _ = std::fs::remove_file(&file);
    match played {
        Some((_, status)) if status.success() => Ok(DONE),
        Some((player, status)) => Err(Failure::wrong(format!("{player} failed ({status})"))),
        None => Err(Failure::not_started(
            "there is no aplay, paplay, ffplay or play here\n  help: --out FILE writes a WAV file",
        )),
    }
}

fn first_language(place: &Place, prompt: Option<&String>) -> Result<String, Failure> {
    let has = |language: &&String| prompt.is_none_or(|p| place.wav(language, p).is_file());
    match place.languages.keys().find(has) {
        Some(language) => Ok(language.clone()),
        None => Err(Failure::not_started(match prompt {
            Some(prompt) => format!("no language has a prompt called `{prompt}`"),
            None => "no language is enabled".to_owned(),
        })),
    }
}
