//! `prompts.toml`: what is said, in which voice, and how it should sound.

use crate::Error;
use crate::sound::Target;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// A larger list is a mistake, bytes.
const LIST_BYTES_MAX: u64 = 1 << 20;
const TEXT_CHARS_MAX: usize = 2000;
const VOICES_MAX: usize = 64;
const ARGUMENTS_MAX: usize = 64;
const TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// The whole list, checked.
#[derive(Clone, Debug)]
pub struct List {
    pub rate: u32,
    /// LUFS of what has no voice of its own that says otherwise.
    pub loudness: f64,
    /// dBTP.
    pub peak: f64,
    /// Silence before and after a prompt.
    pub before: Duration,
    pub after: Duration,
    /// Silence at both sides of what values are read from.
    pub between: Duration,
    pub voices: BTreeMap<String, Voice>,
    pub prompts: BTreeMap<String, Prompt>,
    /// Names of [`ivr::say::fragments`].
    fragments: BTreeSet<&'static str>,
}

/// One prompt in all languages.
#[derive(Clone, Default, Debug)]
pub struct Prompt {
    /// By language. An empty text is a sound without words.
    pub texts: BTreeMap<String, String>,
    /// Instead of the language's own.
    pub voice: Option<String>,
    pub notes: String,
}

/// `[voice.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Voice {
    pub how: How,
    pub timeout: Duration,
    /// LUFS, instead of the default.
    pub loudness: Option<f64>,
}

/// Who speaks.
#[derive(Clone, PartialEq, Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A program and its arguments; no shell. `{text}` is the text, which otherwise comes on its standard
    /// input; `{out}` is the WAV file to write, which is otherwise its standard output.
    Command(Vec<String>),
    Http(HttpVoice),
    /// Music on hold of our own.
    Chords,
}

/// A text-to-speech service.
#[derive(Clone, PartialEq, Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct HttpVoice {
    /// `{text}` in it is the text, percent-encoded.
    pub url: String,
    /// Sent by POST; `{text}` in it is the text as the inside of a JSON string. Without: GET.
    #[serde(default)]
    pub body: Option<String>,
    /// Values in clear, or the environment's variable that holds one.
    #[serde(default, skip_serializing)]
    pub headers: BTreeMap<String, HeaderValue>,
    #[serde(default = "wav")]
    pub accept: String,
}

#[derive(Clone, PartialEq, Deserialize, Debug)]
#[serde(untagged)]
pub enum HeaderValue {
    Text(String),
    Secret {
        /// The variable's name.
        env: String,
        /// Written before the secret: "Bearer ".
        #[serde(default)]
        before: String,
    },
}

fn wav() -> String {
    "audio/wav".to_owned()
}

/// A voice and what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece<'a> {
    pub voice: &'a str,
    pub text: &'a str,
}

impl List {
    /// Reads `prompts.toml`.
    pub fn read(path: &Path) -> Result<List, Error> {
        let text = crate::file::text(path, LIST_BYTES_MAX)?;
        List::parse(&text).map_err(|why| Error::List { path: path.to_owned(), why })
    }

    pub fn parse(text: &str) -> Result<List, String> {
        let written: Written = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
        let d = written.defaults;
        if !(media::wav::RATE_MIN..=media::wav::RATE_MAX).contains(&d.rate) {
            return Err(format!("[defaults] rate = {}: 8000 to 48000 can be played", d.rate));
        }
        if written.voice.len() > VOICES_MAX {
            return Err(format!("there are {} voices; {VOICES_MAX} at most", written.voice.len()));
        }
        let mut list = List {
            rate: d.rate,
            loudness: within(d.loudness, LOUDNESS, "loudness")?,
            peak: within(d.peak, PEAK, "peak")?,
            before: duration(&d.before, EDGE_MAX)?,
            after: duration(&d.after, EDGE_MAX)?,
            between: duration(&d.between, EDGE_MAX)?,
            voices: BTreeMap::new(),
            prompts: BTreeMap::new(),
            fragments: ivr::say::LANGUAGES.into_iter().flat_map(ivr::say::fragments).map(|f| f.0).collect(),
        };
        for (name, voice) in written.voice {
            named("voice", &name)?;
            list.voices.insert(name.clone(), voice.checked().map_err(|why| format!("[voice.{name}] {why}"))?);
        }
        for (name, fields) in written.prompt {
            named("prompt", &name)?;
            let prompt = list.prompt(fields).map_err(|why| format!("[prompt.{name}] {why}"))?;
            list.prompts.insert(name, prompt);
        }
        Ok(list)
    }

    fn prompt(&self, fields: BTreeMap<String, String>) -> Result<Prompt, String> {
        let mut prompt = Prompt::default();
        for (key, value) in fields {
            match key.as_str() {
                "notes" => prompt.notes = value,
                "voice" if self.voices.contains_key(&value) => prompt.voice = Some(value),
                "voice" => return Err(format!("no voice is called `{value}`: add [voice.{value}]")),
                _ => {
                    named("language", &key)?;
                    let chars = value.chars().count();
                    if chars > TEXT_CHARS_MAX {
                        return Err(format!(
                            "its text in {key} has {chars} characters; {TEXT_CHARS_MAX} at most"
                        ));
                    }
                    self.pieces(&value, &key)?;
                    prompt.texts.insert(key, value);
                }
            }
        }
        Ok(prompt)
    }

