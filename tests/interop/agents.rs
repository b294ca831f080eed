//! Agents: baresip and linphone register, answer, refuse, ring out, hang up and leave.
use crate::baresip::Baresip;
use crate::ear::Ear;
use crate::house::*;
use crate::linphone::Linphone;
use crate::sipp::{Scenario, Sipp};

/// Waits in the queue until answered and left by the agent; then the flow says goodbye and hangs up.
fn waits_until_left() -> Scenario {
    Scenario::new().answered().hung_up()
}

fn dial(house: &House, number: &str, scenario: &Scenario) -> (Ear, Sipp) {
    let ear = Ear::saying(house.guest(), CALLER);
    let sipp = Sipp::start(house, number, Some(&ear), scenario, &[]);
    (ear, sipp)
}

#[test]
fn baresip_answers_talks_and_hangs_up_first_and_the_flow_goes_on() {
    let house = House::open();
    let alice = Baresip::agent(&house, "alice", "auto", ALICE);
    let (ear, sipp) = dial(&house, "200", &waits_until_left());
    ear.hears(ALICE);
    alice.hears(CALLER);
    alice.tell("hangup", "");
    ear.hears(GOODBYE);
    sipp.succeeds(&house);
    let record = house.record();
    assert_eq!(path(&record), ["start", "goodbye", "bye"]);
    assert_eq!((&record["cause"], &record["agent"]), (&"flow-ended".into(), &"alice".into()));
    assert_eq!(record["legs"][1]["cause"], "agent-hung-up");
}

#[test]
fn linphone_answers_talks_and_hangs_up_first_and_the_flow_goes_on() {
    let house = House::open();
    let mut bob = Linphone::agent(&house, "bob", BOB);
    let (ear, sipp) = dial(&house, "200", &waits_until_left());
    house.agent_is("bob", "offered");
    bob.says("incoming call");
    bob.tell("answer");
    ear.hears(BOB);
    bob.hears(CALLER);
    bob.tell("terminate");
    ear.hears(GOODBYE);
    sipp.succeeds(&house);
    let record = house.record();
    assert_eq!((&record["cause"], &record["agent"]), (&"flow-ended".into(), &"bob".into()));
}

#[test]
fn who_does_not_answer_or_refuses_rests_and_the_next_agent_is_rung() {
    let house = House::open();
    let alice = Baresip::agent(&house, "alice", "manual", ALICE);
    let mut bob = Linphone::agent(&house, "bob", BOB);
    let (ear, sipp) = dial(&house, "200", &waits_until_left());
    // Alice has been idle for longer; she rings out, bob declines with 603, then she is rung again.
    house.agent_is("alice", "offered");
    house.agent_is("bob", "offered");
    bob.says("incoming call");
    bob.tell("terminate");
    alice.rings_again(2);
    alice.tell("hangup", "");
    bob.says("assigned id 2");
    bob.tell("answer");
    ear.hears(BOB);
    bob.hears(CALLER);
    bob.tell("terminate");
    sipp.succeeds(&house);
    let record = house.record();
    assert_eq!(record["agent"], "bob");
    let legs = record["legs"].as_array().expect("legs").clone();
    let causes: Vec<&str> = legs[1..].iter().filter_map(|leg| leg["cause"].as_str()).collect();
    assert_eq!(causes, ["rang-out", "refused", "refused", "agent-hung-up"], "{legs:#?}");
}

#[test]
fn wrong_passwords_are_refused_and_the_agent_stays_offline() {
    let house = House::open();
    let alice = Baresip::start(&house, "alice", "wrong", "regint=60", ALICE);
    let bob = Linphone::start(&house, "bob", Some("wrong"), BOB);
    bob.says("failed");
    crate::process::wait_for("baresip's refusal", || alice.log().contains("401 Unauthorized").then_some(()));
    house.agent_is("alice", "offline");
    house.agent_is("bob", "offline");
    assert_eq!(house.show("registrations").as_array().map(Vec::len), Some(0));
}

#[test]
fn linphone_unregisters_while_it_rings_and_the_caller_goes_on_to_another_agent() {
    let house = House::open();
    let mut bob = Linphone::agent(&house, "bob", BOB);
    let (ear, sipp) = dial(&house, "200", &waits_until_left());
    bob.says("incoming call");
    bob.tell("unregister");
    house.agent_is("bob", "offline");
    ear.hears(MUSIC);
    let alice = Baresip::agent(&house, "alice", "auto", ALICE);
    ear.hears(ALICE);
    alice.hears(CALLER);
    alice.tell("hangup", "");
    sipp.succeeds(&house);
    let record = house.record();
    assert_eq!((&record["agent"], &record["cause"]), (&"alice".into(), &"flow-ended".into()));
    house.agent_is("bob", "offline");
}
