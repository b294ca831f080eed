//! Callers: SIPp, baresip and linphone dial the numbers.
use crate::baresip::Baresip;
use crate::ear::Ear;
use crate::house::*;
use crate::sipp::{Scenario, Sipp};
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
