//! Everything that can cross around one offer, in every order of up to four: nothing is rung, bridged or kept for
//! somebody who is gone, and each call has its one record.
mod lab;
use hotline_core::{Cause, LegId, Time};
use hotline_engine::*;
use lab::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    /// BYE, or CANCEL before the answer.
    CallerGone,
    Answer,
    Refuse,
    RingOut,
    /// Her second phone's media, which were slow: they open, or they fail.
    LateOpened,
    LateFailed,
    Pause,
    Unregister,
}
use Event::*;

const EVENTS: [Event; 8] = [CallerGone, Answer, Refuse, RingOut, LateOpened, LateFailed, Pause, Unregister];

/// Every sequence of up to `length` different events.
fn orders(length: usize) -> Vec<Vec<Event>> {
    let mut all = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..length {
        let to = all.len();
        for i in from..to {
            for event in EVENTS {
                if !all[i].contains(&event) {
                    let order: Vec<Event> = all[i].iter().copied().chain([event]).collect();
                    all.push(order);
                }
            }
        }
        from = to;
    }
    all
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Queued,
    Direct,
    DirectAnswered,
}

/// Rung at second 1 on two phones, of which the second one's media do not open yet. From here on, nothing
/// that the engine sends arrives until all events have happened: they cross.
fn offered(kind: Kind) -> (Lab, LegId) {
    let mut settings = settings();
    let flow = match kind {
        Kind::Queued => queue_only(None),
        Kind::Direct => desk(false, false),
        Kind::DirectAnswered => desk(true, false),
    };
    settings.numbers = [number("100", flow)].into_iter().collect();
    let mut lab = Lab::new(settings);
    lab.register("alice");
    lab.register("alice2");
    lab.phone("caller");
    // The caller's own media open at once, hers only when they are let.
    lab.slow_media = true;
    lab.dial("caller", "100");
    for leg in lab.opening() {
        if leg.0 % 256 == 0 {
            let opened = lab.opened(leg);
            lab.media(opened);
        }
    }
    let hers = lab.opening();
    assert_eq!(hers.len(), 2, "two phones");
    let opened = lab.opened(hers[0]);
    lab.media(opened);
    let rung = if lab.phone("alice").dialog.is_some() { "alice" } else { "alice2" };
    lab.ring(rung);
    lab.take();
    lab.held = true;
    (lab, hers[1])
}

fn happen(lab: &mut Lab, event: Event, late: LegId) {
    let rung = if lab.phone("alice").dialog.is_some() { "alice" } else { "alice2" };
    match event {
        CallerGone => lab.hang_up("caller"),
        Answer => lab.answer(rung),
        Refuse => lab.refuse(rung, 486),
        RingOut => {
            let at = Time::from_secs(21).max(lab.now);
            // Only the engine's clock: what the phones would send meanwhile is another story.
            while let Some(next) = lab.engine.deadline().map(|d| d.at).filter(|next| *next <= at) {
                lab.now = next.max(lab.now);
                lab.wake();
            }
            lab.now = at;
        }
        LateOpened if lab.opening().contains(&late) => {
            let opened = lab.opened(late);
            lab.media(opened);
        }
        LateFailed if lab.opening().contains(&late) => lab.fails(late),
        LateOpened | LateFailed => {}
        Pause => {
            let agent = "alice".to_owned();
            lab.operate(Command::AgentPause { agent, reason: "lunch".into(), by: "test".into() });
        }
        Unregister => {
            lab.unregister("alice");
            lab.unregister("alice2");
        }
    }
}

#[test]
fn every_order_of_up_to_four_events() {
    let all = orders(4);
    assert_eq!(all.len(), 1 + 8 + 8 * 7 + 8 * 7 * 6 + 8 * 7 * 6 * 5);
    let mut connected = 0;
    for kind in [Kind::Queued, Kind::Direct, Kind::DirectAnswered] {
        // Direct rings share most of their way with queues: three events are enough there.
        let longest = if kind == Kind::Queued { 4 } else { 3 };
        for order in all.iter().filter(|order| order.len() <= longest) {
            let (mut lab, late) = offered(kind);
            for event in order {
                happen(&mut lab, *event, late);
            }
            let seen = lab.take();
            let count = |what: &str| seen.iter().filter(|line| line.starts_with(what)).count();
            let story = || format!("{kind:?} {order:?}: {seen:#?}");
            let place = |event| order.iter().position(|e| *e == event).unwrap_or(usize::MAX);
            // The first of these decides.
            let ends = [CallerGone, RingOut, Pause, Unregister, Refuse].map(place);
            let first_end = ends.into_iter().min().unwrap_or(usize::MAX);
            let answered = place(Answer) < first_end;
            assert_eq!(count("connected"), usize::from(answered), "{}", story());
            connected += usize::from(answered);
            if place(CallerGone) != usize::MAX {
                assert!(count("bridge") <= usize::from(place(Answer) < place(CallerGone)), "{}", story());
                assert_eq!(count("call-ended"), 1, "{}", story());
            }
            if !answered && first_end != usize::MAX && place(Refuse) != first_end {
                // Whatever rings is told to stop: the phone that rings, or nothing at all is rung any more.
                assert!(count("alice CANCEL") + count("alice2 CANCEL") >= 1, "{}", story());
            }
            // Afterwards all is delivered, people hang up, and nothing is left.
            lab.held = false;
            lab.settle();
            lab.pass(lab::S);
            for name in ["caller", "alice", "alice2"] {
                if lab.phone(name).dialog.is_some() {
                    lab.hang_up(name);
                }
            }
            for leg in lab.opening() {
                lab.fails(leg);
            }
            lab.slow_media = false;
            lab.pass(lab::S);
            lab.hang_up("caller");
            lab.nothing_left(1);
            let state = lab.agent_state("alice");
            let expected = match (place(Unregister), place(Pause)) {
                (usize::MAX, usize::MAX) => "ready",
                (usize::MAX, _) => "paused (lunch)",
                _ => "offline",
            };
            assert_eq!(state, expected, "{kind:?} {order:?}");
            let record = &lab.records[0];
            let joined = record.legs.iter().filter(|leg| leg.party == "alice" && leg.answered.is_some());
            assert!(joined.count() <= 2, "{record:#?}");
            assert_ne!(record.cause, Cause::Internal);
        }
    }
    assert!(connected > 300, "{connected}");
}
