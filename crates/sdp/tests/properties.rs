//! What holds for any offer: the answer is within it, what we print we read, and nothing panics.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
use hotline_sdp::{Codec, Description, Direction, Local, accept, answer, fuzz, offer};
use proptest::prelude::*;
use sdp_types::Session;

fn direction() -> impl Strategy<Value = Direction> {
    use Direction::*;
    prop_oneof![Just(SendRecv), Just(SendOnly), Just(RecvOnly), Just(Inactive)]
}

prop_compose! {
    fn local()(
        v6 in any::<bool>(),
        port in 1024u16..65_000,
        codecs in prop_oneof![
            Just(vec![Codec::Pcmu]), Just(vec![Codec::Pcma]),
            Just(vec![Codec::Pcmu, Codec::Pcma]), Just(vec![Codec::Pcma, Codec::Pcmu]),
        ],
        telephone_event in any::<bool>(),
        direction in direction(),
        session in any::<u64>(),
        version in any::<u64>(),
    ) -> Local {
        let ip = if v6 { "2001:db8::1" } else { "192.0.2.1" };
        let address = std::net::SocketAddr::new(ip.parse().unwrap(), port);
        Local { address, codecs, telephone_event, ptime_ms: 20, session, version, direction }
    }
}

/// Lines a description may be made of; drawn at random they make offers good and bad.
fn line() -> impl Strategy<Value = String> {
    let media = (
        prop_oneof![4 => Just("audio"), 1 => Just("video")],
        prop_oneof![1 => Just(0u16), 6 => 1u16..],
        prop_oneof![5 => Just("RTP/AVP"), 1 => Just("RTP/AVPF"), 1 => Just("RTP/SAVP")],
        prop::collection::vec(prop_oneof![Just(0u8), Just(8), Just(9), 96u8..102], 1..6),
    )
        .prop_map(|(kind, port, proto, formats)| {
            let formats: Vec<String> = formats.iter().map(u8::to_string).collect();
            format!("m={kind} {port} {proto} {}", formats.join(" "))
        });
    let rtpmap = (
        prop_oneof![Just(0u8), Just(8), 96u8..102],
        prop_oneof![
            Just("PCMU/8000"),
            Just("PCMA/8000"),
            Just("telephone-event/8000"),
            Just("opus/48000/2"),
            Just("PCMU")
        ],
    )
        .prop_map(|(pt, name)| format!("a=rtpmap:{pt} {name}"));
    let other = prop_oneof![
        Just("a=sendonly".to_owned()),
        Just("a=inactive".to_owned()),
        Just("a=ptime:30".to_owned()),
        Just("a=rtcp:4444".to_owned()),
        Just("a=rtcp-mux".to_owned()),
        Just("a=fmtp:101 0-16".to_owned()),
        Just("c=IN IP4 0.0.0.0".to_owned()),
        Just("c=IN IP6 2001:db8::9".to_owned()),
        "[a-z]=[ -~]{0,20}",
    ];
    prop_oneof![3 => media, 4 => rtpmap, 2 => other]
}

fn description() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(line(), 0..24).prop_map(|lines| {
        format!("v=0\r\ns=-\r\nt=0 0\r\nc=IN IP4 192.0.2.9\r\n{}\r\n", lines.join("\r\n")).into_bytes()
    })
}

fn formats(media: &sdp_types::Media) -> Vec<&str> {
    media.fmt.split_ascii_whitespace().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answer_is_within_the_offer(bytes in description(), local in local()) {
        let Ok(theirs) = Description::parse(&bytes) else { return Ok(()) };
        let Ok((printed, n)) = answer(&theirs, &local) else { return Ok(()) };
        // Judged by the other parser alone.
        let offered = Session::parse(&bytes);
        let ours = Session::parse(&printed).unwrap();
        prop_assert_eq!(ours.origin.sess_id, local.session.to_string());
        if let Ok(offered) = offered {
            prop_assert_eq!(offered.medias.len(), ours.medias.len());
            for (o, a) in offered.medias.iter().zip(&ours.medias) {
                prop_assert_eq!((&o.media, &o.proto), (&a.media, &a.proto));
                prop_assert!(formats(a).iter().all(|f| formats(o).contains(f)));
                prop_assert!(o.port != 0 || a.port == 0, "a disabled stream stays disabled");
            }
        }
        let open: Vec<_> = ours.medias.iter().filter(|m| m.port != 0).collect();
        prop_assert_eq!(open.len(), 1);
        prop_assert_eq!(open[0].port, local.address.port());
        let mut expected = vec![n.payload_type_in.to_string()];
        expected.extend(n.dtmf_in.map(|pt| pt.to_string()));
        prop_assert_eq!(formats(open[0]), expected);
        prop_assert!(local.codecs.contains(&n.codec));
        prop_assert!(n.dtmf_in.is_none() || local.telephone_event);
        prop_assert!(!n.direction.sends() || (local.direction.sends() && !n.remote.ip().is_unspecified()));
        prop_assert!(!n.direction.receives() || local.direction.receives());
    }

    /// Two of us always agree, and each sends what the other expects.
    #[test]
    fn both_ends_agree(a in local(), b in local()) {
        let offered = offer(&a);
        let b = Local { address: std::net::SocketAddr::new(a.address.ip(), b.address.port()), ..b };
        let Ok((answered, at_b)) = answer(&Description::parse(&offered).unwrap(), &b) else {
            prop_assert!(a.codecs.iter().all(|c| !b.codecs.contains(c)));
            return Ok(());
        };
        let at_a = accept(&a, &Description::parse(&answered).unwrap()).unwrap();
        prop_assert_eq!((at_a.remote, at_b.remote), (b.address, a.address));
        prop_assert_eq!(at_a.codec, at_b.codec);
        prop_assert_eq!((at_a.payload_type_out, at_a.dtmf_out), (at_b.payload_type_in, at_b.dtmf_in));
        prop_assert_eq!((at_a.payload_type_in, at_a.dtmf_in), (at_b.payload_type_out, at_b.dtmf_out));
        prop_assert_eq!(at_a.direction, at_b.direction.reversed());
    }

    #[test]
    fn a_change_and_only_a_change_raises_the_version(a in local(), b in local()) {
        let last = offer(&a);
        let mut leg = Local { session: a.session, version: a.version, ..b };
        let fresh = offer(&leg);
        let (said, changed) = (leg.versioned(Some(&last), fresh.clone()), fresh != last);
        prop_assert_eq!(said != last, changed);
        prop_assert_eq!(leg.version, a.version.wrapping_add(u64::from(changed)));
        let printed = Session::parse(&said).unwrap().origin;
        prop_assert_eq!((printed.sess_id, printed.sess_version), (a.session.to_string(), leg.version));
    }

    #[test]
    fn descriptions_of_any_kind_are_survived(bytes in description()) {
        fuzz(&bytes);
    }

    #[test]
    fn mutated_descriptions_are_survived(
        mut bytes in description(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for (at, byte) in cuts {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        fuzz(&bytes);
    }

    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        fuzz(&bytes);
        fuzz(&[b"v=0\r\nm=".as_slice(), &bytes].concat());
    }
}
