//! Stories of calls and registrations between two endpoints.
mod lab;
use hotline_core::Time;
use hotline_sip::*;
use lab::*;
use std::time::Duration;

const BOTH: [Transport; 2] = [Transport::Udp, Transport::Tcp];

fn names(lab: &mut Lab) -> Vec<String> {
    lab.news().iter().map(|(side, event)| format!("{side} {}", name(event))).collect()
}

/// A call that stands: (lab, caller's dialog, called's dialog).
fn answered(transport: Transport) -> (Lab, DialogId, DialogId) {
    let mut lab = Lab::new(transport, 1);
    let caller = lab.call(0, |_| {});
    lab.run(10);
    let called = lab.invited(1);
    lab.act(1, |e, now, out| e.ring(now, called, 180, None, out));
    lab.run(10);
    lab.act(1, |e, now, out| e.accept(now, called, SDP, &[], out));
    lab.run(10);
    assert_eq!(names(&mut lab), ["1 Invite", "0 Progress 180 0", "0 Answered", "1 Acked"]);
    (lab, caller, called)
}

#[test]
fn a_call_is_answered_and_hung_up_by_either_side() {
    for transport in BOTH {
        for side in [0, 1] {
            let (mut lab, caller, called) = answered(transport);
            let dialog = [caller, called][side];
            lab.act(side, |e, now, out| e.hang_up(now, dialog, 200, "done", out));
            lab.act(side, |e, now, out| e.hang_up(now, dialog, 200, "twice", out));
            lab.run(10);
            assert_eq!(
                names(&mut lab),
                [format!("{} Bye", 1 - side), format!("{} Ended", 1 - side), format!("{side} Ended")]
            );
            let (_, _, _, bye) =
                lab.sent.iter().find(|(_, _, line, _)| line.starts_with("BYE")).expect("BYE");
            assert!(String::from_utf8_lossy(bye).contains("Reason: SIP;cause=200;text=\"done\""));
            lab.settle();
            lab.check_over(0);
        }
    }
}

#[test]
fn seven_messages_make_a_call() {
    let (mut lab, caller, _) = answered(Transport::Udp);
    lab.act(0, |e, now, out| e.hang_up(now, caller, 200, "done", out));
    lab.settle();
    assert_eq!(lab.messages(), ["0 INVITE", "1 100", "1 180", "1 200", "0 ACK", "0 BYE", "1 200"]);
    lab.check_over(0);
}

#[test]
fn a_refusal_ends_the_call() {
    for transport in BOTH {
        let mut lab = Lab::new(transport, 1);
        lab.call(0, |_| {});
        lab.run(10);
        let called = lab.invited(1);
        let headers = [("Retry-After".to_owned(), "7".to_owned())];
        lab.act(1, |e, now, out| e.refuse(now, called, 486, &headers, out));
        lab.run(10);
        assert_eq!(names(&mut lab), ["1 Invite", "1 Ended", "0 Refused 486", "0 Ended"]);
        assert!(lab.events.iter().any(|(_, _, e)| matches!(e, Event::Refused { retry_after: Some(7), .. })));
        lab.settle();
        lab.check_over(0);
    }
}

#[test]
fn a_ringing_call_is_cancelled() {
    for transport in BOTH {
        let mut lab = Lab::new(transport, 1);
        let caller = lab.call(0, |_| {});
        // Held back: nobody has said anything yet (RFC 3261 9.1).
        lab.act(0, |e, now, out| e.hang_up(now, caller, 487, "changed my mind", out));
        assert_eq!(lab.messages(), ["0 INVITE"]);
        lab.run(10);
        assert_eq!(names(&mut lab), ["1 Invite", "1 Cancelled", "1 Ended", "0 Refused 487", "0 Ended"]);
        lab.settle();
        assert_eq!(lab.messages(), ["0 INVITE", "1 100", "0 CANCEL", "1 200", "1 487", "0 ACK"]);
        lab.check_over(0);
    }
}

