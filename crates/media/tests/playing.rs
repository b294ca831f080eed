//! What a caller hears of prompts, comfort and keys, packet by packet.
mod rig;
use hotline_core::{PlayId, Time};
use hotline_media::{Codec, Command, DeckConfig, Direction, Event, Format, Library, Piece};
use rig::*;
use std::net::SocketAddr;
use std::time::Duration;

fn is_comfort(sent: &Sent, codec: Codec) -> bool {
    sent.payload() == [encode(codec, 0); 160]
}

#[test]
fn a_prompt_starts_at_once_stays_on_the_grid_and_ends_in_comfort() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let mut rig = Rig::new(library());
        let phone = Phone::new(1, codec);
        rig.call(A, &phone);
        rig.run(95);
        let before = rig.sent_to(phone.address);
        assert!((4..=5).contains(&before.len()) && before.iter().all(|s| is_comfort(s, codec)));

        let asked = rig.now;
        rig.play(A, 7, &[SOUND], false);
        rig.run(205);
        let all = [before, rig.sent_to(phone.address)].concat();
        let first = all.iter().position(|s| !is_comfort(s, codec)).expect("the prompt");
        assert_eq!(all[first].at, asked, "nobody waits for the grid");
        assert!(all[first].header().marker && all[0].header().marker);

        // One stream: numbers and timestamps without a seam, never faster or slower than the clock.
        for (i, pair) in all.windows(2).enumerate() {
            let (a, b) = (pair[0].header(), pair[1].header());
            assert_eq!(b.sequence.wrapping_sub(a.sequence), 1);
            assert_eq!(b.timestamp.wrapping_sub(a.timestamp), 160);
            assert_eq!((a.ssrc, a.payload_type), (0x1100, phone.header.payload_type));
            if i != first && i + 1 != first {
                assert_eq!(pair[1].at.since(pair[0].at), Duration::from_millis(20), "packet {i}");
            }
        }
        assert_eq!(all[first + 1].at.since(all[first - 1].at), Duration::from_millis(40));

        let sound: Vec<i16> = (1..=840).map(|i| i * 16).collect();
        let payload: Vec<u8> = all[first..].iter().flat_map(|s| s.payload().to_vec()).collect();
        assert!(sound.iter().zip(&payload).all(|(&s, &p)| encode(codec, s) == p));
        assert!(payload[840..].iter().all(|&p| p == encode(codec, 0)));
        let played = rig.events.iter().find(|(_, e)| matches!(e, Event::Played { play: PlayId(7), .. }));
        assert_eq!(played.map(|(at, _)| *at), Some(all[first + 5].at), "with its last packet");
    }
}

#[test]
fn plays_that_end_do_not_answer_for_each_other() {
    let mut rig = Rig::new(library());
    rig.call(A, &Phone::new(1, Codec::Pcma));
    rig.play(A, 1, &[SOUND], true);
    rig.run(500);
    rig.play(A, 2, &[SOUND], false);
    rig.run(50);
    rig.command(Command::Stop { leg: A });
    rig.run(300);
    rig.play(A, 3, &[], false);
    rig.run(300);
    rig.play(A, 4, &[SOUND], false);
    rig.run(300);
    let played: Vec<u32> = rig
        .events
        .iter()
        .filter_map(|(_, e)| if let Event::Played { play, .. } = e { Some(play.0) } else { None })
        .collect();
    assert_eq!(played, [3, 4]);
}

#[test]
fn a_play_before_connect_waits_for_it() {
    let mut rig = Rig::new(library());
    let phone = Phone::new(1, Codec::Pcma);
    rig.open(A);
    rig.play(A, 1, &[SOUND], false);
    rig.run(1000);
    assert_eq!((rig.net.sent.len(), rig.count(|e| matches!(e, Event::Played { .. }))), (0, 0));
    rig.connect(A, phone.format());
    rig.run(200);
    assert_eq!(rig.count(|e| matches!(e, Event::Played { .. })), 1);
    let first = &rig.sent_to(phone.address)[0];
    assert_eq!(first.payload()[..3], [16, 32, 48].map(|s| encode(Codec::Pcma, s)));
}

