//! The prompts of a dialled flow through the machine's speaker, by whichever player is there.

use crate::speaker::Player;
use engine::Settings;
use rehearsal::{Scripted, Stage, What};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;

pub(super) struct Sound {
    settings: Arc<Settings>,
    player: Player,
    playing: Option<Child>,
    /// How much of the story has been heard.
    told: usize,
}

impl Sound {
    pub fn find(settings: Arc<Settings>) -> Result<Sound, String> {
        Ok(Sound { settings, player: Player::find()?, playing: None, told: 0 })
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
        // A player that cannot start is heard as silence; the text is on the screen.
        self.playing = self.player.start(file).ok();
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
