//! Messages out of streams.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it says")]

use hotline_sip::{Framer, FramingError, Message, ParseLimits};

fn torture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/torture/rfc4475/{name}.dat", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn answer_code(bytes: &[u8]) -> u16 {
    Message::parse(bytes, &ParseLimits::default()).unwrap_err().code
}

const OPTIONS: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nContent-Length: 3\r\n\r\nabc";

#[test]
fn messages_come_out_whole_however_they_come_in() {
    let stream = [OPTIONS, b"\r\n\r\n", OPTIONS, b"\r\n", OPTIONS].concat();
    for piece in 1..stream.len() {
        let mut framer = Framer::new(1000);
        let mut got = Vec::new();
        for part in stream.chunks(piece) {
            framer.push(part);
            got.extend(framer.by_ref().map(Result::unwrap));
        }
        assert_eq!(got, [OPTIONS; 3]);
        assert_eq!(framer.take_pings(), 1);
        assert_eq!(framer.take_pings(), 0);
        assert_eq!(framer.buffered(), 0);
    }
}

/// RFC 4475 3.1.1.8: over a stream these are two requests.
#[test]
fn a_second_request_behind_the_first_is_its_own() {
    let mut framer = Framer::new(4096);
    framer.push(&torture("dblreq"));
    let got: Vec<_> = framer.by_ref().take(2).map(Result::unwrap).collect();
    assert!(got[0].starts_with(b"REGISTER") && got[1].starts_with(b"INVITE"));
}

#[test]
fn a_folded_and_a_compact_length_count() {
    for head in
        ["OPTIONS sip:a SIP/2.0\r\nl  :\r\n  3\r\n\r\n", "OPTIONS sip:a SIP/2.0\nX: l: 9\n L: 7\nL:3\n\n"]
    {
        let mut framer = Framer::new(1000);
        framer.push(format!("{head}abcREST sip:a SIP/2.0").as_bytes());
        assert_eq!(framer.next().unwrap().unwrap(), format!("{head}abc").as_bytes());
        assert_eq!(framer.next(), None);
    }
}

/// What cannot be followed comes out once, to be answered, and then only the error does.
#[test]
fn a_length_nobody_can_know_ends_the_stream() {
    for (name, error) in [
        ("ncl", FramingError::ContentLength),
        ("mcl01", FramingError::ContentLength),
        ("clerr", FramingError::TooLarge),
    ] {
        let mut framer = Framer::new(4096);
        framer.push(&torture(name));
        assert_eq!(answer_code(&framer.next().unwrap().unwrap()), 400, "{name}");
        for _ in 0..3 {
            framer.push(OPTIONS);
            assert_eq!(framer.next(), Some(Err(error)), "{name}");
            assert_eq!(framer.buffered(), 0);
        }
    }
}

/// A longer body than has come is waited for, when the limit allows it.
#[test]
fn an_unfinished_message_waits() {
    let mut framer = Framer::new(65_535);
    framer.push(&torture("clerr"));
    assert_eq!(framer.next(), None);
    framer.push(&vec![b'x'; 9999]);
    let message = framer.next().unwrap().unwrap();
    assert_eq!(Message::parse(&message, &ParseLimits::default()).unwrap().body().len(), 9999);
    assert!(framer.buffered() < 200);
}

#[test]
fn nothing_grows_without_bound() {
    let mut framer = Framer::new(1000);
    framer.push(b"OPTIONS sip:a SIP/2.0\r\n");
    for i in 0.. {
        match framer.next() {
            None => framer.push(b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
            Some(got) => {
                assert_eq!(got, Err(FramingError::TooLarge));
                break;
            }
        }
        assert!(i < 100 && framer.buffered() <= 1100);
    }
    let mut pinged = Framer::new(10);
    pinged.push(&b"\r\n".repeat(50_000));
    assert_eq!((pinged.next(), pinged.take_pings(), pinged.buffered()), (None, 25_000, 0));
}

#[test]
fn other_protocols_are_turned_away_at_their_first_line() {
    for line in ["GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\n", "SSH-2.0-x\r\n"] {
        let mut framer = Framer::new(65_535);
        framer.push(line.as_bytes());
        assert_eq!(framer.next(), Some(Err(FramingError::NotSip)), "{line}");
    }
}