#[test]
fn legs_leave_in_different_milliseconds() {
    let mut rig = Rig::new(Library::default());
    for n in 0..100 {
        rig.call(hotline_core::LegId(n), &Phone::new(n as u8, Codec::Pcmu));
    }
    rig.run(40);
    let from = rig.now - Duration::from_millis(20);
    let mut at: Vec<Time> = rig.net.sent.iter().map(|s| s.at).filter(|&at| at > from).collect();
    assert_eq!(at.len(), 100);
    at.dedup();
    assert_eq!(at.len(), 20);
}

#[test]
fn packet_times_as_negotiated() {
    for (ptime_ms, bytes, packets) in
        [(10, 80, 60), (20, 160, 30), (30, 240, 20), (60, 480, 10), (50, 400, 12)]
    {
        let mut rig = Rig::new(library());
        let phone = Phone::new(1, Codec::Pcma);
        rig.open(A);
        rig.connect(A, Format { ptime_ms, ..phone.format() });
        rig.play(A, 1, &[SOUND], true);
        rig.run(600);
        let sent = rig.sent_to(phone.address);
        assert!(sent.len().abs_diff(packets) <= 1, "{ptime_ms} ms: {}", sent.len());
        assert!(sent.iter().all(|s| s.payload().len() == bytes), "{ptime_ms} ms");
        let spread = sent
            .windows(2)
            .all(|p| p[1].header().timestamp.wrapping_sub(p[0].header().timestamp) == bytes as u32);
        assert!(spread, "{ptime_ms} ms");
    }
}

#[test]
fn a_late_tick_catches_up_a_little_and_leaves_out_the_rest() {
    let mut rig = Rig::new(library());
    let phone = Phone::new(1, Codec::Pcma);
    rig.call(A, &phone);
    rig.run(100);
    let before = rig.sent_to(phone.address).last().expect("comfort").header();

    rig.now += Duration::from_millis(80);
    rig.tick();
    let late = rig.sent_to(phone.address);
    assert_eq!(late.len(), 4, "all that was missed");
    assert_eq!(late[3].header().timestamp.wrapping_sub(before.timestamp), 4 * 160);

    rig.now += Duration::from_secs(10);
    rig.tick();
    let late = rig.sent_to(phone.address);
    assert!((2..=6).contains(&late.len()), "{} packets at once", late.len());
    rig.run(20);
    let next = rig.sent_to(phone.address);
    // The line of timestamps has kept up with the clock, the numbers have not moved.
    let last = next.last().expect("a packet").header();
    let ticks = last.timestamp.wrapping_sub(before.timestamp);
    assert!(ticks.abs_diff(8 * 10_100) <= 2 * 160, "{ticks}");
    assert_eq!(last.sequence.wrapping_sub(before.sequence) as usize, 4 + late.len() + next.len());
}

#[test]
fn on_hold_we_keep_our_mouth_shut_and_time_goes_on() {
    let mut rig = Rig::new(library());
    let phone = Phone::new(1, Codec::Pcma);
    rig.call(A, &phone);
    rig.run(100);
    let before = rig.sent_to(phone.address);
    let nowhere = SocketAddr::from(([0, 0, 0, 0], 4000));
    let holds = [
        Format { direction: Direction::RecvOnly, ..phone.format() },
        Format { direction: Direction::Inactive, ..phone.format() },
        Format { remote: nowhere, ..phone.format() },
    ];
    for (n, hold) in holds.into_iter().enumerate() {
        rig.connect(A, hold);
        rig.play(A, n as u32, &[SOUND], false);
        rig.run(1000);
        assert!(rig.sent_to(phone.address).is_empty() && rig.sent_to(nowhere).is_empty());
        assert_eq!(rig.count(|e| matches!(e, Event::Played { .. })), n + 1, "a flow goes on");
    }
    rig.connect(A, phone.format());
    rig.run(20);
    let after = rig.sent_to(phone.address);
    let (a, b) = (before.last().expect("before").header(), after[0].header());
    assert_eq!(b.sequence.wrapping_sub(a.sequence), 1);
    assert!(b.timestamp.wrapping_sub(a.timestamp).abs_diff(8 * 3000) <= 3 * 160 && b.marker);
}

