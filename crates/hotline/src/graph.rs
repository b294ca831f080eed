use crate::failure::{DONE, Failure};
use crate::installation;
use ::graph::Picture;
use server::control::ask;
use server::control::protocol::{Answer, Request, Show};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

type Flows = BTreeMap<Arc<str>, Arc<ivr::Flow>>;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// The flow to draw [default: all of them, into the folder of --out]
    pub flow: Option<String>,
    /// How to write it [default: as the name of --out says, else svg]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Write it here [default: to the terminal]; without a flow, a folder
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show how often each step and exit was passed: what `hotline test --json` printed
    #[arg(long, value_name = "FILE")]
    pub coverage: Option<PathBuf>,
    /// Show how often each step and exit has been passed in the running engine
    #[arg(long, conflicts_with = "coverage")]
    pub live: bool,
    /// Show what changed since an earlier flow file, another installation's flow of this name, or a version that
    /// was served (`hotline versions` lists them)
    #[arg(long, value_name = "FILE|FOLDER|VERSION")]
    pub against: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum, Debug)]
pub enum Format {
    /// A picture for browsers and printers
    Svg,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
}

/// Draws one flow or all.
pub fn graph(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let (main, flows) = flows(config)?;
    let counts = match &options.coverage {
        Some(path) => Some(coverage(path)?),
        None if options.live => Some(live(config, &flows)?),
        None => None,
    };
    let draw = |name: &str, flow: &ivr::Flow| -> Result<Picture, Failure> {
        let mut picture = Picture::of(flow);
        if let Some(counts) = &counts {
            let counted = counts
                .get(name)
                .ok_or_else(|| Failure::not_started(format!("nothing is counted of the flow `{name}`")))?;
            picture = picture.with_counts(&counted.steps, &counted.exits);
        }
        match &options.against {
            Some(path) => Ok(match earlier(&main, name, path)? {
                Some(before) => Picture::difference(&Picture::of(&before), &picture),
                None => Picture::difference(&Picture::default(), &picture),
            }),
            None => Ok(picture),
        }
    };
    let format = options.format.or_else(|| options.out.as_deref().and_then(Format::by_name));
    let format = format.unwrap_or(Format::Svg);
    let Some(name) = &options.flow else {
        let Some(folder) = &options.out else {
            let names: Vec<&str> = flows.keys().map(|n| &**n).collect();
            let what = format!(
                "which flow? There are {}\n  help: name one, or give a folder for all: --out FOLDER",
                names.join(", ")
            );
            return Err(Failure::not_started(what));
        };
        if options.against.as_deref().is_some_and(Path::is_file) && flows.len() > 1 {
            let what = "--against a file is about one flow\n  help: name the flow, or give a folder";
            return Err(Failure::not_started(what));
        }
        std::fs::create_dir_all(folder).map_err(|e| at(folder, e))?;
        for (name, flow) in &flows {
            let path = folder.join(format!("{name}.{}", format.extension()));
            std::fs::write(&path, format.write(&draw(name, flow)?)).map_err(|e| at(&path, e))?;
            writeln!(std::io::stdout(), "{}", path.display())?;
        }
        return Ok(DONE);
    };
    let Some(flow) = flows.get(name.as_str()) else {
        let near = ivr::suggest(name, flows.keys().map(|n| &**n));
        let help = near.map(|n| format!("\n  help: did you mean `{n}`?")).unwrap_or_default();
        return Err(Failure::not_started(format!("no flow is called `{name}`{help}")));
    };
    let text = format.write(&draw(name, flow)?);
    match &options.out {
        Some(path) => std::fs::write(path, text).map_err(|e| at(path, e))?,
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    Ok(DONE)
}

fn at(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::not_started(format!("{}: {error}", path.display()))
}

/// The main file and its flows; an installation with errors has none.
fn flows(config: Option<&Path>) -> Result<(PathBuf, Flows), Failure> {
    let (main, loaded) = installation::load(config, server::Clock::start().epoch_unix())?;
    match loaded.settings {
        Some(_) => Ok((main, loaded.flows)),
        None => {
            let what = format!("the configuration at {} has errors\n{}", main.display(), loaded.report());
            Err(Failure::not_started(what))
        }
    }
}

impl Format {
    fn by_name(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "svg" => Some(Format::Svg),
            "dot" | "gv" => Some(Format::Dot),
            "mmd" | "mermaid" => Some(Format::Mermaid),
            _ => None,
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Format::Svg => "svg",
            Format::Dot => "dot",
            Format::Mermaid => "mmd",
        }
    }

    fn write(self, picture: &Picture) -> String {
        match self {
            Format::Svg => ::graph::svg(picture),
            Format::Dot => ::graph::dot(picture),
            Format::Mermaid => ::graph::mermaid(picture),
        }
    }
}

/// How often steps (by name) and exits (by `step/exit`) were passed.
#[derive(serde::Deserialize, Default, Debug)]
struct Counts {
    steps: BTreeMap<String, u64>,
    exits: BTreeMap<String, u64>,
}

/// Reads the part of `hotline test --json` that tells of coverage, by flow.
fn coverage(path: &Path) -> Result<BTreeMap<String, Counts>, Failure> {
    #[derive(serde::Deserialize)]
    struct Tested {
        coverage: BTreeMap<String, Counts>,
    }
    let text = std::fs::read_to_string(path).map_err(|e| at(path, e))?;
    let tested: Tested = serde_json::from_str(&text).map_err(|e| {
        Failure::not_started(format!(
            "{}: {e}\n  help: write it with `hotline test --json > FILE`",
            path.display()
        ))
    })?;
    Ok(tested.coverage)
}

