//! RFC 3264 and RFC 4317 examples and the ways real phones differ, as tables.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
use hotline_sdp::{Codec, Description, Direction, Error, Local, Negotiated, accept, answer, offer};
use std::net::SocketAddr;

fn local(address: &str) -> Local {
    Local {
        address: address.parse().unwrap(),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        telephone_event: true,
        ptime_ms: 20,
        session: 7,
        version: 1,
        direction: Direction::SendRecv,
    }
}

fn v4() -> Local {
    local("198.51.100.1:40000")
}

fn sdp(lines: &str) -> Description {
    Description::parse(text(lines).as_bytes()).unwrap()
}

/// A whole description from the lines that matter, `|` between them.
fn text(lines: &str) -> String {
    let head = "v=0|o=alice 2890844526 2890844526 IN IP4 host.anywhere.com|s=-|t=0 0|";
    format!("{head}{lines}|").replace('|', "\r\n")
}

const C: &str = "c=IN IP4 192.0.2.9";

fn agreed(lines: &str) -> Negotiated {
    answer(&sdp(&format!("{C}|{lines}")), &v4()).unwrap().1
}

fn answered(lines: &str) -> String {
    String::from_utf8(answer(&sdp(&format!("{C}|{lines}")), &v4()).unwrap().0).unwrap()
}

