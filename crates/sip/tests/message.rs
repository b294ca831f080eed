//! Stories about single messages: answers, faults, addresses.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it says")]

use hotline_sip::{Builder, Message, NameAddr, ParseLimits, Uri, Via, split_list};
use std::net::SocketAddr;

const REQUEST: &str = "INVITE sip:a@b SIP/2.0\r\n\
    Via: SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKtop , SIP/2.0/TCP far;branch=z9hG4bK2\r\n\
    v: SIP/2.0/UDP far2;branch=z9hG4bK3\r\n\
    f: <sip:x@y>;tag=theirs\r\n\
    t: <sip:a@b>\r\n\
    i: call\r\n\
    CSeq: 7 INVITE\r\n\
    Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
    Timestamp: 54\r\n\
    l: 0\r\n\r\n";

fn answer(request: &str, code: u16, source: &str) -> String {
    let message = Message::parse(request.as_bytes(), &ParseLimits::default()).unwrap();
    let source: SocketAddr = source.parse().unwrap();
    String::from_utf8(Builder::answer(&message, code, "", Some("ours"), source).finish()).unwrap()
}

#[test]
fn an_answer_goes_back_where_its_request_came_from() {
    let ringing = answer(REQUEST, 180, "198.51.100.7:40000");
    assert_eq!(
        ringing,
        "SIP/2.0 180 Ringing\r\n\
         Via: SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKtop;received=198.51.100.7;rport=40000\r\n\
         Via: SIP/2.0/TCP far;branch=z9hG4bK2\r\n\
         Via: SIP/2.0/UDP far2;branch=z9hG4bK3\r\n\
         From: <sip:x@y>;tag=theirs\r\n\
         To: <sip:a@b>;tag=ours\r\n\
         Call-ID: call\r\n\
         CSeq: 7 INVITE\r\n\
         Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let trying = answer(REQUEST, 100, "198.51.100.7:40000");
    assert!(trying.contains("Timestamp: 54\r\n") && !trying.contains("Record-Route"));
    assert!(!answer(REQUEST, 486, "198.51.100.7:40000").contains("Record-Route"));
    // RFC 3261 18.2.1: `received` unless the address is the one that Via shows; a stale one is replaced.
    let plain = |via: &str| REQUEST.replace("10.0.0.1:5062;rport;", via);
    assert!(
        answer(&plain("198.51.100.7;"), 180, "198.51.100.7:5060")
            .contains("UDP 198.51.100.7;branch=z9hG4bKtop\r\n")
    );
    assert!(
        answer(&plain("phone.lan;"), 180, "198.51.100.7:5060")
            .contains("phone.lan;branch=z9hG4bKtop;received=198.51.100.7\r\n")
    );
    let stale = plain("phone.lan;received=6.6.6.6;rport=1;");
    assert!(
        answer(&stale, 180, "[2001:db8::1]:7")
            .contains("phone.lan;branch=z9hG4bKtop;received=2001:db8::1;rport=7\r\n")
    );
    // A tag that is there stays.
    let tagged = REQUEST.replace("t: <sip:a@b>", "t: <sip:a@b>;tag=old");
    assert!(answer(&tagged, 200, "10.0.0.1:5062").contains("To: <sip:a@b>;tag=old\r\n"));
}

#[test]
fn a_value_cannot_bring_in_a_header() {
    let bytes = Builder::request("OPTIONS", "sip:a\r\nX: 1").header("Subject", "a\r\nEvil: 1\n\nb").finish();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text, "OPTIONS sip:a  X: 1 SIP/2.0\r\nSubject: a  Evil: 1  b\r\nContent-Length: 0\r\n\r\n");
}

