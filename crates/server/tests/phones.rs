//! Our own phone and caller against a whole engine.
mod lab;

use engine::StoryLine;
use hotline_server::ua::{Answering, Do, Seen, Ua, Voice};
use lab::{Lab, PATIENCE, end, until};
use std::f64::consts::TAU;
use std::time::Duration;

const AT_ONCE: Answering = Answering::After(Duration::ZERO);

#[test]
fn a_phone_that_refuses_makes_the_caller_hear_busy() {
    let lab = Lab::start();
    let phone = lab.phone("alice", Answering::Refuse(486), Voice::Silence);
    let why = end(&lab.call("alice", ""));
    assert!(why.contains("486"), "{why}");
    until(&phone, |seen| matches!(seen, Seen::Rings { .. }));
}

#[test]
fn a_phone_that_does_not_answer_rings_until_the_caller_gives_up() {
    let lab = Lab::start();
    let phone = lab.phone("alice", Answering::Never, Voice::Silence);
    let caller = lab.call("alice", "");
    until(&caller, |seen| *seen == Seen::Progress { code: 180 });
    until(&phone, |seen| matches!(seen, Seen::Rings { .. }));
    caller.tell(Do::Quit);
    assert_eq!(end(&caller), "hung up here");
    assert_eq!(caller.next(PATIENCE), Some(Seen::Over));
    assert_eq!(end(&phone), "the caller gave up");
}

/// Whoever leaves in the middle of a call says goodbye to the caller and to the registrar.
#[test]
fn a_phone_told_to_quit_hangs_up_and_unregisters() {
    let lab = Lab::start();
    let phone = lab.phone("alice", AT_ONCE, Voice::Silence);
    let caller = lab.call("to-alice", "");
    until(&phone, |seen| *seen == Seen::Answered);
    phone.tell(Do::Quit);
    let mut seen: Vec<Seen> = std::iter::from_fn(|| phone.next(PATIENCE)).collect();
    assert_eq!(seen.pop(), Some(Seen::Over));
    assert!(seen.contains(&Seen::Unregistered), "{seen:?}");
    assert!(seen.iter().any(|s| matches!(s, Seen::Ended { why, .. } if why == "hung up here")), "{seen:?}");
    assert!(!end(&caller).is_empty());
    // Nobody is there now.
    let why = end(&lab.call("alice", ""));
    assert!(why.contains("404"), "{why}");
}

#[test]
fn hold_is_noticed_and_a_voice_is_heard_on_the_other_side() {
    let lab = Lab::start();
    let phone = lab.phone("alice", AT_ONCE, Voice::Tone(700));
    let tone = |i| (8000.0 * (TAU * 1900.0 * f64::from(i) / 8000.0).sin()) as i16;
    let caller = lab.call_with("to-alice", "", false, Voice::Samples((0..8000 * 20).map(tone).collect()));
    until(&phone, |seen| *seen == Seen::Heard);
    assert!(hears(&phone, 1900), "the phone hears the caller's samples");
    assert!(hears(&caller, 700), "the caller hears the phone's tone");
    caller.tell(Do::Hold(true));
    until(&caller, |seen| *seen == Seen::Held { on: true });
    let held =
        |wanted| lab.told.iter().any(|told| matches!(told.line, StoryLine::Held { on, .. } if on == wanted));
    assert!(held(true));
    caller.tell(Do::Hold(false));
    until(&caller, |seen| *seen == Seen::Held { on: false });
    assert!(held(false));
    phone.tell(Do::Press('5'));
    until(&caller, |seen| *seen == Seen::Digit { key: '5' });
    caller.tell(Do::HangUp);
    end(&caller);
    end(&phone);
    assert!(!phone.ear().samples().is_empty());
}

/// Whether it hears this tone within ten seconds.
fn hears(ua: &Ua, hz: u16) -> bool {
    const LOOK: Duration = Duration::from_millis(100);
    (0..100).any(|_| {
        // Nothing else happens meanwhile: this only lets time pass.
        let _ = ua.next(LOOK);
        ua.ear().tone(hz) >= LOOK
    })
}