fn m_lines(printed: &str) -> Vec<&str> {
    printed.lines().filter(|l| l.starts_with("m=")).collect()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn our_offer_line_by_line() {
    let printed = String::from_utf8(offer(&v4())).unwrap();
    let expected = "v=0|o=- 7 1 IN IP4 198.51.100.1|s=-|c=IN IP4 198.51.100.1|t=0 0|\
        m=audio 40000 RTP/AVP 8 0 101|a=rtpmap:8 PCMA/8000|a=rtpmap:0 PCMU/8000|\
        a=rtpmap:101 telephone-event/8000|a=fmtp:101 0-16|a=ptime:20|a=sendrecv|";
    assert_eq!(printed, expected.replace('|', "\r\n"));
}

#[test]
fn our_answer_line_by_line() {
    let printed = answered(
        "m=audio 49170 RTP/AVP 0 8 97 96|a=rtpmap:97 iLBC/8000|a=rtpmap:96 telephone-event/8000|a=fmtp:96 0-15",
    );
    let expected = "v=0|o=- 7 1 IN IP4 198.51.100.1|s=-|c=IN IP4 198.51.100.1|t=0 0|\
        m=audio 40000 RTP/AVP 8 96|a=rtpmap:8 PCMA/8000|\
        a=rtpmap:96 telephone-event/8000|a=fmtp:96 0-15|a=ptime:20|a=sendrecv|";
    assert_eq!(printed, expected.replace('|', "\r\n"));
}

#[test]
fn all_that_is_negotiated() {
    let n = agreed("m=audio 49170 RTP/AVP 0 8 101|a=rtpmap:101 telephone-event/8000|a=rtcp:53020|a=rtcp-mux");
    let expected = Negotiated {
        remote: address("192.0.2.9:49170"),
        remote_rtcp: address("192.0.2.9:53020"),
        codec: Codec::Pcma,
        payload_type_out: 8,
        payload_type_in: 8,
        dtmf_out: Some(101),
        dtmf_in: Some(101),
        ptime_ms: 20,
        direction: Direction::SendRecv,
        rtcp_mux: false,
    };
    assert_eq!(n, expected);
}

#[test]
fn codecs() {
    // (m= formats and attributes; codec, payload type, telephone-event)
    let table: &[(&str, Codec, u8, Option<u8>)] = &[
        ("0", Codec::Pcmu, 0, None),
        ("8", Codec::Pcma, 8, None),
        ("0 8", Codec::Pcma, 8, None), // our order, not theirs
        ("0|a=rtpmap:0 pcmu/8000/1", Codec::Pcmu, 0, None),
        ("98|a=rtpmap:98 PCMA/8000", Codec::Pcma, 98, None),
        ("98 8|a=rtpmap:98 PCMA/8000", Codec::Pcma, 98, None),
        ("8 0|a=rtpmap:8 G722/8000", Codec::Pcmu, 0, None), // mapped anew: taken at its word
        ("0 8|a=rtpmap:8 PCMA/16000", Codec::Pcmu, 0, None),
        ("0 8|a=rtpmap:8 PCMA/8000/2", Codec::Pcmu, 0, None),
        ("0 8|a=rtpmap:8", Codec::Pcma, 8, None), // broken rtpmap of a static type
        ("0 0 0 8 300 x -1", Codec::Pcma, 8, None),
        ("0 101|a=rtpmap:101 telephone-event/8000", Codec::Pcmu, 0, Some(101)),
        ("0 101|a=rtpmap:101 TELEPHONE-EVENT/8000", Codec::Pcmu, 0, Some(101)),
        ("0 101|a=rtpmap:101 telephone-event/48000", Codec::Pcmu, 0, None),
        (
            "0 110 101|a=rtpmap:110 telephone-event/48000|a=rtpmap:101 telephone-event/8000",
            Codec::Pcmu,
            0,
            Some(101),
        ),
        ("0|a=rtpmap:101 telephone-event/8000", Codec::Pcmu, 0, None), // mapped but not listed
    ];
    for (formats, codec, payload_type, dtmf) in table {
        let n = agreed(&format!("m=audio 4000 RTP/AVP {formats}"));
        assert_eq!((n.codec, n.payload_type_in, n.payload_type_out), (*codec, *payload_type, *payload_type));
        assert_eq!((n.dtmf_in, n.dtmf_out), (*dtmf, *dtmf), "{formats}");
    }
}

#[test]
fn events_answered_are_those_offered() {
    for (fmtp, ours) in [
        ("", "0-15"),
        ("|a=fmtp:101 0-15", "0-15"),
        ("|a=fmtp:101 0-16", "0-16"),
        ("|a=fmtp:101 0-11,16", "0-16"),
        ("|a=fmtp:101 0-255", "0-16"),
        ("|a=fmtp:96 0-16", "0-15"),
        ("|a=fmtp:101 nonsense", "0-15"),
    ] {
        let printed =
            answered(&format!("m=audio 4000 RTP/AVP 0 101|a=rtpmap:101 telephone-event/8000{fmtp}"));
        assert!(printed.contains(&format!("a=fmtp:101 {ours}\r\n")), "{fmtp}: {printed}");
    }
}

#[test]
fn without_telephone_event_none_is_answered() {
    let theirs = sdp(&format!("{C}|m=audio 4000 RTP/AVP 0 101|a=rtpmap:101 telephone-event/8000"));
    let (printed, n) = answer(&theirs, &Local { telephone_event: false, ..v4() }).unwrap();
    assert_eq!((n.dtmf_in, n.dtmf_out), (None, None));
    assert!(!String::from_utf8(printed).unwrap().contains("telephone-event"));
}

#[test]
fn directions_and_hold() {
    use Direction::*;
    // (session level, media level, connection of the media; what we want; ours, and the attribute answered)
    let table: &[(&str, &str, Direction, Direction)] = &[
        ("", "", SendRecv, SendRecv),
        ("", "|a=sendonly", SendRecv, RecvOnly),
        ("", "|a=recvonly", SendRecv, SendOnly),
        ("", "|a=inactive", SendRecv, Inactive),
        ("|a=sendonly", "", SendRecv, RecvOnly),
        ("|a=inactive", "|a=sendrecv", SendRecv, SendRecv), // the media level counts
        ("", "|a=sendonly|a=sendrecv", SendRecv, RecvOnly), // the first counts
        ("", "", SendOnly, SendOnly),                       // we hold
        ("", "|a=sendonly", SendOnly, Inactive),            // both hold
        ("", "", Inactive, Inactive),
        ("", "|c=IN IP4 0.0.0.0", SendRecv, RecvOnly), // hold of RFC 2543
        ("", "|c=IN IP6 ::", SendRecv, RecvOnly),
        ("", "|c=IN IP4 0.0.0.0|a=inactive", SendRecv, Inactive),
        ("", "|c=IN IP4 0.0.0.0|a=recvonly", SendRecv, Inactive),
    ];
    for (session, media, want, ours) in table {
        let theirs = sdp(&format!("{C}{session}|m=audio 4000 RTP/AVP 0{media}"));
        let (printed, n) = answer(&theirs, &Local { direction: *want, ..v4() }).unwrap();
        assert_eq!(n.direction, *ours, "{session} {media} {want:?}");
        let attribute = format!("a={}\r\n", ours.as_str());
        assert!(String::from_utf8(printed).unwrap().ends_with(&attribute), "{session} {media} {want:?}");
        // The same words as an answer to our offer.
        assert_eq!(accept(&Local { direction: *want, ..v4() }, &theirs).unwrap().direction, *ours);
    }
    let held = agreed("m=audio 4000 RTP/AVP 0|c=IN IP4 0.0.0.0|a=rtcp:5000 IN IP4 192.0.2.77");
    assert_eq!(held.remote, address("0.0.0.0:4000"));
    assert_eq!(held.remote_rtcp, address("0.0.0.0:5000"));
}

#[test]
fn rtcp_addresses() {
    for (attributes, expected) in [
        ("", "192.0.2.9:4001"),
        ("|a=rtcp-mux", "192.0.2.9:4001"), // offered, not accepted
        ("|a=rtcp:5000", "192.0.2.9:5000"),
        ("|a=rtcp:5000 IN IP4 192.0.2.77", "192.0.2.77:5000"),
        ("|a=rtcp:5000 IN IP6 2001:db8::1", "192.0.2.9:5000"), // not reachable from here
        ("|a=rtcp:5000 IN IP4 224.1.1.1", "192.0.2.9:5000"),
        ("|a=rtcp:5000 IN IP4 host.example", "192.0.2.9:5000"),
        ("|a=rtcp:0", "192.0.2.9:4001"),
        ("|a=rtcp:nonsense", "192.0.2.9:4001"),
    ] {
        assert_eq!(
            agreed(&format!("m=audio 4000 RTP/AVP 0{attributes}")).remote_rtcp,
            address(expected),
            "{attributes}"
        );
        assert!(!answered(&format!("m=audio 4000 RTP/AVP 0{attributes}")).contains("rtcp"));
    }
    assert_eq!(agreed("m=audio 65535 RTP/AVP 0").remote_rtcp, address("192.0.2.9:65535"));
}

#[test]
fn packet_lengths() {
    for (attributes, ms) in [
        ("", 20),
        ("|a=ptime:20", 20),
        ("|a=ptime:30", 20),
        ("|a=ptime:40", 40),
        ("|a=ptime:60", 60),
        ("|a=ptime:2000", 60),
        ("|a=ptime:10", 20),
        ("|a=ptime:0", 20),
        ("|a=ptime:20.0", 20),
        ("|a=ptime:4294967296", 20),
        ("|a=maxptime:150", 20),
        ("|a=ptime:60|a=maxptime:40", 40),
        ("|a=ptime:60|a=maxptime:10", 20),
    ] {
        assert_eq!(agreed(&format!("m=audio 4000 RTP/AVP 0{attributes}")).ptime_ms, ms, "{attributes}");
    }
}

#[test]
fn several_streams_keep_their_order() {
    for (streams, expected) in [
        // RFC 3264 10.1: audio beside two videos.
        (
            "m=audio 49170 RTP/AVP 0|m=video 51372 RTP/AVP 31|m=video 53000 RTP/AVP 32",
            vec!["m=audio 40000 RTP/AVP 0", "m=video 0 RTP/AVP 31", "m=video 0 RTP/AVP 32"],
        ),
        (
            "m=video 51372 RTP/AVP 31 34|m=audio 49170 RTP/AVP 0 8",
            vec!["m=video 0 RTP/AVP 31 34", "m=audio 40000 RTP/AVP 8"],
        ),
        // RFC 4317 2.4: two audio streams; the first usable one is taken.
        (
            "m=audio 49170 RTP/AVP 97|a=rtpmap:97 iLBC/8000|m=audio 49172 RTP/AVP 0|m=audio 49174 RTP/AVP 8",
            vec!["m=audio 0 RTP/AVP 97", "m=audio 40000 RTP/AVP 0", "m=audio 0 RTP/AVP 8"],
        ),
        (
            "m=audio 0 RTP/AVP 8|m=audio 49172 RTP/AVP 0",
            vec!["m=audio 0 RTP/AVP 8", "m=audio 40000 RTP/AVP 0"],
        ),
        // Encryption offered beside plain RTP.
        (
            "m=audio 49170 RTP/SAVP 0 8|m=audio 49172 RTP/AVP 0",
            vec!["m=audio 0 RTP/SAVP 0 8", "m=audio 40000 RTP/AVP 0"],
        ),
        // The transport is repeated; a port count is not.
        ("m=audio 49170/2 RTP/AVPF 0", vec!["m=audio 40000 RTP/AVPF 0"]),
        (
            "m=image 5000 udptl t38|m=audio 49170 RTP/AVP 8",
            vec!["m=image 0 udptl t38", "m=audio 40000 RTP/AVP 8"],
        ),
    ] {
        assert_eq!(m_lines(&answered(streams)), expected);
    }
}

#[test]
fn times_are_repeated() {
    let theirs =
        Description::parse(b"v=0\nt=2873397496 2873404696\nc=IN IP4 192.0.2.9\nm=audio 1 RTP/AVP 0\n");
    let (printed, _) = answer(&theirs.unwrap(), &v4()).unwrap();
    assert!(String::from_utf8(printed).unwrap().contains("\r\nt=2873397496 2873404696\r\n"));
}

#[test]
fn refusals_say_why() {
    for (lines, words) in [
        ("c=IN IP4 pc.example.com|m=audio 4000 RTP/AVP 0", "IP address, not a name"),
        ("c=IN IP4 224.2.36.42/127|m=audio 4000 RTP/AVP 0", "multicast"),
        ("c=IN IP4 255.255.255.255|m=audio 4000 RTP/AVP 0", "broadcast"),
        ("c=IN IP6 ff02::1|m=audio 4000 RTP/AVP 0", "multicast"),
        ("c=IN IP6 2001:db8::9|m=audio 4000 RTP/AVP 0", "IPv4 only"),
        ("c=ATM NSAP 47.0091|m=audio 4000 RTP/AVP 0", "not IN"),
        ("m=audio 4000 RTP/AVP 0", "no c= line"),
        ("c=IN IP4 192.0.2.9", "no audio"),
        ("c=IN IP4 192.0.2.9|m=video 4000 RTP/AVP 31", "no audio"),
        ("c=IN IP4 192.0.2.9|m=audio 0 RTP/AVP 0", "port 0"),
        ("c=IN IP4 192.0.2.9|m=audio 4000 RTP/SAVP 0", "SRTP"),
        ("c=IN IP4 192.0.2.9|m=audio 4000 UDP/TLS/RTP/SAVPF 0", "SRTP"),
        ("c=IN IP4 192.0.2.9|m=audio 4000 udp 0", "RTP/AVP and RTP/AVPF"),
        ("c=IN IP4 192.0.2.9|m=audio 4000 RTP/AVP 9", "no codec in common"),
        (
            "c=IN IP4 192.0.2.9|m=audio 4000 RTP/AVP 101|a=rtpmap:101 telephone-event/8000",
            "no codec in common",
        ),
        // The first audio stream explains.
        ("c=IN IP4 192.0.2.9|m=video 1 RTP/AVP 31|m=audio 4000 RTP/SAVP 0|m=audio 2 RTP/AVP 9", "SRTP"),
    ] {
        match answer(&sdp(lines), &v4()) {
            Err(Error::NotAcceptable(why)) => assert!(why.contains(words), "{lines}: {why}"),
            other => panic!("{lines}: {other:?}"),
        }
    }
}

#[test]
fn malformed() {
    let many_lines = text(&"a=x|".repeat(600));
    let many_streams = text(&"m=video 0 RTP/AVP 31|".repeat(17));
    let many_bytes = text(&format!("a={}", "x".repeat(17_000)));
    let table = ["", "hello", "v=1\r\n", "m=audio 1 RTP/AVP 0\r\n", "v=0\r\nm=audio 70000 RTP/AVP 0\r\n"];
    for bad in table.into_iter().chain([&*many_lines, &many_streams, &many_bytes]) {
        assert!(matches!(Description::parse(bad.as_bytes()), Err(Error::Malformed(_))), "{bad:.60}");
    }
    assert!(Description::parse(&[0xff; 100]).is_err());
}

#[test]
fn what_does_not_matter_is_no_fault() {
    // Latin-1 in s=, words in o=, no o= at all, bare line feeds, trailing NUL and blanks, no t=, unknown lines.
    for odd in [
        &b"v=0\r\ns=Z\xfcrich\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 0\r\n"[..],
        b"v=0\no=Big PBX x 99999999999999999999999 IN IP4 y\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 0",
        b"v=0\r\nb=AS\r\nk=\r\nc=IN IP4 192.0.2.9 \r\nm=audio 4000 RTP/AVP 0 \r\na=\r\na=rtpmap\r\n\r\n\0",
        b"v=0\r\ny=1\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9/127\r\n",
    ] {
        let theirs = Description::parse(odd).unwrap();
        assert_eq!(answer(&theirs, &v4()).unwrap().1.remote, address("192.0.2.9:4000"));
    }
}

#[test]
fn ipv6() {
    let us = local("[2001:db8::1]:40000");
    let theirs = sdp("c=IN IP6 2001:db8::9|m=audio 4000 RTP/AVP 8");
    let (printed, n) = answer(&theirs, &us).unwrap();
    assert_eq!(n.remote, address("[2001:db8::9]:4000"));
    assert_eq!(n.remote_rtcp, address("[2001:db8::9]:4001"));
    assert!(String::from_utf8(printed).unwrap().contains("c=IN IP6 2001:db8::1\r\n"));
    let v4_only = sdp(&format!("{C}|m=audio 4000 RTP/AVP 8"));
    assert!(matches!(answer(&v4_only, &us), Err(Error::NotAcceptable(_))));
    // A v4 leg on a dual-stack socket, and a v4 address written as v6.
    let mapped = local("[::ffff:198.51.100.1]:40000");
    assert_eq!(answer(&v4_only, &mapped).unwrap().1.remote, address("192.0.2.9:4000"));
    let written = sdp("c=IN IP6 ::ffff:192.0.2.9|m=audio 4000 RTP/AVP 8");
    assert_eq!(answer(&written, &v4()).unwrap().1.remote, address("192.0.2.9:4000"));
}

#[test]
fn answers_to_our_offer() {
    // (their answer; codec, out, in, dtmf out, dtmf in)
    type Row = (&'static str, Codec, u8, u8, Option<u8>, Option<u8>);
    let table: &[Row] = &[
        ("0", Codec::Pcmu, 0, 0, None, None),
        ("8 0", Codec::Pcma, 8, 8, None, None),
        ("0 8", Codec::Pcmu, 0, 0, None, None), // their order: RFC 3264 section 7
        ("8 101|a=rtpmap:101 telephone-event/8000", Codec::Pcma, 8, 8, Some(101), Some(101)),
        // Another number than offered is what they receive; we go on receiving ours (RFC 3264 section 6.1).
        ("8 96|a=rtpmap:96 telephone-event/8000", Codec::Pcma, 8, 8, Some(96), Some(101)),
        ("97|a=rtpmap:97 PCMU/8000", Codec::Pcmu, 97, 0, None, None),
    ];
    for (formats, codec, out, into, dtmf_out, dtmf_in) in table {
        let n = accept(&v4(), &sdp(&format!("{C}|m=audio 4000 RTP/AVP {formats}"))).unwrap();
        assert_eq!((n.codec, n.payload_type_out, n.payload_type_in), (*codec, *out, *into), "{formats}");
        assert_eq!((n.dtmf_out, n.dtmf_in), (*dtmf_out, *dtmf_in), "{formats}");
    }
    for (bad, words) in [
        ("m=audio 0 RTP/AVP 0", "port 0"),
        ("m=audio 4000 RTP/AVP 18", "none of the codecs"),
        ("m=video 4000 RTP/AVP 31", "only audio"),
        ("a=x", "no m-line"),
    ] {
        match accept(&v4(), &sdp(&format!("{C}|{bad}"))) {
            Err(Error::NotAcceptable(why)) => assert!(why.contains(words), "{bad}: {why}"),
            other => panic!("{bad}: {other:?}"),
        }
    }
    let only_mu = Local { codecs: vec![Codec::Pcmu], ..v4() };
    assert!(accept(&only_mu, &sdp(&format!("{C}|m=audio 4000 RTP/AVP 8"))).is_err());
}

/// RFC 4317 2.1: offer and answer between two who both like several codecs.
#[test]
fn rfc_4317_audio_then_hold() {
    let offer_1 = sdp("c=IN IP4 192.0.2.101|m=audio 49172 RTP/AVP 0 8 97|a=rtpmap:0 PCMU/8000|\
         a=rtpmap:8 PCMA/8000|a=rtpmap:97 iLBC/8000|m=video 51372 RTP/AVP 31 32|a=rtpmap:31 H261/90000");
    let mut us = Local { codecs: vec![Codec::Pcmu, Codec::Pcma], ..v4() };
    let (first, n) = answer(&offer_1, &us).unwrap();
    assert_eq!((n.codec, n.remote), (Codec::Pcmu, address("192.0.2.101:49172")));
    let first = us.versioned(None, first);

    // RFC 4317 3.1: hold, the same again, resume.
    let hold = sdp("c=IN IP4 192.0.2.101|m=audio 49172 RTP/AVP 0|a=sendonly|m=video 0 RTP/AVP 31");
    let (held, n) = answer(&hold, &us).unwrap();
    assert_eq!(n.direction, Direction::RecvOnly);
    let held = us.versioned(Some(&first), held);
    assert_eq!(us.version, 2);
    assert!(String::from_utf8(held.clone()).unwrap().contains("o=- 7 2 IN IP4"));
    let again = us.versioned(Some(&held), answer(&hold, &us).unwrap().0);
    assert_eq!((again, us.version), (held.clone(), 2), "nothing new: the same version");
    let resumed = us.versioned(Some(&held), answer(&offer_1, &us).unwrap().0);
    assert_eq!(us.version, 3);
    assert!(String::from_utf8(resumed).unwrap().contains("o=- 7 3 IN IP4"));
}

#[test]
fn a_moved_leg_has_a_new_version_and_the_same_session() {
    let mut us = v4();
    let first = us.versioned(None, offer(&us));
    us.address = address("198.51.100.2:41000");
    let fresh = offer(&us);
    let second = String::from_utf8(us.versioned(Some(&first), fresh)).unwrap();
    assert!(second.contains("o=- 7 2 IN IP4 198.51.100.2\r\n"), "{second}");
}
