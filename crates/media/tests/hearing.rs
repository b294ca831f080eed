//! Who hears whom: bridges, echo, latching, digits, silence, statistics.
mod rig;
use hotline_core::{LegId, Outbox, Time};
use hotline_media::{Channel, Codec, Command, Direction, Event, Format, Library, Sink, Slot};
use proptest::prelude::*;
use rig::*;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Two phones with these codecs, bridged; each phone and the address it sends to.
fn bridged(a: Codec, b: Codec) -> (Rig, [(Phone, SocketAddr); 2]) {
    let mut rig = Rig::new(library());
    let (a, b) = (Phone::new(1, a), Phone::new(2, b));
    let (at_a, at_b) = (rig.call(A, &a), rig.call(B, &b));
    rig.command(Command::Bridge { a: A, b: B });
    (rig, [(a, at_a), (b, at_b)])
}

#[test]
fn each_hears_the_other_whatever_the_laws() {
    use Codec::{Pcma, Pcmu};
    for (a, b) in [(Pcma, Pcma), (Pcmu, Pcma), (Pcma, Pcmu), (Pcmu, Pcmu)] {
        let (mut rig, [(mut a, at_a), (mut b, at_b)]) = bridged(a, b);
        for _ in 0..50 {
            let packets = [a.tone(440), b.tone(1000)];
            rig.arrive(a.address, at_a, packets[0].clone());
            rig.arrive(b.address, at_b, packets[1].clone());
            rig.run(20);
        }
        for (phone, hears, not) in [(&a, 1000, 440), (&b, 440, 1000)] {
            let sent = rig.sent_to(phone.address);
            assert!((50..=52).contains(&sent.len()), "{} packets", sent.len());
            assert!(sent.iter().all(|s| s.header().payload_type == phone.header.payload_type));
            let samples = heard(&sent[sent.len() - 40..]);
            assert!(share_of(&samples, hears) > 0.98, "{}", share_of(&samples, hears));
            assert!(share_of(&samples, not) < 0.001);
        }
    }
}

#[test]
fn one_codec_passes_untouched_at_once_under_our_own_name() {
    let (mut rig, [(mut a, at_a), (b, _)]) = bridged(Codec::Pcma, Codec::Pcma);
    let mut payloads = Vec::new();
    for n in 0..10u8 {
        let payload: Vec<u8> = (0..160).map(|i| n.wrapping_mul(17) ^ i).collect();
        let packet = a.packet(&payload);
        rig.arrive(a.address, at_a, packet);
        let sent = rig.sent_to(b.address);
        let last = sent.last().expect("passed on");
        assert_eq!((last.at, last.payload(), last.header().ssrc), (rig.now, &payload[..], 0x1101));
        payloads.push(payload);
        rig.run(20);
    }
}

#[test]
fn gaps_disorder_and_markers_pass_a_bridge_and_repeats_do_not() {
    let (mut rig, [(mut a, at_a), (b, _)]) = bridged(Codec::Pcma, Codec::Pcma);
    let mut packets: Vec<_> = (0..8u8).map(|n| a.packet(&[n; 160])).collect();
    packets[5][1] |= 0x80;
    for n in [0, 1, 3, 2, 2, 5, 6, 7] {
        rig.arrive(a.address, at_a, packets[n].clone());
    }
    let sent = rig.sent_to(b.address);
    let first = sent[0].header();
    let got: Vec<_> = sent
        .iter()
        .map(|s| {
            let h = s.header();
            let ticks = h.timestamp.wrapping_sub(first.timestamp);
            (s.payload()[0], h.sequence.wrapping_sub(first.sequence), ticks / 160, h.marker)
        })
        .collect();
    assert_eq!(
        got,
        [
            (0, 0, 0, true),
            (1, 1, 1, false),
            (3, 3, 3, false),
            (2, 2, 2, false),
            (5, 5, 5, true),
            (6, 6, 6, false),
            (7, 7, 7, false)
        ]
    );
}

