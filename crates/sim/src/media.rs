//! Media threads without media: ports open and close, prompts take their time, keys come through.

use crate::day::Violation;
use crate::plan::Faults;
use engine::Prompts;
use hotline_core::{CallId, LegId, PlayId, Rng, Time, TimerQueue};
use media::{Command, Direction, Event, Piece};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The address of the engine's media.
const HOST: [u8; 4] = [10, 0, 0, 1];

#[derive(Default, Debug)]
struct Leg {
    remote: Option<SocketAddr>,
    bridged_to: Option<LegId>,
    direction: Option<Direction>,
    /// Plays over and over: music.
    music: bool,
    closing: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Due {
    Opened(LegId),
    Played(LegId, PlayId),
    Closed(LegId),
}

#[derive(Debug)]
pub(crate) struct Media {
    legs: BTreeMap<LegId, Leg>,
    playing: BTreeMap<LegId, PlayId>,
    timers: TimerQueue<Due>,
    prompts: Arc<Prompts>,
    next_port: u16,
    /// How often the caller of a call was joined with somebody.
    bridges: BTreeMap<CallId, u32>,
}

impl Media {
    pub fn new(prompts: Arc<Prompts>) -> Media {
        Media {
            legs: BTreeMap::new(),
            playing: BTreeMap::new(),
            timers: TimerQueue::new(),
            prompts,
            next_port: 10_000,
            bridges: BTreeMap::new(),
        }
    }

    pub fn command(&mut self, now: Time, command: Command, faults: Option<&Faults>, rng: &mut Rng) {
        let quick = Duration::from_micros(200);
        match command {
            Command::Open { leg, .. } => {
                let stalled = faults.is_some_and(|f| rng.chance(f.media_stall));
                let takes = if stalled { Duration::from_secs(10) } else { quick };
                self.timers.set(Due::Opened(leg), now + takes, "a port opens");
            }
            Command::Connect { leg, format } => {
                if let Some(row) = self.legs.get_mut(&leg) {
                    (row.remote, row.direction) = (Some(format.remote), Some(format.direction));
                }
            }
            Command::Play { leg, play, pieces, repeat } => {
                self.stop(leg);
                if let Some(row) = self.legs.get_mut(&leg) {
                    row.music = repeat;
                }
                if self.legs.contains_key(&leg) && !repeat {
                    let length = pieces.iter().map(|piece| self.length(piece)).sum::<Duration>();
                    self.timers.set(Due::Played(leg, play), now + length, "a prompt ends");
                    self.playing.insert(leg, play);
                }
            }
            Command::Stop { leg } => self.stop(leg),
            Command::Bridge { a, b } => {
                *self.bridges.entry(CallId(a.0 / 256)).or_default() += 1;
                for (one, other) in [(a, b), (b, a)] {
                    if let Some(row) = self.legs.get_mut(&one) {
                        row.bridged_to = Some(other);
                    }
                }
            }
            Command::Unbridge { a, b } => {
                for one in [a, b] {
                    if let Some(row) = self.legs.get_mut(&one) {
                        row.bridged_to = None;
                    }
                }
            }
            Command::Close { leg } => {
                self.stop(leg);
                if let Some(row) = self.legs.get_mut(&leg) {
                    row.closing = true;
                }
                self.timers.cancel(&Due::Opened(leg));
                self.timers.set(Due::Closed(leg), now + quick, "a port closes");
            }
            _ => {}
        }
    }

    fn stop(&mut self, leg: LegId) {
        if let Some(row) = self.legs.get_mut(&leg) {
            row.music = false;
        }
        if let Some(play) = self.playing.remove(&leg) {
            self.timers.cancel(&Due::Played(leg, play));
        }
    }

    fn length(&self, piece: &Piece) -> Duration {
        match piece {
            Piece::Sound(sound) => self.prompts.lengths[sound.0 as usize],
            Piece::Silence(length) | Piece::Tone { length, .. } => *length,
        }
    }

    pub fn next(&self) -> Option<Time> {
        self.timers.deadline().map(|d| d.at)
    }

    pub fn due(&mut self, now: Time) -> Option<Event> {
        match self.timers.pop_due(now)? {
            Due::Opened(leg) => {
                self.next_port = if self.next_port >= 19_990 { 10_000 } else { self.next_port + 2 };
                let address = SocketAddr::from((HOST, self.next_port));
                self.legs.insert(leg, Leg::default());
                Some(Event::Opened { leg, address })
            }
            Due::Played(leg, play) => {
                self.playing.remove(&leg);
                Some(Event::Played { leg, play })
            }
            Due::Closed(leg) => {
                self.legs.remove(&leg);
                Some(Event::Closed { leg, stats: Box::default() })
            }
        }
    }

    /// A party at this media address presses a key.
    pub fn key(&self, from: SocketAddr, digit: char) -> Option<Event> {
        self.leg_at(from).map(|leg| Event::Digit { leg, digit })
    }

    /// Nothing comes from this address any more.
    pub fn silence(&self, from: SocketAddr) -> Option<Event> {
        self.leg_at(from).map(|leg| Event::Silent { leg, since: Duration::from_secs(60) })
    }

    /// Whom the party at this address hears.
    pub fn hears(&self, from: SocketAddr) -> Option<SocketAddr> {
        let leg = self.legs.get(&self.leg_at(from)?)?;
        self.legs.get(&leg.bridged_to?)?.remote
    }

    fn leg_at(&self, remote: SocketAddr) -> Option<LegId> {
        self.legs.iter().find(|(_, leg)| leg.remote == Some(remote)).map(|(id, _)| *id)
    }

    pub fn bridges(&self, call: CallId) -> u32 {
        self.bridges.get(&call).copied().unwrap_or(0)
    }

    /// What holds between two steps of the engine.
    pub fn check(&self) -> Result<(), Violation> {
        for (id, leg) in self.legs.iter().filter(|(_, leg)| !leg.closing) {
            let Some(peer) = leg.bridged_to else { continue };
            let Some(other) = self.legs.get(&peer).filter(|p| p.bridged_to == Some(*id) && !p.closing) else {
                return Err(Violation::new(format!("{id} is still joined with {peer}, who is gone")));
            };
            if leg.remote.is_none() || other.remote.is_none() {
                return Err(Violation::new(format!("{id} and {peer} are joined before both can be heard")));
            }
            let holds = matches!(other.direction, Some(Direction::RecvOnly | Direction::Inactive));
            if self.playing.contains_key(id) || leg.music != holds {
                let music = if leg.music { "music" } else { "no music" };
                return Err(Violation::new(format!(
                    "{id} talks to {peer}, who holds: {holds}, and hears {music}, prompt {:?}",
                    self.playing.get(id)
                )));
            }
        }
        Ok(())
    }

    pub fn is_idle(&self) -> bool {
        self.legs.is_empty() && self.timers.is_empty()
    }
}
