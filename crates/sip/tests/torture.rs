//! The messages of RFC 4475 and RFC 5118, each with its verdict; sources in torture/README.md.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it says")]

use hotline_sip::{ContactValue, Malformed, Message, Method, Name, ParseLimits, unfold};
use std::path::PathBuf;

/// What the parser says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Accept,
    /// A request that gets this answer.
    Answer(u16),
    /// A response that is dropped.
    Drop,
}
use Verdict::*;

/// Name, section, what the RFC allows (`manifest.json`), what we do.
const RFC4475: [(&str, &str, &str, Verdict); 49] = [
    ("wsinv", "3.1.1.1", "accept", Accept),
    ("intmeth", "3.1.1.2", "accept", Accept),
    ("esc01", "3.1.1.3", "accept", Accept),
    ("escnull", "3.1.1.4", "accept", Accept),
    ("esc02", "3.1.1.5", "accept", Accept),
    ("lwsdisp", "3.1.1.6", "accept", Accept),
    ("longreq", "3.1.1.7", "accept", Accept),
    ("dblreq", "3.1.1.8", "accept", Accept),
    ("semiuri", "3.1.1.9", "accept", Accept),
    ("transports", "3.1.1.10", "accept", Accept),
    ("mpart01", "3.1.1.11", "accept", Accept),
    ("unreason", "3.1.1.12", "accept", Accept),
    ("noreason", "3.1.1.13", "accept", Accept),
    ("badinv01", "3.1.2.1", "reject", Answer(400)),
    ("clerr", "3.1.2.2", "reject", Answer(400)),
    ("ncl", "3.1.2.3", "reject", Answer(400)),
    ("scalar02", "3.1.2.4", "reject", Answer(400)),
    ("scalarlg", "3.1.2.5", "reject", Drop),
    ("quotbal", "3.1.2.6", "either", Answer(400)),
    ("ltgtruri", "3.1.2.7", "either", Answer(400)),
    ("lwsruri", "3.1.2.8", "either", Answer(400)),
    ("lwsstart", "3.1.2.9", "either", Answer(400)),
    ("trws", "3.1.2.10", "either", Answer(400)),
    // The escaped header stays within the URI: nothing here ever makes a header of it.
    ("escruri", "3.1.2.11", "either", Accept),
    ("baddate", "3.1.2.12", "either", Accept),
    // Contact is checked by who needs it: `contacts()` says no, the registrar answers 400.
    ("regbadct", "3.1.2.13", "either", Accept),
    ("badaspec", "3.1.2.14", "either", Answer(400)),
    ("baddn", "3.1.2.15", "either", Answer(400)),
    ("badvers", "3.1.2.16", "reject", Answer(505)),
    ("mismatch01", "3.1.2.17", "reject", Answer(400)),
    ("mismatch02", "3.1.2.18", "reject", Answer(501)),
    ("bigcode", "3.1.2.19", "reject", Drop),
    // RFC 2543 matching is the fallback.
    ("badbranch", "3.2.1", "either", Accept),
    ("insuf", "3.3.1", "reject", Answer(400)),
    ("unkscm", "3.3.2", "accept", Accept),
    ("novelsc", "3.3.3", "accept", Accept),
    ("unksm2", "3.3.4", "accept", Accept),
    ("bext01", "3.3.5", "accept", Accept),
    ("invut", "3.3.6", "accept", Accept),
    ("regaut01", "3.3.7", "accept", Accept),
    ("multi01", "3.3.8", "reject", Answer(400)),
    ("mcl01", "3.3.9", "reject", Answer(400)),
    ("bcast", "3.3.10", "accept", Accept),
    ("zeromf", "3.3.11", "accept", Accept),
    ("cparam01", "3.3.12", "accept", Accept),
    ("cparam02", "3.3.13", "accept", Accept),
    ("regescrt", "3.3.14", "accept", Accept),
    ("sdp01", "3.3.15", "accept", Accept),
    ("inv2543", "3.4.1", "accept", Accept),
];

const RFC5118: [(&str, &str, &str, Verdict); 12] = [
    ("ipv6-good", "4.1", "accept", Accept),
    ("ipv6-bad", "4.2", "reject", Answer(400)),
    ("port-ambiguous", "4.3", "accept", Accept),
    ("port-unambiguous", "4.4", "accept", Accept),
    ("via-received-param-with-delim", "4.5", "accept", Accept),
    ("via-received-param-no-delim", "4.5", "accept", Accept),
    ("ipv6-in-sdp", "4.6", "accept", Accept),
    ("mult-ip-in-header", "4.7", "accept", Accept),
    ("mult-ip-in-sdp", "4.8", "accept", Accept),
    ("ipv4-mapped-ipv6", "4.9", "accept", Accept),
    ("ipv6-bug-abnf-3-colons", "4.10", "accept", Accept),
    ("ipv6-correct-abnf-2-colons", "4.10", "accept", Accept),
];