#[test]
fn comfort_takes_over_when_one_side_is_silent_and_the_line_of_time_holds() {
    let (mut rig, [(mut a, at_a), (b, _)]) = bridged(Codec::Pcma, Codec::Pcma);
    let start = rig.now;
    for round in 0..3 {
        for _ in 0..20 {
            let packet = a.tone(440);
            rig.arrive(a.address, at_a, packet);
            rig.run(20);
        }
        // A phone that suppresses silence: its clock goes on, its numbers do not.
        rig.run(1000 + round);
        a.header.timestamp = a.header.timestamp.wrapping_add(8000);
        a.header.marker = true;
    }
    let sent = rig.sent_to(b.address);
    for pair in sent.windows(2) {
        assert!(pair[1].at.since(pair[0].at) <= Duration::from_millis(81));
        let (a, b) = (pair[0].header(), pair[1].header());
        assert_eq!(b.sequence.wrapping_sub(a.sequence), 1);
        let ticks = b.timestamp.wrapping_sub(a.timestamp);
        assert!((160..=8 * 81).contains(&ticks), "{ticks}");
    }
    let ticks = sent.last().expect("sent").header().timestamp.wrapping_sub(sent[0].header().timestamp);
    assert!(ticks.abs_diff(8 * rig.now.since(start).as_millis() as u32) <= 480, "{ticks}");
}

#[test]
fn a_player_goes_before_its_bridge_and_the_bridge_comes_back() {
    let (mut rig, [(mut a, at_a), (b, _)]) = bridged(Codec::Pcma, Codec::Pcmu);
    rig.play(B, 1, &[SOUND], false);
    for _ in 0..25 {
        let packet = a.packet(&[0x2a; 160]);
        rig.arrive(a.address, at_a, packet);
        rig.run(20);
    }
    let sent = rig.sent_to(b.address);
    let passed = rtp::g711::alaw_to_ulaw(0x2a);
    let first = sent.iter().position(|s| s.payload()[80..] == [passed; 80]).expect("the bridge is back");
    assert_eq!(first, 6, "as soon as the prompt is over");
    assert!(sent[first..].iter().all(|s| s.payload() == [passed; 160]));
    rig.command(Command::Unbridge { a: A, b: B });
    let packet = a.packet(&[0x2a; 160]);
    rig.arrive(a.address, at_a, packet);
    assert!(rig.sent_to(b.address).is_empty());
}

#[test]
fn a_closed_side_leaves_the_other_in_comfort() {
    let (mut rig, [(a, _), (mut b, at_b)]) = bridged(Codec::Pcma, Codec::Pcma);
    rig.run(100);
    rig.close(A);
    rig.sent_to(a.address);
    rig.sent_to(b.address);
    let packet = b.tone(440);
    rig.arrive(b.address, at_b, packet);
    rig.run(200);
    assert!(rig.sent_to(a.address).is_empty());
    assert_eq!(rig.sent_to(b.address).len(), 10);
    rig.close(B);
    assert!(rig.deck.is_empty() && rig.net.open == 0);
    rig.run(100);
    assert_eq!(rig.deck.next_tick(), None, "no legs, no turns");
}

#[test]
fn echo_sends_back() {
    let mut rig = Rig::new(Library::default());
    let mut a = Phone::new(1, Codec::Pcma);
    let at = rig.call(A, &a);
    rig.command(Command::Echo { leg: A, on: true });
    let packet = a.packet(&[7; 160]);
    rig.arrive(a.address, at, packet);
    assert_eq!(rig.sent_to(a.address)[0].payload(), [7; 160]);
    rig.command(Command::Echo { leg: A, on: false });
    let packet = a.packet(&[8; 160]);
    rig.arrive(a.address, at, packet);
    assert!(rig.sent_to(a.address).is_empty());
}

#[test]
fn the_grid_reads_what_waits_when_nobody_tells() {
    let (mut rig, [(mut a, at_a), (b, _)]) = bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..3 {
        let packet = a.packet(&[n; 160]);
        rig.deliver(a.address, at_a, packet);
    }
    rig.run(20);
    assert_eq!(rig.sent_to(b.address).iter().filter(|s| s.payload()[0] < 3).count(), 3);
}