#[test]
fn a_200_that_crosses_our_cancel_is_acknowledged_and_ended() {
    for transport in BOTH {
        let mut lab = Lab::new(transport, 1);
        let caller = lab.call(0, |_| {});
        lab.run(10);
        let called = lab.invited(1);
        lab.act(1, |e, now, out| e.accept(now, called, SDP, &[], out));
        lab.act(0, |e, now, out| e.hang_up(now, caller, 487, "", out));
        lab.run(10);
        let story = names(&mut lab);
        assert!(!story.contains(&"0 Answered".to_owned()), "{story:?}");
        assert_eq!(story.last().map(String::as_str), Some("0 Ended"));
        lab.settle();
        assert!(lab.messages().contains(&"0 BYE".to_owned()));
        lab.check_over(0);
    }
}

#[test]
fn a_call_into_silence_ends_by_itself() {
    for (transport, sent) in [(Transport::Udp, 7), (Transport::Tcp, 1)] {
        let mut lab = Lab::new(transport, 1);
        lab.call(0, |call| call.hop.remote = "192.0.2.77:5060".parse().expect("an address"));
        lab.settle();
        assert_eq!(names(&mut lab), ["0 Refused 408", "0 Ended"]);
        assert_eq!(lab.sent.len(), sent);
        assert_eq!(lab.now, Time::from_secs(33));
        lab.check_over(0);
    }
}

