//! Who hears whom: the engine and its media in virtual time, a tone for each party and each prompt, and a
//! spectrum at every ear.

mod house;

use house::{House, Party};

/// Callers and agents say these, prompts play those; no two are harmonics of each other.
const CALLER: u16 = 440;
const AGENT: u16 = 620;
const WELCOME: u16 = 510;
const MUSIC: u16 = 730;
const BYE: u16 = 970;
const ALL: [u16; 7] = [CALLER, AGENT, WELCOME, MUSIC, BYE, 1150, 1310];

const NOBODY: [u16; 0] = [];

/// The tones that stand out of what somebody heard, in order.
fn tones(samples: &[i16]) -> Vec<u16> {
    // Goertzel under a Hann window, over 50 ms at a time: 70 Hz beside a tone it is 60 dB down.
    let hann = |i: usize| 1.0 - (std::f64::consts::TAU * i as f64 / 400.0).cos();
    let level = |hz: u16| -> f64 {
        let (mut sum, mut windows) = (0.0, 0.0);
        for window in samples.chunks_exact(400) {
            let coefficient = 2.0 * (std::f64::consts::TAU * f64::from(hz) / 8000.0).cos();
            let (mut s1, mut s2) = (0.0, 0.0);
            for (i, sample) in window.iter().enumerate() {
                let s0 = hann(i) * f64::from(*sample) / 32768.0 + coefficient * s1 - s2;
                (s2, s1) = (s1, s0);
            }
            sum += s1 * s1 + s2 * s2 - coefficient * s1 * s2;
            windows += 1.0;
        }
        if windows == 0.0 {
            f64::NEG_INFINITY
        } else {
            10.0 * (sum / windows / (200.0 * 200.0) + 1e-12).log10()
        }
    };
    ALL.into_iter().filter(|hz| level(*hz) > -35.0).collect()
}

/// What a party hears during the next second and a half, after half a second for things to settle.
fn hears(house: &mut House, party: Party) -> Vec<u16> {
    house.run_ms(500);
    let from = house.heard(party).len();
    house.run_ms(1500);
    tones(&house.heard(party)[from..])
}

#[test]
fn one_call_from_welcome_to_goodbye() {
    for (caller_codec, agent_codec) in [
        (sdp::Codec::Pcma, sdp::Codec::Pcma),
        (sdp::Codec::Pcmu, sdp::Codec::Pcma),
        (sdp::Codec::Pcma, sdp::Codec::Pcmu),
    ] {
        let mut house = House::new();
        let agent = house.agent("alice", agent_codec, AGENT);
        house.run_ms(1000);
        let caller = house.call("100", caller_codec, CALLER);
        assert_eq!(hears(&mut house, caller), [WELCOME], "the prompt, and nothing else");
        house.answers(agent, false);
        house.press(caller, "1");
        assert_eq!(hears(&mut house, caller), [MUSIC], "in the queue");
        assert_eq!(hears(&mut house, agent), NOBODY, "an agent whose phone rings hears nobody");
        house.answers(agent, true);
        house.run_ms(200);
        assert_eq!(hears(&mut house, caller), [AGENT], "the agent, and no music any more");
        assert_eq!(hears(&mut house, agent), [CALLER]);

        house.hold(agent, true);
        assert_eq!(hears(&mut house, caller), [MUSIC], "held by the agent");
        house.hold(agent, false);
        assert_eq!(hears(&mut house, caller), [AGENT], "taken back");
        assert_eq!(hears(&mut house, agent), [CALLER]);

        house.hang_up(agent);
        assert_eq!(hears(&mut house, caller), [BYE], "the flow goes on when the agent leaves");
        let ear = house.heard(agent).len();
        house.run_ms(1000);
        assert_eq!(house.heard(agent).len(), ear, "nothing is sent to a phone that hung up");
        house.run_ms(8000);
        let record = house.one_record();
        assert_eq!(record.cause, hotline_core::Cause::FlowEnded);
        assert_eq!(record.legs.len(), 2);
        for leg in &record.legs {
            let media = leg.media.as_ref().expect("both legs had media");
            assert!(media.packets_sent > 100 && media.packets_received > 100, "{leg:?}");
            assert_eq!((media.packets_lost, media.packets_refused), (0, 0), "{leg:?}");
        }
        house.is_quiet();
    }
}

#[test]
fn two_calls_at_once_stay_apart() {
    let mut house = House::new();
    let alice = house.agent("alice", sdp::Codec::Pcma, AGENT);
    let bob = house.agent("bob", sdp::Codec::Pcmu, 1150);
    house.run_ms(1000);
    let first = house.call("100", sdp::Codec::Pcma, CALLER);
    house.run_ms(700);
    house.press(first, "1");
    house.run_ms(700);
    let second = house.call("100", sdp::Codec::Pcma, 1310);
    house.run_ms(700);
    house.press(second, "1");
    house.run_ms(2000);
    assert_eq!(hears(&mut house, first), [AGENT]);
    assert_eq!(hears(&mut house, second), [1150]);
    assert_eq!(hears(&mut house, alice), [CALLER]);
    assert_eq!(hears(&mut house, bob), [1310]);
    house.hang_up(first);
    house.run_ms(500);
    assert_eq!(hears(&mut house, second), [1150], "the other call goes on");
    assert_eq!(hears(&mut house, alice), NOBODY);
}

#[test]
fn an_echo_is_ones_own_voice() {
    let mut house = House::new();
    let caller = house.call("200", sdp::Codec::Pcmu, CALLER);
    assert_eq!(hears(&mut house, caller), [CALLER]);
}

#[test]
fn early_media_is_heard_before_the_answer() {
    let mut house = House::new();
    let caller = house.call("300", sdp::Codec::Pcma, CALLER);
    assert_eq!(hears(&mut house, caller), [WELCOME]);
    assert!(!house.is_answered(caller), "183, not 200");
    house.run_ms(4000);
    assert_eq!(house.final_code(caller), Some(486));
    house.run_ms(1000);
    assert_eq!(house.one_record().cause, hotline_core::Cause::FlowRejected(486));
}

#[test]
fn a_caller_on_hold_does_not_hear_the_agent_and_keys_reach_the_agents_phone() {
    let mut house = House::new();
    let agent = house.agent("alice", sdp::Codec::Pcma, AGENT);
    house.run_ms(1000);
    let caller = house.call("100", sdp::Codec::Pcma, CALLER);
    house.run_ms(700);
    house.answers(agent, false);
    house.press(caller, "1");
    house.run_ms(1000);
    house.answers(agent, true);
    house.run_ms(1500);
    house.press(caller, "7#");
    house.run_ms(1000);
    assert_eq!(house.keys(agent), "7#", "keys go over the bridge");
    house.hold(caller, true);
    assert_eq!(hears(&mut house, agent), [MUSIC], "the one who waits hears music");
    assert_eq!(hears(&mut house, caller), NOBODY, "who holds hears nothing");
    house.hold(caller, false);
    assert_eq!(hears(&mut house, agent), [CALLER]);
    house.hang_up(caller);
    house.run_ms(1000);
    assert_eq!(house.one_record().cause, hotline_core::Cause::CallerHungUp);
}