/// What the running engine has counted, by flow. Callers of a version that is no longer drawn are not counted.
fn live(config: Option<&Path>, flows: &Flows) -> Result<BTreeMap<String, Counts>, Failure> {
    let request = Request::Show(Show::Flows { flow: None });
    let rows = match ask(&crate::operate::control_socket(config)?, &request).map_err(Failure::wrong)? {
        Answer::Flows(rows) => rows,
        Answer::Error(what) => return Err(Failure::wrong(what)),
        answer => return Err(Failure::wrong(format!("the engine answered something else: {answer:?}"))),
    };
    // A flow that nobody has called has counts of nothing.
    let mut counts: BTreeMap<String, Counts> =
        flows.keys().map(|name| (name.to_string(), Counts::default())).collect();
    for row in rows {
        let drawn = flows.get(row.flow.as_str()).is_some_and(|flow| *flow.version == *row.version);
        let Some(counts) = counts.get_mut(&row.flow).filter(|_| drawn) else { continue };
        for step in row.steps {
            for (exit, taken) in step.exits {
                counts.exits.insert(format!("{}/{exit}", step.step), taken);
            }
            counts.steps.insert(step.step, step.entered);
        }
    }
    Ok(counts)
}

/// The flow as `path` has it: an installation (its folder or its main file), or a flow file, which is then read
/// with the rest of the installation at `main`. None: that installation has no such flow.
fn earlier(main: &Path, name: &str, path: &Path) -> Result<Option<Arc<ivr::Flow>>, Failure> {
    let main_name = main.file_name().unwrap_or_default();
    if path.is_dir() {
        let candidates = [path.join("config").join(main_name), path.join(main_name)];
        let Some(other) = candidates.iter().find(|p| p.is_file()) else {
            let what = format!("there is no {} in {}", main_name.display(), path.display());
            return Err(Failure::not_started(what));
        };
        return Ok(flows(Some(other))?.1.remove(name));
    }
    if !path.is_file() {
        let store = config::load(main, &config::SystemSecrets, 0).server.store;
        let kept = server::reload::kept_version(&store, &path.to_string_lossy());
        let main = kept.map_err(|what| at(path, format!("there is no such file or folder, and {what}")))?;
        return Ok(flows(Some(&main))?.1.remove(name));
    }
    if path.file_name() == Some(main_name) {
        return Ok(flows(Some(path))?.1.remove(name));
    }
    let mirror = Mirror::new(main, name, path)?;
    // What is wrong with the file is wrong at its own place.
    let own = |failure: Failure| {
        let what = failure.what.replace(&*mirror.flow.to_string_lossy(), &path.to_string_lossy());
        Failure::not_started(what.replace(&*mirror.root.to_string_lossy(), &mirror.base.to_string_lossy()))
    };
    Ok(flows(Some(&mirror.main)).map_err(own)?.1.remove(name))
}

/// An installation of links to another, with one flow file in the place of its own; gone when dropped.
struct Mirror {
    root: PathBuf,
    main: PathBuf,
    /// The link to the one flow file.
    flow: PathBuf,
    /// What `root` stands for.
    base: PathBuf,
}

impl Mirror {
    fn new(main: &Path, name: &str, flow: &Path) -> Result<Mirror, Failure> {
        let root = std::env::temp_dir().join(format!("hotline-graph-{}-{name}", std::process::id()));
        let main = main.canonicalize().map_err(|e| at(main, e))?;
        let flow = flow.canonicalize().map_err(|e| at(flow, e))?;
        let config = main.parent().unwrap_or(Path::new("/")).to_owned();
        let base = config.parent().unwrap_or(Path::new("/")).to_owned();
        let loaded = installation::load(Some(&main), 0)?.1;
        let folder = loaded.flows_folder.canonicalize().map_err(|e| at(&loaded.flows_folder, e))?;
        let Ok(within) = folder.strip_prefix(&base) else {
            let what = format!("the flows' folder {} is outside of the installation", folder.display());
            return Err(Failure::not_started(what));
        };
        std::fs::create_dir(&root).map_err(|e| at(&root, e))?;
        let link = root.join(within).join(format!("{name}.toml"));
        let mirror = Mirror {
            main: root.join(main.strip_prefix(&base).unwrap_or(&main)),
            root: root.clone(),
            flow: link.clone(),
            base: base.clone(),
        };
        // Real folders on the way to the main file and to the flow, links beside them.
        let file = folder.join(format!("{name}.toml"));
        let mut real = vec![base.clone(), config.clone()];
        real.extend(within.ancestors().map(|a| base.join(a)));
        real.sort();
        real.dedup();
        for folder in &real {
            let here = root.join(folder.strip_prefix(&base).unwrap_or(folder));
            std::fs::create_dir_all(&here).map_err(|e| at(&here, e))?;
            for entry in std::fs::read_dir(folder).map_err(|e| at(folder, e))? {
                let path = entry.map_err(|e| at(folder, e))?.path();
                let link = here.join(path.file_name().unwrap_or_default());
                if path != file && !real.contains(&path) {
                    std::os::unix::fs::symlink(&path, &link).map_err(|e| at(&link, e))?;
                }
            }
        }
        std::os::unix::fs::symlink(&flow, &link).map_err(|e| at(&link, e))?;
        Ok(mirror)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        // Links go, what they lead to stays. If it fails, a folder of links is left among temporary files.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