fn read(rfc: &str, name: &str) -> Vec<u8> {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests/torture", rfc, &format!("{name}.dat")].iter().collect();
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[expect(clippy::result_large_err)]
fn parse(bytes: &[u8]) -> Result<Message<'_>, Malformed<'_>> {
    Message::parse(bytes, &ParseLimits::default())
}

/// The named message, which must be accepted.
fn accepted(rfc: &str, name: &str, look: impl FnOnce(&Message<'_>)) {
    let bytes = read(rfc, name);
    look(&parse(&bytes).unwrap_or_else(|m| panic!("{name}: {}", m.why)));
}

#[test]
fn every_message_gets_its_verdict() {
    let mut wrong = Vec::new();
    let all = RFC4475.iter().map(|m| ("rfc4475", m)).chain(RFC5118.iter().map(|m| ("rfc5118", m)));
    for (rfc, (name, section, allowed, ours)) in all {
        let bytes = read(rfc, name);
        let (got, why) = match parse(&bytes) {
            Ok(_) => (Accept, ""),
            Err(m) if m.is_response => (Drop, m.why),
            Err(m) if m.message.is_some() => (Answer(m.code), m.why),
            Err(m) => panic!("{name}: not readable: {}", m.why),
        };
        match *allowed {
            "accept" => assert_eq!(*ours, Accept, "{name}: the RFC wants it accepted"),
            "reject" => assert_ne!(*ours, Accept, "{name}: the RFC wants it rejected"),
            _ => {}
        }
        println!("{rfc} {section:9} {name:30} {got:?} {why}");
        if got != *ours {
            wrong.push((name, got, why));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The table above is the manifest's, message for message.
#[test]
fn verdicts_are_those_of_the_manifests() {
    for (rfc, table) in [("rfc4475", &RFC4475[..]), ("rfc5118", &RFC5118[..])] {
        let path: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "tests/torture", rfc, "manifest.json"].iter().collect();
        let text = std::fs::read_to_string(path).unwrap();
        let field = |name: &str| -> Vec<String> {
            let wanted = format!("\"{name}\": \"");
            text.lines()
                .filter_map(|l| l.strip_prefix("   ")?.strip_prefix(&wanted))
                .map(|l| l.trim_end_matches([',', '"']).to_string())
                .collect()
        };
        let (names, sections, verdicts) = (field("name"), field("section"), field("parse"));
        assert_eq!(names.len(), table.len());
        for (i, (name, section, allowed, _)) in table.iter().enumerate() {
            assert_eq!(
                (names[i].as_str(), sections[i].as_str(), verdicts[i].as_str()),
                (*name, *section, *allowed)
            );
        }
    }
}

#[test]
fn wsinv_is_read_through_its_folds_and_blanks() {
    accepted("rfc4475", "wsinv", |m| {
        assert_eq!(
            (m.method(), m.uri_text()),
            (Method::Invite, &b"sip:vivekg@chair-dnrc.example.com;unknownparam"[..])
        );
        assert_eq!(m.uri().unwrap().param("UnknownParam"), Some(None));
        assert_eq!(m.to().uri_text, b"sip:vivekg@chair-dnrc.example.com");
        assert_eq!(m.to().tag, Some(&b"1918181833n"[..]));
        assert_eq!(&*m.from().display_name(), br#"J Rosenberg \""#);
        assert_eq!(m.from().tag, Some(&b"98asjd8"[..]));
        assert_eq!(m.max_forwards(), Some(68));
        assert_eq!((m.cseq().number, m.cseq().method), (9, Method::Invite));
        let vias: Vec<_> = m.vias().map(Result::unwrap).collect();
        let shown: Vec<_> = vias.iter().map(|v| (v.transport, v.host, v.branch.unwrap())).collect();
        assert_eq!(
            shown,
            [
                (&b"UDP"[..], &b"192.0.2.2"[..], &b"390skdjuw"[..]),
                (b"TCP", b"spindle.example.com", b"z9hG4bK9ikj8"),
                (b"UDP", b"192.168.255.111", b"z9hG4bK30239"),
            ]
        );
        assert_eq!(m.via().rfc3261_branch(), None);
        assert_eq!(m.header(Name::Subject), Some(&b""[..]));
        assert_eq!(
            unfold(m.by_text("newfangledheader").unwrap()),
            &b"newfangled value continued newfangled value"[..]
        );
        assert_eq!(m.by_text("UnknownHeaderWithUnusualValue"), Some(&b";;,,;;,;"[..]));
        let contacts: Vec<_> = m.contacts().map(Result::unwrap).collect();
        let [ContactValue::Address(contact)] = contacts[..] else { panic!("{contacts:?}") };
        assert_eq!(&*contact.display_name(), br#"Quoted string """#);
        assert_eq!(contact.param("newparam"), Some(&b"newvalue"[..]));
        assert_eq!(contact.params.get("secondparam"), Some(None));
        assert_eq!(contact.param("q"), Some(&b"0.33"[..]));
        assert_eq!(m.body().len(), 150);
    });
}

#[test]
fn intmeth_keeps_every_odd_character() {
    accepted("rfc4475", "intmeth", |m| {
        assert_eq!(m.method(), Method::Other);
        assert_eq!(m.method_text(), br"!interesting-Method0123456789_*+`.%indeed'~");
        let uri = m.uri().unwrap();
        assert_eq!(uri.user, Some(&b"1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"[..]));
        assert_eq!(uri.password, Some(&b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"[..]));
        assert_eq!(uri.host, b"example.com");
        assert_eq!(&*m.to().display_name(), b"BEL:\x07 NUL:\x00 DEL:\x7f");
        assert_eq!(m.from().display, b"token1~` token2'+_ token3*%!.-");
        assert_eq!(m.from().tag, Some(&b"_token~1'+`*%!-."[..]));
        assert_eq!(
            m.from().param("fromParam''~+*_!.-%"),
            Some("\"\u{440}\u{430}\u{431}\u{43e}\u{442}\u{430}\u{44e}\u{449}\u{438}\u{439}\"".as_bytes())
        );
        assert_eq!(m.call_id(), br#"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"#);
        assert_eq!(
            m.by_text("extensionHeader-!.%*+_`'~"),
            Some("\u{feff}\u{5927}\u{505c}\u{96fb}".as_bytes())
        );
    });
}

#[test]
fn escapes_are_replaced_where_they_are_escapes() {
    accepted("rfc4475", "esc01", |m| {
        assert_eq!(&*m.uri().unwrap().user_unescaped(), b"sips:user@example.com");
        assert_eq!(&*m.to().uri().unwrap().user_unescaped(), b"user");
        let ContactValue::Address(contact) = m.contacts().next().unwrap().unwrap() else { panic!() };
        let other = hotline_sip::Uri::parse(b"sip:caller@host5.example.net;lr;name=value%2541").unwrap();
        assert!(contact.uri().unwrap().equals(&other));
    });
    accepted("rfc4475", "escnull", |m| {
        assert_eq!(&*m.to().uri().unwrap().user_unescaped(), b"null-\0-null");
        let users: Vec<_> = m
            .contacts()
            .map(|c| match c.unwrap() {
                ContactValue::Address(a) => a.uri().unwrap().user_unescaped().into_owned(),
                ContactValue::Star => panic!(),
            })
            .collect();
        assert_eq!(users, [b"\0".to_vec(), b"\0\0".to_vec()]);
    });
    accepted("rfc4475", "esc02", |m| {
        assert_eq!((m.method(), m.method_text()), (Method::Other, &b"RE%47IST%45R"[..]));
        assert_eq!(m.to().display, b"\"%Z%45\"");
        assert_eq!(m.via().branch, Some(&b"z9hG4bK209%fzsnel234"[..]));
        assert_eq!(m.contacts().count(), 2);
        assert!(m.by_text("C%6Fntact").is_some());
    });
    accepted("rfc4475", "semiuri", |m| {
        assert_eq!(&*m.uri().unwrap().user_unescaped(), b"user;par=u@example.net");
        assert_eq!(m.values(Name::Accept).count(), 6);
    });
    accepted("rfc4475", "escruri", |m| {
        assert_eq!(m.uri().unwrap().headers, b"Route=%3Csip:example.com%3E");
        assert_eq!(m.header(Name::Route), None);
    });
    accepted("rfc4475", "regescrt", |m| {
        let ContactValue::Address(contact) = m.contacts().next().unwrap().unwrap() else { panic!() };
        assert_eq!(contact.uri().unwrap().headers, b"Route=%3Csip:sip.example.com%3E");
    });
}

#[test]
fn the_rest_of_the_valid_ones() {
    accepted("rfc4475", "lwsdisp", |m| assert_eq!(&*m.from().display_name(), b"caller"));
    accepted("rfc4475", "longreq", |m| {
        assert_eq!(m.values(Name::Via).count(), 34);
        assert_eq!(m.from().tag.unwrap().len(), 155);
        assert_eq!(m.body().len(), 150);
    });
    accepted("rfc4475", "dblreq", |m| assert!(m.body().is_empty()));
    accepted("rfc4475", "transports", |m| {
        let names: Vec<_> = m.vias().map(|v| v.unwrap().transport).collect();
        assert_eq!(names, [&b"UDP"[..], b"SCTP", b"TLS", b"UNKNOWN", b"TCP"]);
    });
    accepted("rfc4475", "mpart01", |m| {
        assert_eq!(m.content_type(), Some(&b"multipart/mixed"[..]));
        assert_eq!(m.body().len(), 553);
        assert!(m.body().contains(&0));
    });
    accepted("rfc4475", "unreason", |m| {
        assert_eq!((m.code(), m.method()), (200, Method::Invite));
        assert!(m.reason().starts_with("= 2**3 * 5**2 \u{43d}\u{43e}".as_bytes()));
    });
    accepted("rfc4475", "noreason", |m| assert_eq!((m.code(), m.reason()), (100, &b""[..])));
    accepted("rfc4475", "badbranch", |m| assert_eq!(m.via().rfc3261_branch(), None));
    accepted("rfc4475", "regbadct", |m| assert!(m.contacts().next().unwrap().is_err()));
    accepted("rfc4475", "unkscm", |m| {
        let uri = m.uri().unwrap();
        assert!(!uri.is_sip());
        assert_eq!(uri.scheme, b"nobodyKnowsThisScheme");
    });
    accepted("rfc4475", "novelsc", |m| assert_eq!(m.uri().unwrap().scheme, b"soap.beep"));
    accepted("rfc4475", "unksm2", |m| {
        assert_eq!(m.to().uri().unwrap().scheme, b"isbn");
        assert_eq!(m.from().uri().unwrap().scheme, b"http");
    });
    accepted("rfc4475", "bext01", |m| {
        assert_eq!(
            m.values(Name::Require).collect::<Vec<_>>(),
            [&b"nothingSupportsThis"[..], b"nothingSupportsThisEither"]
        );
    });
    accepted("rfc4475", "zeromf", |m| assert_eq!(m.max_forwards(), Some(0)));
    // Without brackets the parameter is the header's, within them the URI's.
    for (name, header, uri) in [("cparam01", Some(None), None), ("cparam02", None, Some(None))] {
        accepted("rfc4475", name, |m| {
            let ContactValue::Address(contact) = m.contacts().next().unwrap().unwrap() else { panic!() };
            assert_eq!(contact.params.get("unknownparam"), header, "{name}");
            assert_eq!(contact.uri().unwrap().param("unknownparam"), uri, "{name}");
        });
    }
    accepted("rfc4475", "inv2543", |m| {
        assert_eq!((m.from().tag, m.via().branch), (None, None));
        assert!(
            m.body().starts_with(b"v=0") && m.body().ends_with(b"PCMU/8000\r\n")
                || m.body().ends_with(b"\r\n")
        );
    });
}

#[test]
fn addresses_of_rfc_5118() {
    let host = |name: &str| {
        let bytes = read("rfc5118", name);
        let uri = parse(&bytes).unwrap().uri().unwrap();
        (uri.ip().map(|ip| ip.to_string()), uri.port)
    };
    assert_eq!(host("ipv6-good"), (Some("2001:db8::10".into()), None));
    assert_eq!(host("port-ambiguous"), (Some("2001:db8::10:5070".into()), None));
    assert_eq!(host("port-unambiguous"), (Some("2001:db8::10".into()), Some(5070)));
    let mapped = Some("2001:db8::c000:201".into());
    assert_eq!(host("ipv6-bug-abnf-3-colons"), (mapped.clone(), None));
    assert_eq!(host("ipv6-correct-abnf-2-colons"), (mapped, None));
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        accepted("rfc5118", name, |m| {
            assert_eq!(m.via().received_ip(), Some("2001:db8::9:255".parse().unwrap()));
        });
    }
    accepted("rfc5118", "mult-ip-in-header", |m| {
        let vias: Vec<_> =
            m.vias().map(|v| v.map(|v| (v.ip().unwrap().to_string(), v.port)).unwrap()).collect();
        let wanted = [("2001:db8::9:1", Some(6050)), ("192.0.2.1", None), ("2001:db8::9:255", None)];
        assert_eq!(vias, wanted.map(|(ip, port)| (ip.to_string(), port)));
        assert_eq!(m.vias().last().unwrap().unwrap().received_ip(), Some("192.0.2.200".parse().unwrap()));
    });
    accepted("rfc5118", "ipv4-mapped-ipv6", |m| {
        assert_eq!(m.via().ip(), Some("::ffff:192.0.2.10".parse().unwrap()));
        assert_eq!(m.via().port, Some(19823));
    });
}
