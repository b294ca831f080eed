//! Where an installation keeps its prompts, and what falls back to what.

use crate::Error;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

const MAIN_BYTES_MAX: u64 = 1 << 20;

/// What prompts need to know of an installation; read even when the rest of it has mistakes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The folder above the main file's.
    pub root: PathBuf,
    pub prompts: PathBuf,
    pub flows: PathBuf,
    /// Each language that callers may have, and where it finds what it lacks.
    pub languages: BTreeMap<String, Vec<String>>,
}

impl Place {
    /// Of the installation with this main file.
    pub fn of(main: &Path) -> Result<Place, Error> {
        let wrong = |why: String| Error::List { path: main.to_owned(), why };
        let text = crate::file::text(main, MAIN_BYTES_MAX)?;
        let file: toml::Table = text.parse().map_err(|e: toml::de::Error| wrong(e.to_string()))?;
        let empty = toml::Table::new();
        let engine = file.get("engine").and_then(|e| e.as_table()).unwrap_or(&empty);
        let folder = main.parent().unwrap_or(Path::new(""));
        let path = |key: &str, default: &str| {
            joined(folder, engine.get(key).and_then(|v| v.as_str()).unwrap_or(default))
        };
        let languages = engine.get("languages").and_then(|l| l.as_table());
        let languages = languages.ok_or_else(|| wrong("[engine] has no table `languages`".into()))?;
        let texts = |chain: &toml::Value| {
            let chain = chain.as_array().into_iter().flatten();
            chain.filter_map(|l| l.as_str().map(str::to_owned)).collect()
        };
        Ok(Place {
            root: joined(folder, ".."),
            prompts: path("prompts", "../prompts"),
            flows: path("flows", "flows"),
            languages: languages.iter().map(|(name, chain)| (name.clone(), texts(chain))).collect(),
        })
    }

    pub fn list(&self) -> PathBuf {
        self.prompts.join("prompts.toml")
    }

    pub fn wav(&self, language: &str, name: &str) -> PathBuf {
        self.prompts.join(language).join(format!("{name}.wav"))
    }

    /// The file that a caller of this language hears, and its language.
    pub fn heard<'a>(&'a self, language: &'a str, name: &str) -> Option<(&'a str, PathBuf)> {
        let chain = self.languages.get(language).into_iter().flatten().map(String::as_str);
        let mut all = std::iter::once(language).chain(chain);
        all.find_map(|l| Some((l, self.wav(l, name))).filter(|(_, path)| path.is_file()))
    }
}

/// `config` and `../prompts` are `prompts`.
fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut joined = folder.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir if matches!(joined.components().next_back(), Some(Component::Normal(_))) => {
                joined.pop();
            }
            Component::CurDir => {}
            part => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_short_as_they_are() {
        for (folder, path, short) in [
            ("config", "../prompts", "prompts"),
            ("a/config", "../prompts", "a/prompts"),
            ("config/lab", "../../prompts", "prompts"),
            ("", "../prompts", "../prompts"),
            ("..", "../prompts", "../../prompts"),
            ("config", "./x", "config/x"),
            ("config", "/x", "/x"),
        ] {
            assert_eq!(joined(Path::new(folder), path), Path::new(short), "{folder} and {path}");
        }
    }
}
