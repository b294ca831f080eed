//! The control socket of a whole engine, with real calls going on.
mod lab;

use hotline_server::Exit;
use hotline_server::control::protocol::{Answer, REQUEST_BYTES_MAX, Request, Show};
use hotline_server::control::{AskError, ask};
use hotline_server::ua::{Answering, Do, Seen, Voice};
use lab::{CALLER, Lab, PATIENCE, control, end, until};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

fn show(socket: &Path, what: Show) -> Answer {
    ask(socket, &Request::Show(what)).expect("an answer")
}

#[test]
fn every_subject_is_answered_while_a_call_goes_on() {
    let lab = Lab::start();
    let socket = lab.control();
    assert_eq!(show(&socket, Show::Calls), Answer::Calls(vec![]));
    assert_eq!(show(&socket, Show::Records { limit: 5, call: None }), Answer::Records(vec![]));

    let phone = lab.phone("alice", Answering::After(Duration::ZERO), Voice::Tone(700));
    let caller = lab.call("queue", "");
    until(&caller, |seen| *seen == Seen::Answered);
    until(&phone, |seen| *seen == Seen::Answered);
    until(&phone, |seen| *seen == Seen::Heard);

    let Answer::Calls(calls) = show(&socket, Show::Calls) else { panic!("calls") };
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!((call.call, call.caller.as_str(), call.dialled.as_str()), (1, CALLER, "queue"));
    assert_eq!(call.agent.as_deref(), Some("alice"));
    let Answer::Agents(agents) = show(&socket, Show::Agents) else { panic!("agents") };
    let names: Vec<&str> = agents.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    assert_eq!((agents[0].call, agents[0].contacts, agents[1].contacts), (Some(1), 1, 0));
    let Answer::Queues(queues) = show(&socket, Show::Queues) else { panic!("queues") };
    let one = queues.iter().find(|q| q.name == "one").expect("its queue");
    assert_eq!((one.waiting, one.talking, one.offered, one.answered), (0, 1, 1, 1), "{one:?}");
    let Answer::Timers(timers) = show(&socket, Show::Timers) else { panic!("timers") };
    assert!(
        !timers.is_empty() && timers.iter().all(|t| !t.owner.is_empty() && !t.why.is_empty()),
        "{timers:?}"
    );
    let Answer::Registrations(phones) = show(&socket, Show::Registrations) else { panic!("registrations") };
    assert_eq!(phones.len(), 1, "{phones:?}");
    assert!(phones[0].user == "alice" && phones[0].expires_in_ms > 0, "{phones:?}");
    let Answer::Status(status) = show(&socket, Show::Status) else { panic!("status") };
    assert_eq!((status.calls, status.calls_total, status.agents_signed_in), (1, 1, 1), "{status:?}");
    assert!(status.sip_received > 3 && status.sip_sent > 3 && !status.draining, "{status:?}");
    assert_eq!((status.store_lost, status.store_trouble), (0, None));
    let Answer::Events(events) = show(&socket, Show::Events { limit: 100, call: Some(1) }) else {
        panic!("events")
    };
    assert!(!events.is_empty() && events.iter().all(|e| e["call"] == 1), "{events:?}");

    let done = ask(&socket, &Request::HangUp { call: 1, by: "test".into() });
    assert!(matches!(done, Ok(Answer::Done(_))), "{done:?}");
    assert_eq!(end(&caller), "the other side hung up");
    assert_eq!(end(&phone), "the other side hung up");
    let gone = ask(&socket, &Request::HangUp { call: 99, by: "test".into() });
    assert!(matches!(gone, Ok(Answer::Error(_))), "{gone:?}");
    // The record is written when both parties have said goodbye.
    let records = (0..100)
        .find_map(|_| match show(&socket, Show::Records { limit: 5, call: None }) {
            Answer::Records(records) if !records.is_empty() => Some(records),
            _ => None,
        })
        .expect("a record");
    assert_eq!((records.len(), &records[0]["agent"]), (1, &"alice".into()), "{records:?}");
}

