//! What holds for any bytes, for fuzzers and property tests.
use crate::digest::{Authorization, Challenge};
use crate::{Builder, ContactValue, Framer, Message, Method, Name, NameAddr, ParseLimits, Uri, Via, unfold};
use std::net::SocketAddr;

/// Reads `bytes` as a datagram and as a stream, in every way there is.
///
/// # Panics
/// When something that must hold does not.
pub fn check(bytes: &[u8]) {
    let limits = ParseLimits { message_bytes: 4096, headers: 64 };
    match Message::parse(bytes, &limits) {
        Ok(message) => {
            read_all(&message);
            survives_printing(&message, &limits);
            if message.is_request() {
                answers(&message, &limits);
            }
        }
        Err(malformed) => {
            assert!(matches!(malformed.code, 400 | 501 | 505 | 513), "{}", malformed.code);
            if let Some(message) = malformed.message {
                assert!(message.is_request() && message.method() != Method::Ack);
                read_all(&message);
                let answer = Builder::answer(&message, malformed.code, "", Some("t"), source()).finish();
                assert!(answer.starts_with(format!("SIP/2.0 {}", malformed.code).as_bytes()));
            }
        }
    }
    let _ = (Authorization::parse(bytes), Challenge::parse(bytes), Uri::parse(bytes), NameAddr::parse(bytes));
    let _ = Via::parse(bytes);
    streams(bytes);
}

fn source() -> SocketAddr {
    ([198, 51, 100, 7], 5077).into()
}

/// Without blanks: a fold within a quoted value is printed as other blanks.
fn dense(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect()
}

fn read_all(message: &Message<'_>) {
    let _ =
        (message.uri(), message.reason(), message.max_forwards(), message.expires(), message.content_type());
    let _ = message.uri().map(|uri| (uri.user_unescaped(), uri.ip(), uri.equals(&uri)));
    let _ = (message.from().uri(), message.to().display_name());
    for contact in message.contacts() {
        if let Ok(ContactValue::Address(address)) = contact {
            assert!(!address.uri_text.is_empty());
            let _ = (address.uri(), address.display_name(), address.params.iter().count());
        }
    }
    for via in message.vias().flatten() {
        let _ = (via.ip(), via.received_ip(), via.rfc3261_branch());
    }
    for (name, raw_name, value) in message.headers() {
        assert_eq!(Name::from_text(raw_name), name);
        let _ = (unfold(value), message.values(name).count());
    }
}

/// What is read from `message` written anew, header by header, is the same.
fn survives_printing(message: &Message<'_>, limits: &ParseLimits) {
    let mut builder = if message.is_request() {
        Builder::request(message.method_text(), message.uri_text())
    } else {
        let line = [b"SIP/2.0 ", message.code().to_string().as_bytes(), b" ", message.reason()].concat();
        Builder::start_line(&line)
    };
    for (name, raw_name, value) in message.headers() {
        if !matches!(name, Name::ContentLength | Name::ContentType) {
            builder = builder.header(raw_name, value);
        }
    }
    if let Some(kind) = message.header(Name::ContentType) {
        builder = builder.body(kind, message.body());
    }
    let bytes = builder.finish();
    let wide = ParseLimits { message_bytes: 4 * limits.message_bytes, headers: limits.headers + 1 };
    let again =
        Message::parse(&bytes, &wide).unwrap_or_else(|m| panic!("{}: {}", m.why, bytes.escape_ascii()));
    assert_eq!(again.is_request(), message.is_request());
    assert_eq!((again.method(), again.code()), (message.method(), message.code()));
    assert_eq!((again.method_text(), again.uri_text()), (message.method_text(), message.uri_text()));
    assert_eq!((again.call_id(), again.cseq().number), (message.call_id(), message.cseq().number));
    assert_eq!((again.via().host, again.via().port), (message.via().host, message.via().port));
    assert_eq!(again.via().transport, message.via().transport);
    assert_eq!(again.via().branch.map(dense), message.via().branch.map(dense));
    assert_eq!(again.vias().count(), message.vias().count());
    for (a, b) in [(again.from(), message.from()), (again.to(), message.to())] {
        assert_eq!((a.uri_text, a.tag.map(dense)), (b.uri_text, b.tag.map(dense)));
    }
    if message.header(Name::ContentType).is_some() {
        assert_eq!(again.body(), message.body());
    }
}

/// A response to `message` is well-formed and finds its way back.
fn answers(message: &Message<'_>, limits: &ParseLimits) {
    let bytes = Builder::answer(message, 200, "", Some("ours"), source()).finish();
    let wide = ParseLimits { message_bytes: 4 * limits.message_bytes, headers: 2 * limits.message_bytes };
    let answer =
        Message::parse(&bytes, &wide).unwrap_or_else(|m| panic!("{}: {}", m.why, bytes.escape_ascii()));
    assert_eq!((answer.code(), answer.method()), (200, message.method()));
    assert_eq!((answer.call_id(), answer.cseq().number), (message.call_id(), message.cseq().number));
    assert_eq!(
        answer.via().branch.map(unfold).map(|b| b.len()),
        message.via().branch.map(unfold).map(|b| b.len())
    );
    assert_eq!(answer.vias().count(), message.vias().count());
    assert!(answer.via().received_ip().or(answer.via().ip()) == Some(source().ip()));
    if message.via().rport_asked {
        assert_eq!(answer.via().rport, Some(source().port()));
    }
    let tag = answer.to().tag.expect("an answer has a tag");
    assert!(message.to().tag.is_some() || tag == b"ours");
}

/// However a stream is cut into pieces, the same comes out of it, and little waits inside.
fn streams(bytes: &[u8]) {
    const LIMIT: usize = 512;
    let run = |piece: usize| {
        let mut framer = Framer::new(LIMIT);
        let (mut messages, mut broken, mut pings) = (Vec::new(), false, 0);
        for part in bytes.chunks(piece) {
            framer.push(part);
            for next in framer.by_ref() {
                match next {
                    Ok(message) => {
                        assert!(message.len() <= LIMIT, "{}", message.len());
                        messages.push(message);
                    }
                    Err(_) => {
                        broken = true;
                        break;
                    }
                }
            }
            assert!(framer.buffered() <= LIMIT);
            pings += framer.take_pings();
        }
        (messages, broken, pings)
    };
    let bytewise = run(1);
    assert_eq!(bytewise, run(7));
}