#[test]
fn no_comfort_when_not_wanted() {
    let mut rig = Rig::with(DeckConfig { comfort: false, ..DeckConfig::default() }, library());
    let phone = Phone::new(1, Codec::Pcma);
    rig.call(A, &phone);
    rig.run(1000);
    assert!(rig.sent_to(phone.address).is_empty());
    rig.play(A, 1, &[SOUND], false);
    rig.run(200);
    assert_eq!(rig.sent_to(phone.address).len(), 6);
}

#[test]
fn digits_go_out_as_events_with_a_pause() {
    let mut rig = Rig::new(library());
    let phone = Phone::new(1, Codec::Pcma);
    rig.call(A, &phone);
    rig.play(A, 1, &[SOUND], true);
    rig.run(100);
    rig.sent_to(phone.address);
    let each = Duration::from_millis(100);
    rig.command(Command::SendDigits { leg: A, digits: "1x#".into(), each, pause: each });
    rig.run(600);
    let sent = rig.sent_to(phone.address);
    let events: Vec<_> = sent.iter().filter(|s| s.header().payload_type == EVENTS).collect();
    assert_eq!(events.len(), 16);
    for (press, code) in events.chunks(8).zip([1, 11]) {
        let told: Vec<_> = press.iter().filter_map(|s| rtp::event::Event::parse(s.payload())).collect();
        assert_eq!(
            told.iter().map(|e| e.duration).collect::<Vec<_>>(),
            [160, 320, 480, 640, 800, 800, 800, 800]
        );
        assert_eq!(
            told.iter().map(|e| e.end).collect::<Vec<_>>(),
            [false, false, false, false, false, true, true, true]
        );
        assert!(told.iter().all(|e| e.code == code));
        assert!(press.iter().all(|s| s.header().timestamp == press[0].header().timestamp));
        assert_eq!(press.iter().filter(|s| s.header().marker).count(), 1);
        assert!(press[0].header().marker);
    }
    assert!(events[8].at.since(events[7].at) >= each);
    assert!(sent.windows(2).all(|p| p[1].header().sequence == p[0].header().sequence.wrapping_add(1)));
    assert!(sent.windows(2).all(|p| p[1].at.since(p[0].at) == Duration::from_millis(20)));
    let last = sent.last().expect("the prompt goes on");
    assert!(last.header().payload_type == 8 && !is_comfort(last, Codec::Pcma));

    // A deck of ours hears them as they were meant.
    let mut ear = Rig::new(Library::default());
    let there = ear.call(B, &phone);
    sent.iter().for_each(|s| ear.arrive(phone.address, there, s.bytes.clone()));
    assert_eq!(ear.digits(B), "1#");
}

#[test]
fn digits_go_out_as_tones_where_events_were_not_agreed() {
    let mut rig = Rig::new(Library::default());
    let phone = Phone::new(1, Codec::Pcmu);
    rig.open(A);
    rig.connect(A, Format { dtmf_out: None, ..phone.format() });
    rig.run(20);
    rig.sent_to(phone.address);
    let each = Duration::from_millis(100);
    rig.command(Command::SendDigits { leg: A, digits: "5".into(), each, pause: each });
    rig.run(100);
    let samples = heard(&rig.sent_to(phone.address));
    assert_eq!(samples.len(), 800);
    assert!(share_of(&samples, 770) > 0.45 && share_of(&samples, 1336) > 0.45);
}

#[test]
fn say_and_tone_pieces() {
    let mut rig = Rig::new(library());
    let phone = Phone::new(1, Codec::Pcma);
    rig.call(A, &phone);
    let tone = Piece::Tone { hz: [1004, 0], length: Duration::from_secs(1), dbm0: 0 };
    rig.play(A, 1, &[Piece::Silence(Duration::from_millis(200)), tone], false);
    rig.run(1220);
    let samples = heard(&rig.sent_to(phone.address));
    assert!(share_of(&samples[..1600], 1004) < 0.01);
    assert!(share_of(&samples[1600..9600], 1004) > 0.99);
}