#[test]
fn a_200_is_repeated_until_it_is_given_up() {
    for transport in BOTH {
        let mut lab = Lab::new(transport, 1);
        lab.call(0, |_| {});
        lab.run(10);
        let called = lab.invited(1);
        // From here on nothing reaches the other side any more.
        lab.sides[0] = Endpoint::new(config(), hotline_core::Rng::from_u64(5));
        let start = lab.now;
        lab.act(1, |e, now, out| e.accept(now, called, SDP, &[], out));
        lab.settle();
        let oks: Vec<u128> = lab
            .sent
            .iter()
            .filter(|(_, side, line, _)| *side == 1 && line.starts_with("SIP/2.0 200"))
            .map(|(at, ..)| at.since(start).as_millis())
            .collect();
        assert_eq!(oks, [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        let byes: Vec<u128> = lab
            .sent
            .iter()
            .filter(|(_, _, line, _)| line.starts_with("BYE"))
            .map(|(at, ..)| at.since(start).as_millis())
            .collect();
        assert_eq!(byes.first(), Some(&32_000));
        assert_eq!(names(&mut lab), ["1 Invite", "1 NoAck", "1 Ended"]);
        assert_eq!(lab.sides[1].counts(), Counts::default());
    }
}

#[test]
fn media_moves_both_ways_and_glare_is_resolved() {
    for transport in BOTH {
        let (mut lab, caller, called) = answered(transport);
        lab.act(0, |e, now, out| e.reoffer(now, caller, SDP, out));
        lab.run(10);
        assert_eq!(names(&mut lab), ["1 Offer"]);
        lab.act(1, |e, now, out| e.accept_offer(now, called, SDP, out));
        lab.run(10);
        assert_eq!(names(&mut lab), ["0 OfferAnswered", "1 Acked"]);

        // Both at once: both get 491, and both come through later.
        lab.act(0, |e, now, out| e.reoffer(now, caller, SDP, out));
        lab.act(1, |e, now, out| e.reoffer(now, called, SDP, out));
        let start = lab.now;
        let (mut first, mut story) = (None, Vec::new());
        while lab.now < start + Duration::from_secs(10) {
            lab.run(10);
            for (side, event) in lab.news() {
                if let Event::Offer { dialog, .. } = event {
                    first.get_or_insert(side);
                    lab.act(side, |e, now, out| e.accept_offer(now, dialog, SDP, out));
                }
                story.push(format!("{side} {}", name(&event)));
            }
        }
        assert_eq!(first, Some(0), "who was called tries first");
        assert_eq!(story.iter().filter(|s| s.ends_with("OfferAnswered")).count(), 2, "{story:?}");
        assert_eq!(lab.messages().iter().filter(|m| m.ends_with("491")).count(), 2);
        lab.act(1, |e, now, out| e.hang_up(now, called, 200, "", out));
        lab.settle();
        lab.check_over(0);
    }
}

#[test]
fn an_offer_in_the_200_is_answered_in_the_ack() {
    for transport in BOTH {
        let mut lab = Lab::new(transport, 1);
        let caller = lab.call(0, |call| call.sdp = None);
        lab.run(10);
        let called = lab.invited(1);
        lab.act(1, |e, now, out| e.accept(now, called, SDP, &[], out));
        lab.run(700);
        assert!(!lab.messages().contains(&"0 ACK".to_owned()), "the ACK waits for the answer");
        lab.act(0, |e, now, out| e.ack(now, caller, SDP, out));
        lab.run(2000);
        let news = lab.news();
        assert!(news.iter().any(|(side, e)| *side == 0 && matches!(e, Event::Answered { sdp: Some(_), .. })));
        assert!(news.iter().any(|(side, e)| *side == 1 && matches!(e, Event::Acked { sdp: Some(_), .. })));
        lab.act(1, |e, now, out| e.hang_up(now, called, 200, "", out));
        lab.settle();
        lab.check_over(0);
    }
}

#[test]
fn who_was_called_may_only_hang_up_after_the_ack() {
    let mut lab = Lab::new(Transport::Udp, 1);
    lab.call(0, |_| {});
    lab.run(10);
    let called = lab.invited(1);
    lab.act(1, |e, now, out| e.accept(now, called, SDP, &[], out));
    lab.act(1, |e, now, out| e.hang_up(now, called, 200, "", out));
    lab.settle();
    assert_eq!(lab.messages(), ["0 INVITE", "1 100", "1 200", "0 ACK", "1 BYE", "0 200"]);
    lab.check_over(0);
}

#[test]
fn both_hang_up_at_once() {
    for transport in BOTH {
        let (mut lab, caller, called) = answered(transport);
        lab.act(0, |e, now, out| e.hang_up(now, caller, 200, "", out));
        lab.act(1, |e, now, out| e.hang_up(now, called, 200, "", out));
        lab.settle();
        assert_eq!(lab.messages()[5..], ["0 BYE", "1 BYE", "1 200", "0 200"]);
        lab.check_over(0);
    }
}

#[test]
fn keys_arrive_by_info() {
    let (mut lab, caller, called) = answered(Transport::Udp);
    lab.act(0, |e, now, out| {
        e.info(now, caller, "application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", out)
    });
    lab.act(0, |e, now, out| e.info(now, caller, "text/plain", b"hello", out));
    lab.run(20);
    let news = lab.news();
    assert!(
        matches!(&news[..], [(1, Event::Info { body, .. })] if body.starts_with(b"Signal=5")),
        "{news:?}"
    );
    let codes: Vec<_> = lab.messages()[7..].to_vec();
    assert_eq!(codes, ["1 200", "1 415"]);
    lab.act(1, |e, now, out| e.hang_up(now, called, 200, "", out));
    lab.settle();
    lab.check_over(0);
}

fn account(user: &str, password: &str) -> Account {
    let ha1 = [Algorithm::Sha256, Algorithm::Md5].map(|a| Ha1::new(a, user, "hotline.test", password));
    Account { user: user.into(), ha1: ha1.to_vec() }
}

fn credentials(password: &str) -> Credentials {
    Credentials { user: "1001".into(), password: password.into() }
}

#[test]
fn a_phone_registers_refreshes_and_leaves() {
    for transport in BOTH {
        let mut lab = Lab::new(transport, 1);
        lab.sides[1].set_accounts(vec![account("1001", "secret")]);
        let minutes = Duration::from_secs(120);
        lab.act(0, |e, now, out| {
            e.register(now, hop(transport, 0), "sip:hotline.test", credentials("secret"), minutes, out)
        });
        lab.run(100);
        assert_eq!(names(&mut lab), ["1 Registered 1 false", "0 Registration Ok(120s)"]);
        let contacts = lab.sides[1].contacts(lab.now, "1001");
        assert_eq!(contacts[0].hop, hop(transport, 1));
        lab.run(300_000);
        let refreshed = ["1 RegisteredAgain", "0 Registration Ok(120s)"].repeat(3);
        assert_eq!(names(&mut lab), refreshed, "refreshed, and nothing changed");
        lab.act(0, |e, now, out| e.unregister(now, "1001", out));
        lab.run(100);
        assert_eq!(names(&mut lab), ["1 Registered 0 false", "0 Registration Ok(0ns)"]);
        lab.settle();
        lab.check_over(0);
    }
}

#[test]
fn a_wrong_password_is_refused_and_told() {
    let mut lab = Lab::new(Transport::Udp, 1);
    lab.sides[1].set_accounts(vec![account("1001", "secret")]);
    let minutes = Duration::from_secs(120);
    lab.act(0, |e, now, out| {
        e.register(now, hop(Transport::Udp, 0), "sip:hotline.test", credentials("guess"), minutes, out)
    });
    lab.run(100);
    assert_eq!(names(&mut lab), ["1 AuthFailed", "0 Registration Err(401)"]);
    lab.settle();
    lab.check_over(0);
}

#[test]
fn a_phone_that_vanishes_is_forgotten_in_time() {
    let mut lab = Lab::new(Transport::Udp, 1);
    lab.sides[1].set_accounts(vec![account("1001", "secret")]);
    let minutes = Duration::from_secs(120);
    lab.act(0, |e, now, out| {
        e.register(now, hop(Transport::Udp, 0), "sip:hotline.test", credentials("secret"), minutes, out)
    });
    lab.run(100);
    lab.sides[0] = Endpoint::new(config(), hotline_core::Rng::from_u64(5));
    lab.news();
    lab.run(125_000);
    assert_eq!(names(&mut lab), ["1 Registered 0 true"]);
    lab.settle();
    lab.check_over(0);
}

#[test]
fn a_lost_connection_takes_its_contacts_along() {
    let mut lab = Lab::new(Transport::Tcp, 1);
    lab.sides[1].set_accounts(vec![account("1001", "secret")]);
    let minutes = Duration::from_secs(120);
    lab.act(0, |e, now, out| {
        e.register(now, hop(Transport::Tcp, 0), "sip:hotline.test", credentials("secret"), minutes, out)
    });
    lab.run(100);
    lab.news();
    lab.act(1, |e, now, out| e.transport_failed(now, hop(Transport::Tcp, 1), out));
    assert_eq!(names(&mut lab), ["1 Registered 0 true"]);
}

#[test]
fn a_call_is_challenged_and_proves_itself() {
    for transport in BOTH {
        let mut lab = Lab::new(transport, 1);
        lab.sides[1].set_accounts(vec![account("1001", "secret")]);
        let caller = lab.call(0, |call| call.credentials = Some(credentials("secret")));
        lab.run(10);
        let first = lab.invited(1);
        lab.act(1, |e, now, out| e.challenge(now, first, false, out));
        lab.run(10);
        let second = lab.invited(1);
        assert_ne!(first, second);
        let ok = Auth::Ok { user: "1001".into() };
        assert!(
            lab.events
                .iter()
                .any(|(_, _, e)| matches!(e, Event::Invite { invitation, .. } if invitation.auth == ok))
        );
        lab.act(1, |e, now, out| e.accept(now, second, SDP, &[], out));
        lab.run(10);
        assert_eq!(names(&mut lab), ["1 Invite", "1 Ended", "1 Invite", "0 Answered", "1 Acked"]);
        lab.act(0, |e, now, out| e.hang_up(now, caller, 200, "", out));
        lab.settle();
        lab.check_over(0);
    }
}

#[test]
fn draining_takes_no_new_calls_and_ends_old_ones() {
    let (mut lab, caller, _) = answered(Transport::Udp);
    lab.sides[1].drain();
    lab.call(0, |_| {});
    lab.run(10);
    assert!(
        lab.events
            .iter()
            .any(|(_, _, e)| matches!(e, Event::Refused { code: 503, retry_after: Some(_), .. }))
    );
    lab.act(0, |e, now, out| e.hang_up(now, caller, 200, "", out));
    lab.settle();
    lab.check_over(0);
}
