//! Calls over a wire that loses, doubles and reorders: each ends cleanly on both sides, nothing remains.
mod lab;
use hotline_core::{Rng, Time};
use hotline_sip::*;
use lab::*;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug)]
enum Act {
    Call { offer: bool },
    Ring(DialogId),
    Accept(DialogId),
    Refuse(DialogId),
    Ack(DialogId),
    HangUp(DialogId),
    Reoffer(DialogId),
    AnswerOffer(DialogId, bool),
    Info(DialogId),
    Break,
}

/// What two careless users do, drawn from a seed.
struct Day {
    lab: Lab,
    rng: Rng,
    plan: BTreeMap<(Time, u64), (usize, Act)>,
    serial: u64,
}

impl Day {
    fn soon(&mut self, side: usize, within_ms: u64, act: Act) {
        self.serial += 1;
        let at = self.lab.now + Duration::from_millis(self.rng.below(within_ms));
        self.plan.insert((at, self.serial), (side, act));
    }

    fn do_it(&mut self, side: usize, act: Act) {
        let lab = &mut self.lab;
        match act {
            Act::Call { offer } => {
                let dialog = lab.call(side, |call| {
                    if !offer {
                        call.sdp = None;
                    }
                });
                self.soon(side, 40_000, Act::HangUp(dialog));
            }
            Act::Ring(d) => lab.act(side, |e, now, out| e.ring(now, d, 180, None, out)),
            Act::Accept(d) => lab.act(side, |e, now, out| e.accept(now, d, SDP, &[], out)),
            Act::Refuse(d) => lab.act(side, |e, now, out| e.refuse(now, d, 486, &[], out)),
            Act::Ack(d) => lab.act(side, |e, now, out| e.ack(now, d, SDP, out)),
            Act::HangUp(d) => lab.act(side, |e, now, out| e.hang_up(now, d, 200, "enough", out)),
            Act::Reoffer(d) => lab.act(side, |e, now, out| e.reoffer(now, d, SDP, out)),
            Act::AnswerOffer(d, true) => lab.act(side, |e, now, out| e.accept_offer(now, d, SDP, out)),
            Act::AnswerOffer(d, false) => lab.act(side, |e, now, out| e.refuse_offer(now, d, 488, out)),
            Act::Info(d) => {
                lab.act(side, |e, now, out| e.info(now, d, "application/dtmf-relay", b"Signal=1", out))
            }
            Act::Break => {
                let hop = hop(lab.transport, side);
                lab.act(side, |e, now, out| e.transport_failed(now, hop, out));
            }
        }
    }

    fn react(&mut self) {
        for (side, event) in self.lab.news() {
            match event {
                Event::Invite { dialog, .. } => {
                    self.soon(side, 3_000, Act::Ring(dialog));
                    match self.rng.below(4) {
                        0 => self.soon(side, 5_000, Act::Refuse(dialog)),
                        1 => {}
                        _ => self.soon(side, 5_000, Act::Accept(dialog)),
                    }
                    self.soon(side, 60_000, Act::HangUp(dialog));
                }
                Event::Answered { dialog, .. } => {
                    self.soon(side, 2_000, Act::Ack(dialog));
                    self.soon(side, 10_000, Act::Reoffer(dialog));
                    self.soon(side, 10_000, Act::Info(dialog));
                }
                Event::Acked { dialog, .. } => self.soon(side, 10_000, Act::Reoffer(dialog)),
                Event::Offer { dialog, .. } => {
                    let accept = self.rng.chance(0.8);
                    self.soon(side, 3_000, Act::AnswerOffer(dialog, accept));
                }
                _ => {}
            }
        }
    }

    fn run(seed: u64, transport: Transport) -> Lab {
        let mut rng = Rng::from_u64(seed ^ 0xda7);
        let mut lab = Lab::new(transport, seed);
        lab.faults = match seed % 3 {
            0 => Faults { loss: 0.3, duplicate: 0.0, delay_ms_max: 1 },
            1 => Faults { loss: 0.3, duplicate: 0.3, delay_ms_max: 400 },
            _ => Faults { loss: rng.unit() * 0.6, duplicate: rng.unit(), delay_ms_max: 1 + rng.below(3_000) },
        };
        let mut day = Day { lab, rng, plan: BTreeMap::new(), serial: 0 };
        for _ in 0..6 {
            let (side, offer) = (day.rng.below(2) as usize, day.rng.chance(0.7));
            day.soon(side, 20_000, Act::Call { offer });
        }
        if seed.is_multiple_of(7) {
            let side = day.rng.below(2) as usize;
            day.soon(side, 60_000, Act::Break);
        }
        let mut steps = 0;
        loop {
            day.react();
            let next = day.plan.first_key_value().map_or(Time::NEVER, |((at, _), _)| *at);
            if !day.lab.step(next) {
                let Some(((at, _), (side, act))) = day.plan.pop_first() else { break };
                day.lab.now = at;
                day.do_it(side, act);
            }
            steps += 1;
            assert!(steps < 100_000, "seed {seed}: it never ends");
        }
        day.lab
    }
}

#[test]
fn every_call_ends_on_a_bad_wire() {
    let (mut answered, mut acked) = (0, 0);
    for seed in 0..400 {
        let lab = Day::run(seed, Transport::Udp);
        lab.check_over(seed);
        answered += lab.events.iter().filter(|(_, _, e)| matches!(e, Event::Answered { .. })).count();
        acked += lab.events.iter().filter(|(_, _, e)| matches!(e, Event::Acked { .. })).count();
    }
    // The days are not empty: of 2,400 calls about half are meant to be answered.
    assert!(answered > 600 && acked > 600, "{answered} answered, {acked} acknowledged");
}

#[test]
fn every_call_ends_on_a_stream() {
    for seed in 0..100 {
        Day::run(seed, Transport::Tcp).check_over(seed);
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in [1, 2] {
        let (a, b) = (Day::run(seed, Transport::Udp), Day::run(seed, Transport::Udp));
        let bytes =
            |lab: &Lab| lab.sent.iter().map(|(at, side, _, b)| (*at, *side, b.clone())).collect::<Vec<_>>();
        assert_eq!(bytes(&a), bytes(&b));
    }
}