    /// The voice that begins a prompt in a language, if it has one.
    pub fn voice_of<'a>(&'a self, name: &str, language: &'a str) -> Option<&'a str> {
        let own = self.prompts.get(name).and_then(|p| p.voice.as_deref());
        own.or_else(|| self.voices.get_key_value(language).map(|(name, _)| name.as_str()))
    }

    /// A text cut where `[NAME]` changes the voice; pieces without words are left out.
    pub fn pieces<'a>(&'a self, text: &'a str, voice: &'a str) -> Result<Vec<Piece<'a>>, String> {
        let (mut pieces, mut voice, mut rest) = (vec![], voice, text);
        let mut add = |voice: &'a str, text: &'a str| {
            if !text.trim().is_empty() {
                pieces.push(Piece { voice, text: text.trim() });
            }
        };
        while let Some((before, after)) = rest.split_once('[') {
            let Some((name, after)) = after.split_once(']') else {
                return Err("`[` without `]`: a change of the voice is written [NAME]".into());
            };
            if !self.voices.contains_key(name) {
                return Err(format!("no voice is called `{name}`: add [voice.{name}]"));
            }
            add(voice, before);
            (voice, rest) = (name, after);
        }
        add(voice, rest);
        Ok(pieces)
    }

    /// Whether values are read from it, one close to the next.
    pub fn is_fragment(&self, name: &str) -> bool {
        self.fragments.contains(name)
    }

    /// How a prompt should sound, recorded or rendered.
    pub fn target(&self, name: &str, language: &str) -> Target {
        let voice = self.voice_of(name, language).and_then(|v| self.voices.get(v));
        let (before, after) =
            if self.is_fragment(name) { (self.between, self.between) } else { (self.before, self.after) };
        let loudness = voice.and_then(|v| v.loudness).unwrap_or(self.loudness);
        Target { loudness, peak: self.peak, before, after }
    }

    /// Every prompt with a text in this language: name and text.
    pub fn of<'a>(&'a self, language: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.prompts
            .iter()
            .filter_map(move |(name, p)| Some((name.as_str(), p.texts.get(language)?.as_str())))
    }

    /// Languages with a text or a voice that a text may be in.
    pub fn languages(&self) -> BTreeSet<&str> {
        self.prompts.values().flat_map(|p| p.texts.keys()).map(String::as_str).collect()
    }
}

/// LUFS that a telephone can carry.
const LOUDNESS: (f64, f64) = (-40.0, -10.0);
/// dBTP.
const PEAK: (f64, f64) = (-20.0, -0.5);
const EDGE_MAX: Duration = Duration::from_secs(2);

// As it is written.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    voice: BTreeMap<String, WrittenVoice>,
    #[serde(default)]
    prompt: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Defaults {
    rate: u32,
    loudness: f64,
    peak: f64,
    before: String,
    after: String,
    between: String,
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults {
            rate: 8000,
            loudness: -19.0,
            peak: -3.0,
            before: "50ms".into(),
            after: "100ms".into(),
            between: "30ms".into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenVoice {
    command: Option<Vec<String>>,
    http: Option<HttpVoice>,
    music: Option<String>,
    timeout: Option<String>,
    loudness: Option<f64>,
}

impl WrittenVoice {
    fn checked(self) -> Result<Voice, String> {
        let how = match (self.command, self.http, self.music) {
            (Some(command), None, None) => How::Command(command_line(command)?),
            (None, Some(http), None) => How::Http(http.checked()?),
            (None, None, Some(music)) if music == "chords" => How::Chords,
            (None, None, Some(music)) => {
                return Err(format!("music = \"{music}\": only \"chords\" is known"));
            }
            _ => return Err("needs one of: command = [\"espeak-ng\", ...], http = { url = ... }".into()),
        };
        let timeout = self.timeout.map_or(Ok(Duration::from_secs(30)), |t| duration(&t, TIMEOUT_MAX))?;
        let loudness = self.loudness.map(|l| within(l, LOUDNESS, "loudness")).transpose()?;
        Ok(Voice { how, timeout, loudness })
    }
}

fn command_line(command: Vec<String>) -> Result<Vec<String>, String> {
    if command.first().is_none_or(|program| program.is_empty() || program.contains('{')) {
        return Err("command = [...] begins with a program".into());
    }
    if command.len() > ARGUMENTS_MAX {
        return Err(format!("command has {} arguments; {ARGUMENTS_MAX} at most", command.len()));
    }
    if command.iter().any(|a| a.contains('\0')) {
        return Err("command has an argument with a NUL in it".into());
    }
    Ok(command)
}

impl HttpVoice {
    fn checked(self) -> Result<HttpVoice, String> {
        if !["http://", "https://"].iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err(format!("url = \"{}\" begins with neither https:// nor http://", self.url));
        }
        if !self.url.contains("{text}") && !self.body.as_deref().is_some_and(|b| b.contains("{text}")) {
            return Err(
                "neither `url` nor `body` has {text} in it: the service would not know what to say".into()
            );
        }
        Ok(self)
    }
}

fn within(value: f64, (least, most): (f64, f64), what: &str) -> Result<f64, String> {
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(format!("{what} = {value}: {least} to {most} make sense")),
    }
}

