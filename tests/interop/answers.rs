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
fn a_number_at_its_limit_answers_503_with_retry_after() {
    let house = House::open();
    let first = Sipp::start(&house, "305", None, &Scenario::new().answered().pause(6_000).bye(), &[]);
    house.calls(1);
    let second = Scenario::new().invite(PCMA).may(100).expect_with(503, "Retry-After: 7").ack_refusal();
    Sipp::start(&house, "305", None, &second, &[]).succeeds(&house);
    first.succeeds(&house);
    assert_eq!(house.record()["cause"], "caller-hung-up");
}
