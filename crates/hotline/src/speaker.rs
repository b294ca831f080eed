//! The machine's speaker, by whichever player is there.
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Players and what they need to play one file quietly.
const PLAYERS: [(&str, &[&str]); 4] = [
    ("aplay", &["-q"]),
    ("paplay", &[]),
    ("play", &["-q"]),
    ("ffplay", &["-nodisp", "-autoexit", "-loglevel", "quiet"]),
];

#[derive(Clone, Copy, Debug)]
pub struct Player {
    name: &'static str,
    options: &'static [&'static str],
}

impl Player {
    pub fn find() -> Result<Player, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let there = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
        match PLAYERS.into_iter().find(|(name, _)| there(name)) {
            Some((name, options)) => Ok(Player { name, options }),
            None => Err("none of aplay, paplay, play and ffplay is here to play sounds with".into()),
        }
    }

    pub fn start(self, file: &Path) -> std::io::Result<Child> {
        Command::new(self.name)
            .args(self.options)
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }
}

/// Plays a file to its end.
pub fn play(file: &Path) -> Result<(), String> {
    let player = Player::find()?;
    match player.start(file).and_then(|mut child| child.wait()) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} could not play it: {status}", player.name)),
        Err(error) => Err(format!("{} does not start: {error}", player.name)),
    }
}