#[test]
fn a_far_end_behind_an_address_translation_is_learnt_and_nobody_else_is_heard() {
    let mut rig = Rig::new(Library::default());
    let mut phone = Phone::new(1, Codec::Pcma);
    let mut stranger = Phone::new(66, Codec::Pcma);
    let outside = SocketAddr::from(([203, 0, 113, 9], 61_000));
    let at = rig.call(A, &phone);
    rig.command(Command::Echo { leg: A, on: true });
    rig.run(100);
    assert_eq!(rig.sent_to(phone.address).len(), 5, "the signalled address, until we know better");
    let packet = phone.tone(440);
    rig.arrive(outside, at, packet);
    let packet = stranger.tone(1000);
    rig.arrive(stranger.address, at, packet);
    rig.run(100);
    assert!(rig.sent_to(stranger.address).is_empty() && rig.sent_to(phone.address).is_empty());
    assert_eq!(rig.sent_to(outside).len(), 3, "the echo, and comfort after it");

    // The same description again (a hold and its end): we go on sending where we did, and learn anew.
    rig.connect(A, phone.format());
    rig.run(40);
    assert_eq!(rig.sent_to(outside).len(), 2);
    let moved = SocketAddr::from(([203, 0, 113, 9], 61_777));
    let packet = phone.tone(440);
    rig.arrive(moved, at, packet);
    rig.run(40);
    assert_eq!(rig.sent_to(moved).len(), 1);
    // The address that was signalled is the far end's own, and may correct what we have learnt.
    let packet = phone.tone(440);
    rig.arrive(phone.address, at, packet);
    let packet = phone.tone(440);
    rig.arrive(moved, at, packet);
    rig.run(40);
    assert_eq!(rig.sent_to(phone.address).len(), 1);
    assert_eq!(rig.close(A).packets_refused, 2);
}

#[test]
fn a_port_used_again_does_not_let_the_old_call_in() {
    let mut rig = Rig::new(Library::default());
    let (mut old, mut new) = (Phone::new(1, Codec::Pcma), Phone::new(2, Codec::Pcma));
    let at = rig.call(A, &old);
    let packet = old.tone(440);
    rig.arrive(old.address, at, packet);
    rig.close(A);
    assert_eq!(rig.call(B, &new), at);
    rig.command(Command::Echo { leg: B, on: true });
    let packet = new.tone(1000);
    rig.arrive(new.address, at, packet);
    for _ in 0..20 {
        let packets = [old.tone(440), new.tone(1000)];
        rig.arrive(old.address, at, packets[0].clone());
        rig.arrive(new.address, at, packets[1].clone());
        rig.run(20);
    }
    let samples = heard(&rig.sent_to(new.address));
    assert!(share_of(&samples, 440) < 0.001 && share_of(&samples, 1000) > 0.98);
    assert_eq!(rig.close(B).packets_refused, 20);
}

#[test]
fn only_agreed_formats_are_heard() {
    let mut rig = Rig::new(Library::default());
    let mut phone = Phone::new(1, Codec::Pcma);
    let at = rig.call(A, &phone);
    let stranger = SocketAddr::from(([203, 0, 113, 9], 61_000));
    let mut video = phone.tone(440);
    video[1] = 97;
    for bytes in [vec![], vec![0; 300], b"GET / HTTP/1.1".to_vec(), video] {
        rig.arrive(stranger, at, bytes);
    }
    assert_eq!(rig.events.len(), 1, "opened, and nothing else");
    let packet = phone.tone(440);
    rig.arrive(phone.address, at, packet);
    // The other law than agreed: its number says what it is.
    phone.header.payload_type = 0;
    let packet = phone.packet(&[0x12; 160]);
    rig.command(Command::Echo { leg: A, on: true });
    rig.arrive(phone.address, at, packet);
    let back = rig.sent_to(phone.address).pop().expect("echoed");
    assert_eq!(back.payload(), [rtp::g711::ulaw_to_alaw(0x12); 160]);
    let stats = rig.close(A);
    assert_eq!((stats.packets_refused, stats.packets_received), (4, 2));
}