/// `300ms` or `2s`.
fn duration(text: &str, most: Duration) -> Result<Duration, String> {
    let number = |t: &str| t.parse::<u32>().ok();
    let read = match text.strip_suffix("ms") {
        Some(ms) => number(ms).map(|ms| Duration::from_millis(ms.into())),
        None => text.strip_suffix('s').and_then(number).map(|s| Duration::from_secs(s.into())),
    };
    match read {
        Some(d) if d <= most => Ok(d),
        Some(_) => Err(format!("\"{text}\" is longer than {most:?}")),
        None => Err(format!("\"{text}\" is no time: write \"300ms\" or \"2s\"")),
    }
}

/// Names become names of files.
fn named(kind: &str, name: &str) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match !name.is_empty() && name.len() <= 64 && !name.starts_with(['.', '-']) && name.chars().all(fine) {
        true => Ok(()),
        false => Err(format!(
            "a {kind} cannot be called `{}`: use up to 64 letters, digits, `-`, `_` and `.`",
            name.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOICES: &str = "[voice.en]\ncommand = [\"say\"]\n[voice.fr]\ncommand = [\"dire\"]\n";

    fn list(text: &str) -> List {
        List::parse(&format!("{VOICES}{text}")).expect("a good list")
    }

    #[test]
    fn a_text_may_change_its_voice() {
        let list = list("");
        let pieces = |text| {
            let pieces = list.pieces(text, "en").expect("good");
            pieces.iter().map(|p| format!("{}:{}", p.voice, p.text)).collect::<Vec<_>>()
        };
        assert_eq!(
            pieces("Press one. [fr] Pressez un. [en] Bye."),
            ["en:Press one.", "fr:Pressez un.", "en:Bye."]
        );
        assert_eq!(pieces("[fr]Oui"), ["fr:Oui"]);
        assert_eq!(pieces("  "), [""; 0]);
    }

    #[test]
    fn what_is_not_said_has_a_default_and_fragments_stand_close() {
        let list = list("[prompt]\nhello = { en = \"Hello\" }\nnumber-7 = { en = \"seven\" }\n");
        let ms = Duration::from_millis;
        let (hello, seven) = (list.target("hello", "en"), list.target("number-7", "en"));
        assert_eq!((hello.loudness, hello.peak, hello.before, hello.after), (-19.0, -3.0, ms(50), ms(100)));
        assert_eq!((seven.before, seven.after), (ms(30), ms(30)));
    }

    #[test]
    fn a_prompt_may_have_a_voice_of_its_own_with_its_own_loudness() {
        let list = list(
            "[voice.music]\nmusic = \"chords\"\nloudness = -24\n[prompt.hold]\nen = \"\"\nvoice = \"music\"\n",
        );
        assert_eq!(list.voice_of("hold", "en"), Some("music"));
        assert_eq!(list.target("hold", "en").loudness, -24.0);
        assert_eq!(list.voice_of("other", "de"), None);
    }

    #[test]
    fn hostile_lists_are_refused_with_a_reason() {
        let long = format!("[prompt.a]\nen = \"{}\"", "x".repeat(2001));
        let cases: [(&str, &str); 16] = [
            ("[prompt.\"../../etc/x\"]\nen = \"a\"", "cannot be called"),
            ("[prompt.\".hidden\"]\nen = \"a\"", "cannot be called"),
            ("[prompt.a]\n\"../en\" = \"a\"", "a language cannot be called"),
            ("[prompt.a]\nen = 5", "string"),
            ("[prompt.a]\nen = \"[de] nein\"", "no voice is called `de`"),
            ("[prompt.a]\nen = \"[fr\"", "without `]`"),
            ("[prompt.a]\nvoice = \"calm\"", "no voice is called `calm`"),
            ("[prompts.a]\nen = \"a\"", "unknown field `prompts`"),
            ("[voice.x]\ncommand = []", "begins with a program"),
            ("[voice.x]\ncommand = [\"{text}\"]", "begins with a program"),
            ("[voice.x]\ncommand = [\"a\"]\nmusic = \"chords\"", "needs one of"),
            ("[voice.x]\nhttp = { url = \"file:///etc/passwd\" }", "https://"),
            ("[voice.x]\nhttp = { url = \"https://a.example/\" }", "{text}"),
            ("[voice.x]\ncommand = [\"a\"]\ntimeout = \"9999s\"", "longer than"),
            ("[defaults]\nloudness = nan", "make sense"),
            (&long, "2001 characters"),
        ];
        for (text, why) in cases {
            let refused = List::parse(&format!("{VOICES}{text}")).expect_err(text);
            assert!(refused.contains(why), "{text}\n{refused}");
        }
    }
}
