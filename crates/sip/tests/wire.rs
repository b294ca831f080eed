//! What the endpoint answers by itself: the messages of RFC 4475 with their verdicts, and refusals as a table.
mod lab;
use hotline_core::{Outbox, Rng, Time};
use hotline_sip::*;
use lab::{SDP, address, config, hop};
use std::path::Path;

/// Sends one message at a fresh endpoint whose user accepts each call; what comes back.
fn answers(bytes: &[u8], config: EndpointConfig) -> Vec<String> {
    let mut endpoint = Endpoint::new(config, Rng::from_u64(3));
    tell(&mut endpoint, bytes)
}

fn tell(endpoint: &mut Endpoint, bytes: &[u8]) -> Vec<String> {
    let (mut out, mut sent) = (Outbox::new(), Vec::new());
    endpoint.receive(Time::from_secs(1), hop(Transport::Udp, 1), bytes, &mut out);
    while !out.is_empty() {
        for output in out.take() {
            match output {
                Output::Send { bytes, .. } => sent.push(String::from_utf8_lossy(&bytes).into_owned()),
                Output::Event(Event::Invite { dialog, .. }) => {
                    endpoint.accept(Time::from_secs(1), dialog, SDP, &[], &mut out);
                }
                Output::Event(_) => {}
            }
        }
    }
    sent
}

fn code(message: &str) -> u16 {
    message[8..11].parse().expect("a status line")
}