#[test]
fn a_key_is_told_once_and_passes_the_bridge_under_the_other_sides_number() {
    let (mut rig, [(mut a, at_a), (b, _)]) = bridged(Codec::Pcma, Codec::Pcmu);
    rig.connect(B, Format { dtmf_out: Some(96), ..b.format() });
    for _ in 0..5 {
        let packet = a.tone(440);
        rig.arrive(a.address, at_a, packet);
        rig.run(20);
    }
    rig.sent_to(b.address);
    for (duration, end) in [(160, false), (320, false), (480, true), (480, true), (480, true)] {
        let packet = a.event(5, end, duration);
        rig.arrive(a.address, at_a, packet);
        rig.run(20);
    }
    a.header.timestamp = a.header.timestamp.wrapping_add(5 * 160);
    let packet = a.tone(440);
    rig.arrive(a.address, at_a, packet);
    assert_eq!((rig.digits(A), rig.digits(B)), ("5".into(), String::new()));
    let sent = rig.sent_to(b.address);
    let events: Vec<_> = sent.iter().filter(|s| s.header().payload_type == 96).collect();
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|s| s.header().timestamp == events[0].header().timestamp));
    assert!(sent.windows(2).all(|p| p[1].header().sequence == p[0].header().sequence.wrapping_add(1)));
    let after = sent.last().expect("audio").header();
    assert_eq!(after.timestamp.wrapping_sub(events[0].header().timestamp), 5 * 160);
    assert_eq!(rig.close(A).digits, 1);
}

#[test]
fn digits_with_one_sequence_number_or_a_second_source_still_count_once() {
    let mut rig = Rig::new(Library::default());
    let mut phone = Phone::new(1, Codec::Pcma);
    let at = rig.call(A, &phone);
    for code in [1, 1, 2] {
        let audio = phone.tone(440);
        rig.arrive(phone.address, at, audio);
        let start = phone.event(code, false, 160);
        let end = phone.event(code, true, 800);
        for packet in [&start, &end, &end, &end] {
            rig.arrive(phone.address, at, packet.clone());
            // Its audio goes on meanwhile, as a source of its own.
            let ssrc = phone.header.ssrc;
            phone.header.ssrc = 77;
            let audio = phone.clone().tone(440);
            phone.header.ssrc = ssrc;
            rig.arrive(phone.address, at, audio);
        }
        phone.header.timestamp = phone.header.timestamp.wrapping_add(2400);
        rig.run(300);
    }
    assert_eq!(rig.digits(A), "112");
}

#[test]
fn heard_once_for_each_connect_and_never_for_what_we_do_not_want() {
    let mut rig = Rig::new(Library::default());
    let mut phone = Phone::new(1, Codec::Pcma);
    let at = rig.call(A, &phone);
    for direction in [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly] {
        rig.connect(A, Format { direction, ..phone.format() });
        for _ in 0..3 {
            let packet = phone.tone(440);
            rig.arrive(phone.address, at, packet);
        }
    }
    assert_eq!(rig.count(|e| matches!(e, Event::Heard { leg: A })), 2);
}

#[test]
fn silence_is_told_once_and_again_after_speech_but_not_on_hold() {
    let mut rig = Rig::new(Library::default());
    let mut phone = Phone::new(1, Codec::Pcma);
    let limit = Duration::from_secs(2);
    rig.command(Command::Open { leg: A, ip: OURS, ssrc: 1, no_media_after: Some(limit) });
    let Some((_, Event::Opened { address: at, .. })) = rig.events.pop() else { panic!("opened") };
    rig.run(5000);
    assert!(rig.events.is_empty(), "before there is a far end nothing is missing");
    let silent = |rig: &Rig| rig.count(|e| matches!(e, Event::Silent { since, .. } if *since >= limit));
    rig.connect(A, phone.format());
    rig.run(1980);
    assert_eq!(silent(&rig), 0);
    rig.run(10_000);
    assert_eq!(silent(&rig), 1);
    let packet = phone.tone(440);
    rig.arrive(phone.address, at, packet);
    rig.run(1990);
    assert_eq!(silent(&rig), 1);
    rig.run(100);
    assert_eq!(silent(&rig), 2);
    rig.connect(A, Format { direction: Direction::SendOnly, ..phone.format() });
    rig.run(10_000);
    rig.connect(A, phone.format());
    rig.run(1000);
    assert_eq!(silent(&rig), 2);
}

#[derive(Debug, Default)]
struct Tape(Mutex<Vec<Vec<i16>>>);
impl Sink for Tape {
    fn frame(&self, _: LegId, samples: &[i16]) {
        self.0.lock().expect("one thread").push(samples.to_vec());
    }
}

