//! What a log may show, at the level that shows most. Alone in its file: the log is the process's.
mod lab;

use hotline_server::ua::{Account, Answering, CallPlan, Do, Plan, Seen, Voice, keys};
use lab::{CALLER, Lab, end, until};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the caller types: as one number, and each key as a log could name it.
const TYPED: &str = "739158";
const ADDRESS: [u8; 4] = [127, 0, 0, 77];

#[test]
fn no_log_shows_who_calls_from_where_or_what_they_type() {
    let log = Captured::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let lab = Lab::start();
    let presses: Vec<String> = TYPED.chars().map(String::from).collect();
    let presses = format!("p1,{},#", presses.join(","));
    for by_info in [false, true] {
        let plan = CallPlan {
            number: "digits".into(),
            keys: keys(&presses).expect("keys"),
            by_info,
            duration: Some(Duration::from_secs(5)),
            voice: Voice::Tone(700),
        };
        let account = Account { user: CALLER.into(), password: None };
        let caller = lab.ua(account, Some(ADDRESS.into()), Plan::Call(plan));
        until(&caller, |seen| *seen == Seen::Pressed { key: '#' });
        end(&caller);
    }
    let phone = lab.phone("alice", Answering::After(Duration::ZERO), Voice::Silence);
    let caller = lab.call("queue", "");
    until(&phone, |seen| *seen == Seen::Heard);
    caller.tell(Do::Press('4'));
    caller.tell(Do::HangUp);
    end(&caller);
    end(&phone);
    lab.shell.line().drain();
    lab.shell.wait();

    let log = String::from_utf8(log.0.lock().expect("no writer panics").clone()).expect("text");
    let lines_with = |what: &str| log.lines().filter(|l| l.contains(what)).collect::<Vec<_>>();
    let address = std::net::IpAddr::from(ADDRESS).to_string();
    for secret in [CALLER, &CALLER[3..], TYPED, &TYPED[..4], &TYPED[2..], &address] {
        assert!(lines_with(secret).is_empty(), "{secret}: {:#?}", lines_with(secret));
    }
    for key in TYPED.chars() {
        for named in
            [format!("'{key}'"), format!("\"{key}\""), format!("digit={key}"), format!("Signal={key}")]
        {
            assert!(lines_with(&named).is_empty(), "{named}: {:#?}", lines_with(&named));
        }
    }
    // It is a log all the same: each call from its start to its end, its legs, its keys.
    for call in ["call-1", "call-2", "call-3"] {
        let lines = lines_with(&format!("call={call}"));
        for what in ["INFO", "a call arrived", "ended", "leg=leg-", "media closed"] {
            assert!(lines.iter().any(|l| l.contains(what)), "{call}: {what} is not in {lines:#?}");
        }
    }
    assert!(lines_with("a key").len() > 2 * TYPED.len(), "keys are counted, not shown");
    assert!(lines_with(" ERROR ").is_empty(), "{:#?}", lines_with(" ERROR "));
}