/// One line and its answer.
fn say(client: &mut BufReader<UnixStream>, bytes: &[u8]) -> String {
    client.get_mut().write_all(bytes).expect("the engine reads");
    answer(client)
}

fn answer(client: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    client.read_line(&mut line).expect("text");
    line
}

fn client(socket: &Path) -> BufReader<UnixStream> {
    let stream = UnixStream::connect(socket).expect("the engine accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    BufReader::new(stream)
}

#[test]
fn what_is_no_request_is_answered_and_what_is_too_long_ends_the_connection() {
    let lab = Lab::start();
    let mut asker = client(&lab.control());
    for wrong in [
        &b"\n"[..],
        b"calls\n",
        b"{\"show\":\"secrets\"}\n",
        b"{\"show\":{\"records\":{\"limit\":-1,\"call\":null}}}\n",
        b"\xff\xfe\x00\n",
        b"[[[[[[[[[[\n",
    ] {
        let said = say(&mut asker, wrong);
        assert!(said.starts_with(r#"{"error":"#), "{said}");
    }
    assert_eq!(say(&mut asker, b"{\"show\":\"calls\"}\n"), "{\"calls\":[]}\n", "the connection goes on");
    let endless = vec![b'['; REQUEST_BYTES_MAX];
    let said = say(&mut asker, &endless);
    assert!(said.contains("at most 65536 bytes"), "{said}");
    let mut rest = vec![];
    assert!(matches!(asker.read_to_end(&mut rest), Ok(0)), "{rest:?}");
}

#[test]
fn one_operator_does_not_wait_for_another() {
    let lab = Lab::start();
    let (mut slow, mut quick) = (client(&lab.control()), client(&lab.control()));
    slow.get_mut().write_all(b"{\"show\":").expect("the engine reads");
    assert!(say(&mut quick, b"{\"show\":\"status\"}\n").starts_with(r#"{"status":"#));
    // Two requests in one write have two answers in their order.
    let both = say(&mut quick, b"{\"show\":\"calls\"}\n{\"show\":\"agents\"}\n");
    assert!(both.starts_with(r#"{"calls":"#) && answer(&mut quick).starts_with(r#"{"agents":"#));
    assert!(say(&mut slow, b"\"queues\"}\n").starts_with(r#"{"queues":"#));
}

#[test]
fn a_drain_lets_a_call_go_on_and_takes_no_other() {
    let lab = Lab::start();
    let socket = lab.control();
    let caller = lab.call("stay", "");
    until(&caller, |seen| *seen == Seen::Answered);
    lab.shell.line().drain();
    let Answer::Status(status) = show(&socket, Show::Status) else { panic!("status") };
    assert!(status.draining && status.calls == 1, "{status:?}");
    assert!(end(&lab.call("stay", "")).contains("503"));
    caller.tell(Do::HangUp);
    assert_eq!(end(&caller), "hung up here");
    assert_eq!(lab.shell.wait(), Exit::Drained);
    assert!(matches!(ask(&socket, &Request::Show(Show::Status)), Err(AskError::NotRunning { .. })));
    assert!(!socket.exists(), "the socket is put away");
}

#[test]
fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let folder = TempDir::new().expect("a temporary folder");
    let socket = control(folder.path());
    std::fs::create_dir_all(socket.parent().expect("a folder")).expect("a folder");
    drop(UnixListener::bind(&socket).expect("a socket that its engine left behind"));
    let (first, _told) = lab::start(folder.path()).expect("the lab starts");
    let mode = std::fs::metadata(&socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner may ask");
    let second = lab::start(folder.path()).expect_err("the first one runs").to_string();
    assert!(second.contains("an engine is running already"), "{second}");
    assert!(matches!(show(&socket, Show::Status), Answer::Status(_)), "the first one still answers");
    first.line().stop();
    first.wait();

    std::fs::write(&socket, "somebody's notes").expect("a file");
    let error = lab::start(folder.path()).expect_err("that is no socket").to_string();
    assert!(error.contains("no socket is in its place"), "{error}");
    assert_eq!(std::fs::read_to_string(&socket).expect("a file"), "somebody's notes");
}