#[test]
fn a_sink_gets_frames_of_20_ms_whatever_arrives_and_silence_for_what_is_lost() {
    let mut rig = Rig::new(Library::default());
    let mut phone = Phone::new(1, Codec::Pcma);
    let at = rig.call(A, &phone);
    let tape = Arc::new(Tape::default());
    rig.command(Command::Record { leg: A, to: Some(tape.clone()) });
    for n in 0..8 {
        let packet = phone.packet(&[encode(Codec::Pcma, 1000); 240]);
        if n != 4 {
            rig.arrive(phone.address, at, packet);
        }
    }
    rig.command(Command::Record { leg: A, to: None });
    let packet = phone.tone(440);
    rig.arrive(phone.address, at, packet);
    let frames = tape.0.lock().expect("one thread").clone();
    assert_eq!(frames.len(), 12);
    assert!(frames.iter().all(|f| f.len() == 160));
    let all = frames.concat();
    let loud = decode(Codec::Pcma, encode(Codec::Pcma, 1000));
    assert!(all[..960].iter().chain(&all[1200..]).all(|&s| s == loud));
    assert!(all[960..1200].iter().all(|&s| s == 0));
}

#[test]
fn statistics_say_what_was_lost_repeated_and_late() {
    let mut rig = Rig::new(Library::default());
    let mut phone = Phone::new(1, Codec::Pcma);
    let at = rig.call(A, &phone);
    for n in 0..100u64 {
        let packet = phone.tone(440);
        if n % 10 != 3 {
            rig.arrive(phone.address, at, packet.clone());
        }
        if n % 25 == 0 {
            rig.arrive(phone.address, at, packet);
        }
        rig.run(if n == 50 { 120 } else { 20 });
    }
    let stats = rig.close(A);
    assert_eq!((stats.packets_received, stats.packets_lost, stats.packets_late_or_duplicate), (90, 10, 4));
    assert_eq!(stats.longest_gap_ms, 120);
    assert!(stats.packets_sent.abs_diff(105) <= 1 && stats.jitter_ms > 0.0 && stats.jitter_ms < 7.0);
}

#[test]
fn reports_go_out_every_five_seconds_and_tell_the_round_trip() {
    let (mut rig, [(mut a, at_a), _]) = bridged(Codec::Pcma, Codec::Pcma);
    let rtcp_at = SocketAddr::new(at_a.ip(), at_a.port() + 1);
    let rtcp = SocketAddr::new(a.address.ip(), 4001);
    let mut reports = Vec::new();
    for n in 0..1500u64 {
        if n % 4 != 1 {
            let packet = a.tone(440);
            rig.arrive(a.address, at_a, packet);
        } else {
            a.tone(440);
        }
        rig.run(20);
        for sent in rig.sent_to(rtcp) {
            assert_eq!(sent.channel, Channel::Rtcp);
            let mut news = Vec::new();
            assert!(rtp::rtcp::read(&sent.bytes, |n| news.push(n)));
            assert!(sent.bytes.windows(12).any(|w| w == b"hotline@test"));
            reports.push((sent.at, news));
        }
        // The far end answers each report after a while, over a network of 30 ms each way.
        if let Some((at, news)) = reports.last()
            && (100..120).contains(&rig.now.since(*at).as_millis())
            && let rtp::rtcp::News::Sender { ssrc, info } = news[0]
        {
            let block = rtp::rtcp::Block {
                ssrc,
                fraction_lost: 64,
                lost: 5,
                highest_sequence: 0,
                jitter: 80,
                last_sender_report: (info.ntp >> 16) as u32,
                delay_since: (rig.now.since(*at).as_millis() as u32 - 60) * 65_536 / 1000,
            };
            let report =
                rtp::rtcp::Report { ssrc: 9, sender: None, block: Some(block), cname: "", bye: false };
            let mut bytes = [0; rtp::rtcp::REPORT_BYTES_MAX];
            let length = report.write(&mut bytes);
            rig.arrive(rtcp, rtcp_at, bytes[..length].to_vec());
        }
    }
    assert!((4..=11).contains(&reports.len()), "{} reports in 30 s", reports.len());
    let [rtp::rtcp::News::Sender { info, .. }, rtp::rtcp::News::Block { block, .. }] = reports[2].1[..]
    else {
        panic!("{:?}", reports[2])
    };
    assert!(info.packets > 100 && info.octets == info.packets * 160);
    assert!(block.fraction_lost.abs_diff(64) <= 2 && block.ssrc == a.header.ssrc, "{block:?}");
    let stats = rig.close(A);
    assert!(stats.round_trip_ms.is_some_and(|ms| (ms - 60.0).abs() < 1.0), "{:?}", stats.round_trip_ms);
    assert_eq!((stats.remote_loss, stats.remote_jitter_ms), (Some(0.25), Some(10.0)));
    let bye = rig.sent_to(rtcp).pop().expect("a last word");
    let mut said = false;
    rtp::rtcp::read(&bye.bytes, |n| said |= n == rtp::rtcp::News::Bye { ssrc: 0x1100 });
    assert!(said);
}

