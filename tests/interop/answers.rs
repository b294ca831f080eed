//! Refusals and other answers, each to what asks for it.
use crate::house::*;
use crate::sipp::{PCMA, Scenario, Sipp};

fn refused(code: u16) -> Scenario {
    Scenario::new().invite(PCMA).may(100).expect(code).ack_refusal()
}

#[test]
fn every_refusal_has_its_code() {
    let house = House::open();
    let g729 = PCMA.replace("RTP/AVP 8 101", "RTP/AVP 18").replace("a=rtpmap:8 PCMA/8000\n", "");
    let extension = Scenario::new().invite_with("Require: what-nobody-has\n", PCMA).may(100);
    let strange = Scenario::new().invite_with("Content-Type: text/plain\n", "hello\n").may(100);
    let cases = [
        ("999", refused(404)),
        ("304", refused(486)),
        ("303", Scenario::new().invite(&g729).may(100).expect_with(488, "Warning: 399").ack_refusal()),
        ("303", extension.expect_with(420, "Unsupported: what-nobody-has").ack_refusal()),
        ("303", strange.expect_with(415, "Accept: ").ack_refusal()),
        ("303", Scenario::new().method("OPTIONS").expect_with(200, "Allow: INVITE")),
        ("303", Scenario::new().method("NONSENSE").expect_with(501, "Allow: INVITE")),
        ("303", Scenario::new().method("SUBSCRIBE").expect_with(405, "Allow: INVITE")),
    ];
    let running: Vec<Sipp> =
        cases.iter().map(|(number, scenario)| Sipp::start(&house, number, None, scenario, &[])).collect();
    running.into_iter().for_each(|sipp| sipp.succeeds(&house));
    // A busy flow took the call and leaves a record; what was refused at the door does not.
    assert_eq!(house.record()["cause"], "flow-rejected");
}

#[test]
fn a_full_number_is_busy_and_a_full_node_says_when_to_come_again() {
    let house = House::open_changed(|main| *main = main.replace("calls_max = 40", "calls_max = 2"));
    let stays = Scenario::new().answered().pause(10_000).bye();
    let first = Sipp::start(&house, "305", None, &stays, &[]);
    house.calls(1);
    Sipp::start(&house, "305", None, &refused(486), &[]).succeeds(&house);
    let second = Sipp::start(&house, "306", None, &stays, &[]);
    house.calls(2);
    let full = Scenario::new().invite(PCMA).may(100).expect_with(503, "Retry-After: 7").ack_refusal();
    Sipp::start(&house, "306", None, &full, &[]).succeeds(&house);
    first.succeeds(&house);
    second.succeeds(&house);
    assert_eq!(house.records(2)[0]["cause"], "caller-hung-up");
}
