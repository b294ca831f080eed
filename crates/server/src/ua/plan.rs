use media::Stats;
use std::time::Duration;

/// What a user agent is for.
#[derive(Clone, Debug)]
pub enum Plan {
    Call(CallPlan),
    Phone(PhonePlan),
}

/// One call, placed at once.
#[derive(Clone, Debug)]
pub struct CallPlan {
    pub number: String,
    pub keys: Vec<Key>,
    /// Digits go by SIP INFO instead of telephone-event.
    pub by_info: bool,
    /// Hang up so long after the answer; None: when the other side does.
    pub duration: Option<Duration>,
    pub voice: Voice,
}

/// A phone that registers and waits to be called.
#[derive(Clone, Debug)]
pub struct PhonePlan {
    pub answering: Answering,
    /// Hang up so long after answering; None: when the other side does.
    pub duration: Option<Duration>,
    pub voice: Voice,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answering {
    After(Duration),
    /// With this code: 486 busy, 603 declined.
    Refuse(u16),
    /// Rings and rings.
    Never,
}

/// What the other side hears.
#[derive(Clone, Debug)]
pub enum Voice {
    Silence,
    /// For proofs: who hears this hears this party.
    Tone(u16),
    /// 8 kHz mono, once, from the answer on.
    Samples(Vec<i16>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    Press(char),
    Pause(Duration),
}

/// `1,p2,123456#`: keys, and pauses in seconds (`p0.5`).
pub fn keys(text: &str) -> Result<Vec<Key>, String> {
    const KEYS_MAX: usize = 1000;
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let mut keys = Vec::new();
    for word in words {
        keys.extend(several(word)?);
        if keys.len() > KEYS_MAX {
            return Err(format!("at most {KEYS_MAX} keys"));
        }
    }
    Ok(keys)
}

fn several(word: &str) -> Result<Vec<Key>, String> {
    let wrong = || format!("`{word}` is no key: write 0-9, *, #, A-D, or p2 for a pause of two seconds");
    if let Some(seconds) = word.strip_prefix('p') {
        let seconds: f64 = seconds.parse().map_err(|_| wrong())?;
        return Duration::try_from_secs_f64(seconds)
            .map(|pause| vec![Key::Pause(pause)])
            .map_err(|_| wrong());
    }
    let press = |c: char| match c.to_ascii_uppercase() {
        c @ ('0'..='9' | '*' | '#' | 'A'..='D') => Ok(Key::Press(c)),
        _ => Err(wrong()),
    };
    word.chars().map(press).collect()
}

/// What a person or a test tells a user agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Do {
    Press(char),
    Hold(bool),
    HangUp,
    /// Hang up, unregister, end.
    Quit,
}

/// What happens at a user agent, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Seen {
    Registered {
        expires: Duration,
    },
    /// With the final code.
    NotRegistered {
        code: u16,
    },
    Unregistered,
    /// 1xx to our INVITE.
    Progress {
        code: u16,
    },
    /// Somebody calls this phone.
    Rings {
        from: String,
    },
    Answered,
    /// The first audio packet.
    Heard,
    /// Sent by us.
    Pressed {
        key: char,
    },
    /// Pressed by the other side.
    Digit {
        key: char,
    },
    Held {
        on: bool,
    },
    Ended {
        why: String,
        loud: Duration,
        stats: Option<Box<Stats>>,
    },
    /// Nothing follows.
    Over,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_pauses() {
        let half = Key::Pause(Duration::from_millis(500));
        assert_eq!(keys("1, p0.5,#,a"), Ok(vec![Key::Press('1'), half, Key::Press('#'), Key::Press('A')]));
        assert_eq!(keys("12#"), Ok(vec![Key::Press('1'), Key::Press('2'), Key::Press('#')]));
        assert_eq!(keys(""), Ok(vec![]));
        for bad in ["1x", "x", "p", "p-1", "pinf", "1;2"] {
            assert!(keys(bad).is_err(), "{bad}");
        }
    }
}