/// One change to a good request, the answer it gets and why.
#[test]
fn faults() {
    let long = "x".repeat(70_000);
    let many = "X: y\r\n".repeat(300);
    for (from, to, code, why) in [
        ("SIP/2.0\r\n", "SIP/3.0\r\n", 505, "SIP version is not 2.0"),
        ("sip:a@b SIP", "sip:a@b: SIP", 400, "port is not a number of 0-65535"),
        ("sip:a@b SIP", "sip:a@b:65536 SIP", 400, "port is not a number of 0-65535"),
        ("sip:a@b SIP", "sip:a@ SIP", 400, "host is neither a name nor an address"),
        ("sip:a@b SIP", "sip:a@[::g] SIP", 400, "host in brackets is not an IPv6 address"),
        ("sip:a@b SIP", "1234 SIP", 400, "URI without a scheme"),
        ("i: call\r\n", "", 400, "no Call-ID"),
        ("i: call", "i: call\r\nCall-ID: call", 400, "a header that may stand there once stands there twice"),
        ("i: call", "i: two words", 400, "Call-ID is not a word"),
        ("7 INVITE", "4294967296 INVITE", 400, "CSeq past 32 bits"),
        ("7 INVITE", "7 ACK", 400, "CSeq of another method"),
        ("7 INVITE", "7 invite", 400, "CSeq of another method"),
        ("7 INVITE", "INVITE", 400, "CSeq without a method"),
        ("INVITE sip:a", "DANCE sip:a", 501, "CSeq of another method"),
        (";tag=theirs", ";tag=", 400, "tag is empty or there twice"),
        (";tag=theirs", ";tag=a;tag=b", 400, "tag is empty or there twice"),
        (";tag=theirs", ";tag=two\r\n words", 400, "parameter value of two words"),
        (";tag=theirs", ";tag=theirs;x=a\"b", 400, "parameter value without its closing quote"),
        (";tag=theirs", ";;tag=a", 400, "parameter without a name"),
        ("<sip:x@y>", "\"x\\\" <sip:x@y>", 400, "display name without its closing quote and <URI>"),
        ("f: <sip:x@y>", "f: <sip:x@y", 400, "<URI without its closing bracket"),
        (";branch=z9hG4bKtop", ";branch=a;branch=b", 400, "Via with two branches"),
        ("SIP/2.0/UDP 10", "SIP/2.0/UDP10", 400, "Via without a transport"),
        ("SIP/2.0/UDP 10", "SIP/9.0/UDP 10", 400, "Via of another protocol"),
        (" , SIP/2.0/TCP", " ,, SIP/2.0/TCP", 400, "empty Via"),
        ("l: 0", "l: 1", 400, "body shorter than its Content-Length"),
        ("l: 0", "l: 0x0", 400, "Content-Length is not a number"),
        ("l: 0", "Max-Forwards: many", 400, "Max-Forwards is not a number"),
        ("l: 0", "no colon", 400, "header without a colon"),
        ("l: 0", "two words: 0", 400, "header name is not a token"),
        ("l: 0\r\n\r\n", "l: 0\r\n", 400, "headers without their end"),
        ("l: 0", &format!("X: {long}"), 513, "message too large"),
        ("l: 0\r\n", &many, 513, "too many headers"),
    ] {
        let bad = REQUEST.replacen(from, to, 1);
        assert_ne!(bad, REQUEST, "{from}");
        let fault = Message::parse(bad.as_bytes(), &ParseLimits::default()).expect_err(to);
        assert_eq!((fault.code, fault.why), (code, why));
        assert!(fault.message.is_some() && !fault.is_response, "{why}: not answerable");
    }
    // Nothing to answer: no SIP, no Via, an ACK, a response.
    for bad in [
        "",
        "\r\n\r\n",
        "\0\0\0\0",
        "hello\r\n\r\n",
        "INVITE sip:a@b\r\n\r\n",
        "INVITE sip:a@b SIP/2.0\r\nFrom: <sip:x@y>\r\n\r\n",
        "ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        "SIP/2.0 099 X\r\n\r\n",
        "SIP/2.0 700 X\r\n\r\n",
        "SIP/2.0 1000 X\r\n\r\n",
        "SIP/3.0 200 X\r\n\r\n",
    ] {
        let fault = Message::parse(bad.as_bytes(), &ParseLimits::default()).expect_err(bad);
        assert!(fault.message.is_none(), "{bad:?}");
        assert_eq!(fault.is_response, bad.starts_with("SIP/"), "{bad:?}");
    }
}

