//! What goes wrong on the way: calls given up in every phase, crossing messages, lost and doubled datagrams.
use crate::baresip::Baresip;
use crate::ear::Ear;
use crate::house::*;
use crate::relay::{Faults, Relay};
use crate::sipp::{PCMA, Scenario, Sipp};

fn cancelled(phase: Scenario) -> Scenario {
    phase.cancel().may(180).may(183).expect(200).expect(487).ack_refusal()
}

#[test]
fn cancel_before_ringing_is_heard_of() {
    let house = House::open();
    let call = cancelled(Scenario::new().invite(PCMA).expect(100));
    Sipp::start(&house, "302", None, &call, &[]).succeeds(&house);
    assert_eq!(house.record()["cause"], "caller-cancelled");
}

#[test]
fn cancel_during_early_media_ends_it() {
    let house = House::open();
    let ear = Ear::saying(house.guest(), CALLER);
    let call = cancelled(Scenario::new().invite(PCMA).may(100).expect(183).pause(1_000));
    let sipp = Sipp::start(&house, "301", Some(&ear), &call, &[]);
    ear.hears(EARLY);
    sipp.succeeds(&house);
    assert_eq!(house.record()["cause"], "caller-cancelled");
}

#[test]
fn cancel_while_an_agent_rings_stops_the_ringing() {
    let house = House::open();
    let alice = Baresip::agent(&house, "alice", "manual", ALICE);
    let call = cancelled(Scenario::new().invite(PCMA).may(100).expect(180).pause(2_000));
    let sipp = Sipp::start(&house, "300", None, &call, &[]);
    alice.event("CALL_INCOMING");
    sipp.succeeds(&house);
    alice.event("CALL_CLOSED");
    assert_eq!(house.record()["cause"], "caller-cancelled");
    house.agent_is("alice", "ready");
}

#[test]
fn bye_while_queued_stops_the_ringing() {
    let house = House::open();
    let alice = Baresip::agent(&house, "alice", "manual", ALICE);
    let ear = Ear::saying(house.guest(), CALLER);
    let sipp = Sipp::start(&house, "200", Some(&ear), &Scenario::new().answered().pause(2_000).bye(), &[]);
    alice.event("CALL_INCOMING");
    ear.hears(MUSIC);
    sipp.succeeds(&house);
    alice.event("CALL_CLOSED");
    let record = house.record();
    assert_eq!(
        (&record["cause"], &record["queues"][0]["outcome"]),
        (&"caller-hung-up".into(), &"abandoned".into())
    );
    house.agent_is("alice", "ready");
}

#[test]
fn cancel_after_the_answer_changes_nothing() {
    let house = House::open();
    let call = Scenario::new().invite(PCMA).may(100).expect(200).cancel().expect(200).ack().pause(500).bye();
    Sipp::start(&house, "306", None, &call, &[]).succeeds(&house);
    assert_eq!(house.record()["cause"], "caller-hung-up");
}

#[test]
fn byes_that_cross_end_the_call_once() {
    let house = House::open();
    let call = Scenario::new().answered().byes_cross();
    Sipp::start(&house, "307", None, &call, &[]).succeeds(&house);
    house.record();
}

#[test]
fn a_200_that_is_never_acknowledged_is_repeated_for_32_s_and_then_hung_up() {
    let house = House::open();
    let call = Scenario::new().invite(PCMA).may(100).expect(200).hung_up();
    let sipp = Sipp::start(&house, "306", None, &call, &[]);
    let messages = sipp.log();
    sipp.succeeds(&house);
    let answers = crate::process::text(&messages).matches("SIP/2.0 200 OK\r\nVia").count();
    assert!((10..=13).contains(&answers), "0, 0.5, 1.5, 3.5, then each 4 s: 11, and our own: {answers}");
    assert_eq!(house.record()["cause"], "no-ack");
}

/// 20 calls through a bad network: each ends and leaves one record, whatever was lost.
fn calls_through(faults: Faults, seed: u64) {
    let house = House::open();
    let relay = Relay::start(&house, faults, seed);
    let contact = relay.at.to_string();
    let call = Scenario::new().answered().hung_up();
    let options = ["-m", "20", "-r", "5", "-key", "contact", &contact, "-max_retrans", "12"];
    let mut sipp = Sipp::start_at(&house, relay.at, "307", None, &call, &options);
    sipp.wait(std::time::Duration::from_secs(100));
    for record in house.records(20) {
        let cause = record["cause"].as_str().unwrap_or_default();
        assert!(
            ["flow-ended", "caller-hung-up", "no-ack", "caller-cancelled"].contains(&cause),
            "{record:#?}"
        );
    }
}

#[test]
fn thirty_percent_loss_on_the_signalling_and_every_call_ends_with_its_record() {
    calls_through(Faults { lost: 30, ..Faults::default() }, 4711);
}

#[test]
fn doubled_and_overtaken_datagrams_change_nothing() {
    calls_through(Faults { doubled: 40, late: 25, ..Faults::default() }, 42);
}