/// Name, final codes that may come (empty: none may), whether silence is fine too.
enum May {
    Only(&'static [u16]),
    AnyBut(&'static [u16]),
    Silence,
}
use May::{AnyBut, Only, Silence};

/// RFC 4475 as `manifest.json` reads it: `wire`, `any_but`, `response`; an `either` may be taken or get its 400.
const FINE: May = AnyBut(&[400, 408, 500, 503, 505]);
const TAKEN_OR_400: May = AnyBut(&[408, 500, 503, 505]);
const REGISTER: May = Only(&[200, 401, 403, 404, 405, 501]);
const TORTURE: [(&str, May); 49] = [
    ("wsinv", FINE),
    ("intmeth", Only(&[501])),
    ("esc01", FINE),
    ("escnull", FINE),
    ("esc02", Only(&[501])),
    ("lwsdisp", FINE),
    ("longreq", FINE),
    ("dblreq", FINE),
    ("semiuri", FINE),
    ("transports", FINE),
    ("mpart01", FINE),
    ("unreason", Silence),
    ("noreason", Silence),
    ("badinv01", Only(&[400])),
    ("clerr", Only(&[400])),
    ("ncl", Only(&[400])),
    ("scalar02", Only(&[400])),
    ("scalarlg", Silence),
    ("quotbal", TAKEN_OR_400),
    ("ltgtruri", TAKEN_OR_400),
    ("lwsruri", TAKEN_OR_400),
    ("lwsstart", TAKEN_OR_400),
    ("trws", TAKEN_OR_400),
    ("escruri", TAKEN_OR_400),
    ("baddate", TAKEN_OR_400),
    ("regbadct", TAKEN_OR_400),
    ("badaspec", TAKEN_OR_400),
    ("baddn", TAKEN_OR_400),
    ("badvers", Only(&[505])),
    ("mismatch01", Only(&[400])),
    ("mismatch02", Only(&[501])),
    ("bigcode", Silence),
    ("badbranch", TAKEN_OR_400),
    ("insuf", Only(&[400])),
    ("unkscm", Only(&[416])),
    ("novelsc", Only(&[416])),
    ("unksm2", Only(&[400])),
    ("bext01", Only(&[420])),
    ("invut", Only(&[415])),
    ("regaut01", REGISTER),
    ("multi01", Only(&[400])),
    ("mcl01", Only(&[400])),
    ("bcast", Silence),
    ("zeromf", Only(&[200])),
    ("cparam01", REGISTER),
    ("cparam02", REGISTER),
    ("regescrt", REGISTER),
    ("sdp01", Only(&[406])),
    ("inv2543", FINE),
];

#[test]
fn torture_messages_get_their_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture/rfc4475");
    for (name, may) in TORTURE {
        let bytes = std::fs::read(folder.join(format!("{name}.dat"))).expect(name);
        let finals: Vec<u16> =
            answers(&bytes, config()).iter().map(|m| code(m)).filter(|c| *c >= 200).collect();
        match (may, &finals[..]) {
            (Silence, []) => {}
            (Only(codes), [code]) => assert!(codes.contains(code), "{name}: {code}"),
            (AnyBut(codes), [code]) => assert!(!codes.contains(code), "{name}: {code}"),
            (Silence | Only(_) | AnyBut(_), finals) => panic!("{name}: {finals:?}"),
        }
    }
}

const HEAD: &str = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport\r\nMax-Forwards: 70\r\n\
     From: <sip:peer@hotline.test>;tag=peer\r\nCall-ID: wire\r\nContact: <sip:peer@192.0.2.1>\r\n";

fn message(method: &str, uri: &str, more: &str, body: &str) -> String {
    let to = if more.contains("To:") { "" } else { "To: <sip:100@hotline.test>\r\n" };
    format!(
        "{method} {uri} SIP/2.0\r\n{HEAD}{to}CSeq: 5 {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn refusals_have_the_right_code_and_say_why() {
    const HERE: &str = "sip:100@192.0.2.2";
    const STRANGER: &str = "To: <sip:100@hotline.test>;tag=nobody\r\n";
    for (method, uri, more, body, expected, header) in [
        ("SUBSCRIBE", HERE, "", "", 405, "Allow: INVITE, ACK, CANCEL, BYE"),
        ("MESSAGE", HERE, "Content-Type: text/plain\r\n", "hi", 405, "Allow: "),
        ("DANCE", HERE, "", "", 501, "Allow: "),
        ("INVITE", HERE, "Content-Type: text/plain\r\n", "hi", 415, "Accept: application/sdp"),
        (
            "INVITE",
            HERE,
            "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n",
            "hi",
            415,
            "Accept-Encoding: identity",
        ),
        (
            "INVITE",
            HERE,
            "Content-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n",
            "hi",
            200,
            "",
        ),
        ("INVITE", HERE, "Accept: text/plain\r\n", "", 406, "Accept: application/sdp"),
        ("INVITE", "im:100@192.0.2.2", "", "", 416, ""),
        ("INVITE", "tel:+861012345", "", "", 200, "Contact: <sip:+861012345@192.0.2.2:5060>"),
        ("INVITE", HERE, "Require: 100rel, timer\r\n", "", 420, "Unsupported: 100rel, timer"),
        ("OPTIONS", HERE, "Require: foo\r\n", "", 420, "Unsupported: foo"),
        ("INVITE", HERE, STRANGER, "", 481, ""),
        ("BYE", HERE, STRANGER, "", 481, ""),
        ("BYE", HERE, "", "", 481, ""),
        ("INFO", HERE, "", "", 481, ""),
        ("UPDATE", HERE, STRANGER, "", 481, ""),
        ("CANCEL", HERE, "", "", 481, ""),
        ("OPTIONS", HERE, "", "", 200, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE"),
        ("REGISTER", "sip:hotline.test", "", "", 401, "WWW-Authenticate: Digest realm=\"hotline.test\""),
    ] {
        let sent = answers(message(method, uri, more, body).as_bytes(), config());
        let last = sent.last().unwrap_or_else(|| panic!("{method} {uri} {more}: silence"));
        assert_eq!(code(last), expected, "{method} {uri} {more}");
        assert!(last.contains(header), "{method} {uri} {more}: {last}");
        assert!(last.contains("rport=5060") && last.contains("Server: hotline/test"), "{last}");
        assert!(code(last) < 200 || last.contains("To: <sip:100@hotline.test>;tag="), "{last}");
    }
    assert!(
        answers(message("ACK", HERE, STRANGER, "").as_bytes(), config()).is_empty(),
        "ACK is never answered"
    );
}

#[test]
fn both_digest_algorithms_are_offered_the_strong_one_first() {
    let sent = answers(message("REGISTER", "sip:hotline.test", "", "").as_bytes(), config());
    let sha = sent[0].find("algorithm=SHA-256").expect("SHA-256");
    let md5 = sent[0].find("algorithm=MD5").expect("MD5");
    assert!(sha < md5);
    assert_eq!(sent[0].matches("WWW-Authenticate:").count(), 2);
}

#[test]
fn limits_are_answered_with_503() {
    for limits in [Limits { dialogs: 0, ..config().limits }, Limits { transactions: 0, ..config().limits }] {
        let sent = answers(
            message("INVITE", "sip:1@192.0.2.2", "", "").as_bytes(),
            EndpointConfig { limits, ..config() },
        );
        assert_eq!(sent.iter().map(|m| code(m)).collect::<Vec<_>>(), [503]);
        assert!(sent[0].contains("Retry-After: "));
    }
    let limits = Limits { message_bytes: 200, ..config().limits };
    let sent = answers(
        message("INVITE", "sip:1@192.0.2.2", "", "").as_bytes(),
        EndpointConfig { limits, ..config() },
    );
    assert_eq!(code(&sent[0]), 513);
}

#[test]
fn a_request_that_comes_by_two_ways_is_taken_once() {
    let mut endpoint = Endpoint::new(config(), Rng::from_u64(3));
    let invite = message("INVITE", "sip:1@192.0.2.2", "", "");
    assert_eq!(tell(&mut endpoint, invite.as_bytes()).len(), 2);
    let merged = tell(&mut endpoint, invite.replace("z9hG4bKx", "z9hG4bKy").as_bytes());
    assert_eq!(merged.iter().map(|m| code(m)).collect::<Vec<_>>(), [482]);
    assert!(tell(&mut endpoint, invite.as_bytes()).is_empty(), "the same again is absorbed");
}

#[test]
fn requests_within_a_dialog_keep_their_order() {
    let mut endpoint = Endpoint::new(config(), Rng::from_u64(3));
    let ok = tell(&mut endpoint, message("INVITE", "sip:1@192.0.2.2", "", "").as_bytes());
    let at = ok[1].find(";tag=").expect("our tag");
    let to = ok[1].split("\r\n").find(|l| l.starts_with("To:")).expect("To");
    assert!(at > 0);
    let within = |method: &str, seq: u32| {
        message(method, "sip:1@192.0.2.2", &format!("{to}\r\n"), "")
            .replace("CSeq: 5", &format!("CSeq: {seq}"))
            .replace("z9hG4bKx", &format!("z9hG4bK{method}{seq}"))
    };
    let mut codes =
        |text: String| tell(&mut endpoint, text.as_bytes()).iter().map(|m| code(m)).collect::<Vec<_>>();
    assert_eq!(codes(within("INFO", 9)), [200]);
    assert_eq!(codes(within("INFO", 8)), [500]);
    assert_eq!(codes(within("OPTIONS", 10)), [200]);
    assert_eq!(codes(within("UPDATE", 11)), [200], "without an offer it only moves the target");
    assert_eq!(codes(within("INVITE", 12)), [491], "our offer in the 200 has no answer yet");
    // The first re-INVITE found our offer open; the next ones come while the peer's own is being decided.
    assert_eq!(codes(within("ACK", 5)), [0u16; 0]);
    assert_eq!(codes(within("INVITE", 13)), [100]);
    assert_eq!(codes(within("INVITE", 14)), [500]);
    assert_eq!(codes(within("BYE", 15)), [200, 487]);
    assert_eq!(codes(within("BYE", 16)), [481]);
}

#[test]
fn responses_go_back_to_the_source() {
    // Via, source, where the response goes.
    for (via, source, back) in [
        ("10.0.0.7:5062;rport", "192.0.2.1:40000", "192.0.2.1:40000"),
        ("192.0.2.1:5062;rport", "192.0.2.1:40000", "192.0.2.1:40000"),
        // It says where it listens, and is what it says.
        ("192.0.2.1:5062", "192.0.2.1:40000", "192.0.2.1:5062"),
        ("192.0.2.1", "192.0.2.1:40000", "192.0.2.1:5060"),
        // Behind NAT the port it names is not the port we can reach.
        ("10.0.0.7:5062", "192.0.2.1:40000", "192.0.2.1:40000"),
        ("phone.example", "192.0.2.1:40000", "192.0.2.1:40000"),
    ] {
        let mut endpoint = Endpoint::new(config(), Rng::from_u64(3));
        let text =
            message("OPTIONS", "sip:192.0.2.2", "", "").replace("192.0.2.1:5060;branch=z9hG4bKx;rport", via);
        let text = text.replacen(via, &format!("{via};branch=z9hG4bKx"), 1);
        let hop =
            Hop { transport: Transport::Udp, local: address(1), remote: source.parse().expect("address") };
        let mut out = Outbox::new();
        endpoint.receive(Time::ZERO, hop, text.as_bytes(), &mut out);
        match &out.take()[..] {
            [Output::Send { hop, bytes }] => {
                assert_eq!(hop.remote.to_string(), back, "{via}");
                let text = String::from_utf8_lossy(bytes);
                assert_eq!(text.contains("rport=40000"), via.contains("rport"), "{text}");
                assert_eq!(
                    text.contains("received=192.0.2.1"),
                    !via.starts_with("192.0.2.1") || via.contains("rport")
                );
            }
            other => panic!("{via}: {other:?}"),
        }
    }
}