#[test]
fn refusals_say_why() {
    let mut rig =
        Rig::with(hotline_media::DeckConfig { legs_max: 2, ..Default::default() }, Library::default());
    rig.open(A);
    let failed = |rig: &mut Rig, leg: LegId| {
        rig.command(Command::Open { leg, ip: OURS, ssrc: 1, no_media_after: None });
        match rig.events.pop() {
            Some((_, Event::Failed { leg: l, why })) if l == leg => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(failed(&mut rig, A).contains("open already"));
    rig.net.refuse = Some("all media ports are in use".into());
    assert!(failed(&mut rig, B).contains("in use"));
    rig.net.refuse = None;
    rig.open(B);
    assert!(failed(&mut rig, LegId(9)).contains("all 2 legs"));
    // Late commands of legs that are gone.
    rig.close(A);
    for command in [
        Command::Close { leg: A },
        Command::Bridge { a: A, b: B },
        Command::Bridge { a: B, b: B },
        Command::Stop { leg: A },
    ] {
        rig.command(command);
    }
    rig.run(100);
    assert!(matches!(rig.events.last(), Some((_, Event::Closed { leg: A, .. }))));
}

proptest! {
    /// Random and half-true datagrams on both channels: nothing panics, the grid goes on, we speak to no stranger.
    #[test]
    fn whatever_arrives_nothing_breaks(
        datagrams in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..200), 0..3u8, any::<bool>(), any::<bool>(), 0..40u64), 0..60),
    ) {
        let (mut rig, [(a, at_a), (b, at_b)]) = bridged(Codec::Pcma, Codec::Pcmu);
        for (mut bytes, kind, at_first, rtcp, wait) in datagrams {
            if bytes.len() > 2 && kind > 0 {
                bytes[0] = bytes[0] & 0x3f | 0x80;
                bytes[1] = match (kind, rtcp) {
                    (_, true) => 200 + bytes[1] % 4,
                    (1, _) => [0, 8, 101, 13][usize::from(bytes[1] % 4)],
                    _ => 101,
                };
            }
            let (from, to) = if at_first { (a.address, at_a) } else { (b.address, at_b) };
            let to = SocketAddr::new(to.ip(), to.port() + u16::from(rtcp));
            rig.arrive(from, to, bytes);
            rig.run(wait);
        }
        rig.run(40);
        let known = [a.address.ip(), b.address.ip()];
        prop_assert!(rig.net.sent.iter().all(|s| known.contains(&s.to.ip())));
        prop_assert!(rig.net.sent.len() >= 2);
    }
}

/// `arrived` takes a few at a time: a flood on one socket leaves the rest for later.
#[test]
fn a_flood_waits_its_turn() {
    let mut rig = Rig::new(Library::default());
    let mut phone = Phone::new(1, Codec::Pcma);
    let at = rig.call(A, &phone);
    for _ in 0..100 {
        let packet = phone.tone(440);
        rig.deliver(phone.address, at, packet);
    }
    let mut out = Outbox::new();
    let more = rig.deck.arrived(Time::from_millis(1001), Slot(0), Channel::Rtp, &mut rig.net, &mut out);
    assert!(more);
    assert!(rig.close(A).packets_received <= 16);
}
