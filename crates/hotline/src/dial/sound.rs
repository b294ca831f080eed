//! The prompts of a dialled flow through the machine's speaker, by whichever player is there.

use engine::Settings;
use rehearsal::{Scripted, Stage, What};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// Players and what they need to play one file quietly.
const PLAYERS: [(&str, &[&str]); 4] = [
    ("aplay", &["-q"]),
    ("paplay", &[]),
    ("play", &["-q"]),
    ("ffplay", &["-nodisp", "-autoexit", "-loglevel", "quiet"]),
];

pub(super) struct Sound {
    settings: Arc<Settings>,
    player: (&'static str, &'static [&'static str]),
    playing: Option<Child>,
    /// How much of the story has been heard.
    told: usize,
}

impl Sound {
    pub fn find(settings: Arc<Settings>) -> Result<Sound, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let there = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
        match PLAYERS.into_iter().find(|(name, _)| there(name)) {
            Some(player) => Ok(Sound { settings, player, playing: None, told: 0 }),
            None => Err("none of aplay, paplay, play and ffplay is here to play sounds with".into()),
        }
    }

    /// Plays what the story tells since the last look; the latest prompt only, when several came at once.
    pub fn follow(&mut self, stage: &Stage<Scripted>, paused: bool) {
        let story = stage.story();
        if story.len() < self.told {
            // It went back.
            self.stop();
            self.told = story.len();
        }
        for told in &story[self.told..] {
            match &told.what {
                What::Heard { prompt, language } => {
                    let sound = self.settings.prompts.sound(language, prompt);
                    let file = sound.and_then(|s| self.settings.prompts.files.get(s.0 as usize)).cloned();
                    self.stop();
                    if let Some(file) = file.filter(|_| !paused) {
                        self.play(&file);
                    }
                }
                What::Pressed { .. } | What::Connected { .. } | What::Ended(_) => self.stop(),
                _ => {}
            }
        }
        self.told = story.len();
    }

    fn play(&mut self, file: &Path) {
        let (name, options) = self.player;
        let started = Command::new(name)
            .args(options)
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        // A player that cannot start is heard as silence; the text is on the screen.
        self.playing = started.ok();
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.playing.take() {
            // Ended already, or ends now.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.stop();
    }
}
