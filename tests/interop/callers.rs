//! Callers: SIPp, baresip and linphone dial the numbers.
use crate::baresip::Baresip;
use crate::ear::Ear;
use crate::house::*;
use crate::linphone::Linphone;
use crate::sipp::{self, PCMA, Scenario, Sipp};
use crate::sound::heard_ms;

#[test]
fn sipp_hears_a_prompt_and_talks_with_baresip_both_ways_until_it_hangs_up() {
    let house = House::open();
    let alice = Baresip::agent(&house, "alice", "manual", ALICE);
    let ear = Ear::saying(house.guest(), CALLER);
    let call = Scenario::new().answered().pause(4_000).info('1').pause(6_000).bye();
    let sipp = Sipp::start(&house, "100", Some(&ear), &call, &[]);
    ear.hears(WELCOME);
    ear.hears(CHOOSE);
    ear.hears(MUSIC);
    alice.event("CALL_INCOMING");
    house.agent_is("alice", "offered");
    alice.tell("accept", "");
    ear.hears(ALICE);
    alice.hears(CALLER);
    house.agent_is("alice", "talking");
    sipp.succeeds(&house);
    alice.event("CALL_CLOSED");
    let record = house.record();
    assert_eq!(path(&record), ["start", "choose", "team"]);
    assert_eq!((&record["cause"], &record["agent"]), (&"caller-hung-up".into(), &"alice".into()));
    assert_eq!(record["digits"], "1");
    assert_eq!(heard_ms(&ear.heard(), CALLER), 0, "nobody hears himself");
    house.agent_is("alice", "ready");
}

#[test]
fn baresip_presses_a_key_by_rfc_4733_and_talks_with_linphone_both_ways() {
    let house = House::open();
    let mut bob = Linphone::agent(&house, "bob", BOB);
    let caller = Baresip::caller(&house, CALLER);
    caller.dial(&house, "100");
    caller.hears(CHOOSE);
    caller.press("1");
    house.agent_is("bob", "offered");
    bob.says("incoming call");
    bob.tell("answer");
    caller.hears(BOB);
    bob.hears(CALLER);
    caller.tell("hangup", "");
    let record = house.record();
    assert_eq!(path(&record), ["start", "choose", "team"]);
    assert_eq!((&record["cause"], &record["agent"]), (&"caller-hung-up".into(), &"bob".into()));
    assert!(heard_ms(&caller.heard(), WELCOME) >= 400, "the welcome was heard");
}

#[test]
fn linphone_calls_presses_a_key_and_talks_with_baresip_both_ways() {
    let house = House::open();
    let alice = Baresip::agent(&house, "alice", "auto", ALICE);
    let mut caller = Linphone::start(&house, "13900139000", None, CALLER);
    caller.dial(&house, "100");
    caller.hears(CHOOSE);
    caller.tell("1");
    caller.hears(ALICE);
    alice.hears(CALLER);
    caller.tell("terminate");
    let record = house.record();
    assert_eq!(path(&record), ["start", "choose", "team"]);
    assert_eq!((&record["cause"], &record["agent"]), (&"caller-hung-up".into(), &"alice".into()));
}

#[test]
fn sipp_presses_a_key_by_rfc_4733_from_a_capture() {
    let house = House::open();
    let media = sipp::own_media();
    let call = Scenario::new().invite(&media).may(100).expect(200).ack().pause(2_500);
    let call = call.play("dtmf_2833_5.pcap").hung_up();
    Sipp::start(&house, "100", None, &call, &[]).succeeds(&house);
    let record = house.record();
    assert_eq!((path(&record), &record["digits"]), (vec!["start", "choose", "goodbye", "bye"], &"5".into()));
}

#[test]
fn a_call_held_by_re_invite_gives_the_agent_music_and_comes_back() {
    let house = House::open();
    let alice = Baresip::agent(&house, "alice", "auto", ALICE);
    let ear = Ear::saying(house.guest(), CALLER);
    let call = Scenario::new().answered().pause(4_000).reinvite(&sipp::hold()).pause(4_000);
    let call = call.reinvite(&sipp::resume()).pause(5_000).bye();
    let sipp = Sipp::start(&house, "200", Some(&ear), &call, &[]);
    ear.hears(ALICE);
    alice.hears(CALLER);
    alice.hears(MUSIC);
    alice.hears(CALLER);
    ear.forget();
    ear.hears(ALICE);
    sipp.succeeds(&house);
    assert_eq!(house.record()["cause"], "caller-hung-up");
}

#[test]
fn a_call_without_an_offer_gets_one_hears_the_prompts_and_itself() {
    let house = House::open();
    let ear = Ear::saying(house.guest(), CALLER);
    let call = Scenario::new().invite("").may(100).expect_with(200, "m=audio").ack_with(PCMA);
    let call = call.pause(2_500).info('2').pause(5_000).bye();
    let sipp = Sipp::start(&house, "100", Some(&ear), &call, &[]);
    ear.hears(CHOOSE);
    ear.hears(CALLER);
    sipp.succeeds(&house);
    assert_eq!(house.record()["cause"], "caller-hung-up");
}

#[test]
fn early_media_is_heard_before_the_answer_over_tcp() {
    let house = House::open();
    let ear = Ear::saying(house.guest(), CALLER);
    let call = Scenario::new().invite(PCMA).may(100).expect(183).expect(200).ack().hung_up();
    let sipp = Sipp::start(&house, "301", Some(&ear), &call, &["-t", "t1"]);
    ear.hears(EARLY);
    ear.hears(GOODBYE);
    sipp.succeeds(&house);
    assert_eq!(house.record()["cause"], "flow-ended");
}

#[test]
fn ipv6_callers_hear_themselves_over_udp_and_tcp() {
    let house = House::open_v6();
    for transport in ["u1", "t1"] {
        let ear = Ear::saying(house.at.ip(), CALLER);
        let call = Scenario::new().answered().pause(3_000).bye();
        let sipp = Sipp::start(&house, "303", Some(&ear), &call, &["-t", transport]);
        ear.hears(CALLER);
        sipp.succeeds(&house);
    }
    for record in house.records(2) {
        assert_eq!(record["cause"], "caller-hung-up");
    }
}
