//! What a call costs: bounds far above what is measured, so that only a change of kind fails.
mod lab;
use hotline_sip::*;
use lab::{Lab, SDP};

#[test]
fn a_thousand_calls_at_once_come_and_go() {
    let mut lab = Lab::new(Transport::Udp, 1);
    let calls: Vec<DialogId> = (0..1_000).map(|_| lab.call(0, |_| {})).collect();
    lab.run(10);
    for (_, event) in lab.news() {
        if let Event::Invite { dialog, .. } = event {
            lab.act(1, |e, now, out| e.accept(now, dialog, SDP, &[], out));
        }
    }
    lab.run(10);
    assert_eq!(lab.sides.each_ref().map(|e| e.counts().dialogs), [1_000, 1_000]);
    for call in calls {
        lab.act(0, |e, now, out| e.hang_up(now, call, 200, "", out));
    }
    // No message goes twice on a wire that loses none: 6 a call without the 180.
    lab.settle();
    assert_eq!(lab.sent.len(), 6_000);
    lab.check_over(1);
}