/// Blank lines before the start line, bare line feeds, bytes behind the body.
#[test]
fn what_is_forgiven() {
    let limits = ParseLimits::default();
    let body = REQUEST.replace("l: 0\r\n\r\n", "l: 2\r\n\r\nabREST");
    assert_eq!(Message::parse(body.as_bytes(), &limits).unwrap().body(), b"ab");
    let blank = format!("\r\n\n\r\n{REQUEST}");
    assert_eq!(Message::parse(blank.as_bytes(), &limits).unwrap().vias().count(), 3);
    let bare = REQUEST.replace("\r\n", "\n");
    assert_eq!(Message::parse(bare.as_bytes(), &limits).unwrap().cseq().number, 7);
    let big = REQUEST.replace("l: 0", "Expires: 99999999999999999999\r\nMax-Forwards: 4294967296\r\nl: 0");
    let big = Message::parse(big.as_bytes(), &limits).unwrap();
    assert_eq!((big.expires(), big.max_forwards()), (Some(u32::MAX), Some(u32::MAX)));
}

/// RFC 3261 19.1.4, its own examples.
#[test]
fn uris_that_are_equal() {
    let equals = |a: &str, b: &str| {
        let (a, b) = (Uri::parse(a.as_bytes()).unwrap(), Uri::parse(b.as_bytes()).unwrap());
        assert_eq!(a.equals(&b), b.equals(&a), "not symmetric: {a:?} {b:?}");
        a.equals(&b)
    };
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"),
        ("tel:+1-201;ext=5", "TEL:+1-201;ext=5"),
    ] {
        assert!(equals(a, b), "{a} = {b}");
    }
    for (a, b) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "sip:a:pw@b"),
    ] {
        assert!(!equals(a, b), "{a} != {b}");
    }
}

/// What names look like on trunks: UTF-8 and GBK, quoted and not, with a backslash as second byte.
#[test]
fn names_of_any_encoding() {
    for (value, name) in [
        (&b"\xd6\xd0\xb9\xfa <sip:1@h>"[..], &b"\xd6\xd0\xb9\xfa"[..]),
        (b"\"\xd6\xd0\xb9\xfa\" <sip:1@h>", b"\xd6\xd0\xb9\xfa"),
        (b"\"\x81\x5c\" <sip:1@h>;tag=a", b"\x81\x5c"),
        (b"\"\x81\x5c\\\"\" <sip:1@h>;tag=a", b"\x81\x5c\""),
        ("\"\u{e9}\\\"\" <sip:1@h>;tag=a".as_bytes(), "\u{e9}\"".as_bytes()),
        (b"\"\" <sip:1@h>", b""),
        (b"<sip:1@h>", b""),
        (b"sip:1@h", b""),
        (b"\"a, <b>; \\\\\"<sip:1@h>", b"a, <b>; \\"),
        (b"O'Neil  Jr. <sip:1@h>", b"O'Neil  Jr."),
    ] {
        let address = NameAddr::parse(value).unwrap_or_else(|e| panic!("{}: {e}", value.escape_ascii()));
        assert_eq!(&*address.display_name(), name, "{}", value.escape_ascii());
        assert_eq!(address.uri_text, b"sip:1@h");
    }
}

#[test]
fn lists_split_outside_quotes_and_brackets() {
    let split = |text: &'static str| {
        split_list(text.as_bytes()).map(|v| v.escape_ascii().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(split("a, b ,c"), ["a", "b", "c"]);
    assert_eq!(split("\"a, b\" <sip:x,y@z>, <sip:q>"), [r#"\"a, b\" <sip:x,y@z>"#, "<sip:q>"]);
    assert_eq!(split("a,,b,"), ["a", "", "b", ""]);
    assert_eq!(split("\"a\\\", b"), [r#"\"a\\\", b"#]);
    assert_eq!(split(""), [""]);
}

#[test]
fn vias_of_odd_looks() {
    let via =
        Via::parse(b"sip / 2.0 / TLS\t[2001:db8::9]  :  5061 ; maddr = 1.2.3.4 ;ttl=1;rport=99").unwrap();
    assert_eq!((via.transport, via.host, via.port), (&b"TLS"[..], &b"[2001:db8::9]"[..], Some(5061)));
    assert_eq!((via.maddr, via.rport, via.rport_asked), (Some(&b"1.2.3.4"[..]), Some(99), true));
    for bad in [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0/UDP ;a",
        "SIP/2.0/UDP h:x",
        "SIP/2.0/UDP h i",
        "SIP/2.0/UDP h;",
        "SIP/2.0/UDP h;=b",
        // An unclosed quote would swallow the `received` that our answer appends.
        "SIP/2.0/UDP h;branch=z9hG4bK\"",
    ] {
        assert!(Via::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}
