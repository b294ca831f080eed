//! Random, mutated and well-formed messages: nothing panics, what is printed is read back the same.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it says")]

use hotline_sip::{Builder, Message, Method, Name, ParseLimits, invariants};
use proptest::prelude::*;

/// Every message of tests/torture, flows included.
fn corpus() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for folder in ["rfc4475", "rfc5118", "flows"] {
        let path = format!("{}/tests/torture/{folder}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<_> = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        for name in names {
            let bytes = std::fs::read(&name).unwrap();
            match name.extension().and_then(|e| e.to_str()) {
                Some("dat") => all.push(bytes),
                Some("sip") => {
                    let mut framer = hotline_sip::Framer::new(65_535);
                    framer.push(&bytes);
                    all.extend(framer.map(Result::unwrap));
                }
                _ => {}
            }
        }
    }
    assert_eq!(all.len(), 49 + 12 + 253);
    all
}

#[test]
fn invariants_hold_for_the_corpus_and_each_of_its_prefixes() {
    for message in corpus() {
        invariants::check(&message);
    }
    for name in ["wsinv", "intmeth", "badinv01", "quotbal", "mcl01"] {
        let path = format!("{}/tests/torture/rfc4475/{name}.dat", env!("CARGO_MANIFEST_DIR"));
        let message = std::fs::read(path).unwrap();
        for end in 0..message.len() {
            invariants::check(&message[..end]);
        }
    }
}

/// Pieces that the grammar is made of, so that random text gets far into the parser.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "INVITE ",
            "sip:a@b",
            " SIP/2.0\r\n",
            "SIP/2.0 200 OK\r\n",
            "\r\n",
            "\r\n\r\n",
            "\n",
            "\r",
            " ",
            "\t",
            ":",
            ";",
            ",",
            "\"",
            "\\",
            "<",
            ">",
            "=",
            "@",
            "?",
            "%",
            "%4",
            "%41",
            "[",
            "]",
            "::",
            "/",
            "Via: ",
            "v:",
            "SIP/2.0/UDP h",
            ";branch=z9hG4bKx",
            ";rport",
            ";received=",
            "From: ",
            "f:",
            "<sip:a@b>",
            ";tag=",
            "To: ",
            "Call-ID: x",
            "CSeq: 1 INVITE",
            "CSeq:",
            "4294967296",
            "Contact: ",
            "*",
            "Content-Length: ",
            "l:",
            "0",
            "9",
            "-1",
            "Max-Forwards: ",
            "Digest ",
            "nonce=\"n\"",
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|p| p.concat())
}

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.!%*_+`'~-]{1,20}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        invariants::check(&bytes);
    }

    #[test]
    fn random_pieces(bytes in pieces()) {
        invariants::check(&bytes);
    }

    /// Bytes changed, cut out and doubled in real messages.
    #[test]
    fn mutated_messages(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>(), 0..40usize), 1..8),
    ) {
        let corpus = corpus();
        let mut bytes = which.get(&corpus).clone();
        for (at, kind, byte, length) in edits {
            if bytes.is_empty() { break; }
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b";,<>\"\\:= \r\n\t"[usize::from(byte) % 12]),
                2 => { bytes.drain(at..end); }
                _ => { let part = bytes[at..end].to_vec(); bytes.splice(at..at, part); }
            }
        }
        invariants::check(&bytes);
    }

    #[test]
    fn what_is_built_is_read(
        method in word(), user in "[a-z0-9+;?/&=$,_.-]{1,20}", host in "[a-z]{1,10}(\\.[a-z]{2,5})?",
        tag in word(), branch in word(), call_id in word(), number in any::<u32>(),
        display in "[^\"\\\\\\x00-\\x1f\\x7f]{0,20}", name in "X-[A-Za-z-]{1,20}", value in "\\PC{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let uri = format!("sip:{user}@{host}");
        let bytes = Builder::request(&method, &uri)
            .header("Via", format!("SIP/2.0/UDP {host};rport;branch=z9hG4bK{branch}"))
            .header("From", format!("\"{display}\" <{uri}>;tag={tag}"))
            .header("To", format!("<{uri}>"))
            .header("Call-ID", &call_id)
            .header("CSeq", format!("{number} {method}"))
            .header(&name, &value)
            .body("application/octet-stream", body.clone())
            .finish();
        let message = Message::parse(&bytes, &ParseLimits::default()).map_err(|m| TestCaseError::fail(m.why))?;
        prop_assert_eq!(message.method(), Method::from_text(method.as_bytes()));
        prop_assert_eq!(message.method_text(), method.as_bytes());
        prop_assert_eq!(message.uri().unwrap().user, Some(user.as_bytes()));
        prop_assert_eq!(message.uri().unwrap().host, host.as_bytes());
        let display_name = message.from().display_name();
        prop_assert_eq!(&*display_name, display.as_bytes());
        prop_assert_eq!(message.from().tag, Some(tag.as_bytes()));
        prop_assert_eq!(message.to().tag, None);
        prop_assert_eq!(message.call_id(), call_id.as_bytes());
        prop_assert_eq!(message.cseq().number, number);
        prop_assert_eq!(message.by_text(&name), Some(value.trim_matches([' ', '\t']).as_bytes()));
        prop_assert_eq!(message.body(), &body[..]);
        prop_assert!(message.via().rport_asked && message.via().rport.is_none());
        invariants::check(&bytes);
    }
}

/// Known names in any case, and compact forms, are the same header.
#[test]
fn names_are_known_in_any_case() {
    for (text, name) in [
        ("via", Name::Via),
        ("V", Name::Via),
        ("CALL-ID", Name::CallId),
        ("i", Name::CallId),
        ("cSeQ", Name::CSeq),
        ("m", Name::Contact),
        ("max-forwards", Name::MaxForwards),
        ("c", Name::ContentType),
        ("E", Name::ContentEncoding),
        ("l", Name::ContentLength),
        ("k", Name::Supported),
        ("s", Name::Subject),
        ("r", Name::ReferTo),
        ("x", Name::SessionExpires),
        ("o", Name::Event),
        ("WWW-authenticate", Name::WwwAuthenticate),
        ("X-Foo", Name::Other),
        ("z", Name::Other),
        ("", Name::Other),
        ("Vi\u{e4}", Name::Other),
    ] {
        assert_eq!(Name::from_text(text.as_bytes()), name, "{text}");
    }
}
