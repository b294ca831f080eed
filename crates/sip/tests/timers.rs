//! Every timer of the four transactions, on both kinds of transport (RFC 3261 table 4, RFC 6026).
use hotline_core::{Time, TimerQueue};
use hotline_sip::transaction::*;
use std::time::Duration;

const TIMES: Times =
    Times { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) };
use Wire::{Reliable, Unreliable};

enum Machine {
    InviteClient(InviteClient),
    Client(Client),
    InviteServer(InviteServer),
    Server(Server),
}

#[derive(Clone, Copy)]
enum In {
    Response(u16),
    Respond(u16),
    Again,
    Ack,
    Broken,
}
use In::*;

/// Runs a machine through inputs at their milliseconds; what it did, with the millisecond.
struct Script {
    machine: Machine,
    did: Vec<(u64, Step)>,
    timers: TimerQueue<Letter>,
    ended: bool,
}

impl Script {
    fn new(kind: &str, wire: Wire) -> Script {
        let mut steps = Steps::new();
        let machine = match kind {
            "INVITE client" => Machine::InviteClient(InviteClient::start(&TIMES, wire, &mut steps)),
            "client" => Machine::Client(Client::start(&TIMES, wire, &mut steps)),
            "INVITE server" => Machine::InviteServer(InviteServer::start(wire)),
            _ => Machine::Server(Server::start(wire)),
        };
        let mut script = Script { machine, did: Vec::new(), timers: TimerQueue::new(), ended: false };
        script.perform(Time::ZERO, steps);
        script
    }

    fn perform(&mut self, now: Time, steps: Steps) {
        for step in steps {
            assert!(!self.ended, "{step:?} after the end");
            match step {
                Step::Arm(letter, after) => self.timers.set(letter, now + after, letter.why()),
                Step::Disarm(letter) => {
                    self.timers.cancel(&letter);
                }
                Step::End => self.ended = true,
                _ => {}
            }
            self.did.push((now.as_millis(), step));
        }
    }

    fn run(mut self, inputs: &[(u64, In)], until: u64) -> Script {
        for (at, input) in inputs {
            self.until(*at);
            let mut steps = Steps::new();
            match (&mut self.machine, input) {
                (Machine::InviteClient(m), Response(code)) => {
                    m.handle(&TIMES, ClientInput::Response(*code), &mut steps)
                }
                (Machine::Client(m), Response(code)) => {
                    m.handle(&TIMES, ClientInput::Response(*code), &mut steps)
                }
                (Machine::InviteClient(m), Broken) => {
                    m.handle(&TIMES, ClientInput::TransportFailed, &mut steps)
                }
                (Machine::Client(m), Broken) => m.handle(&TIMES, ClientInput::TransportFailed, &mut steps),
                (Machine::InviteServer(m), input) => m.handle(&TIMES, server_input(*input), &mut steps),
                (Machine::Server(m), input) => m.handle(&TIMES, server_input(*input), &mut steps),
                _ => unreachable!(),
            }
            self.perform(Time::from_millis(*at), steps);
        }
        self.until(until);
        self
    }

    fn until(&mut self, ms: u64) {
        while let Some(at) = self.timers.deadline().map(|d| d.at).filter(|at| at.as_millis() <= ms) {
            let letter = self.timers.pop_due(at).expect("it is due");
            if self.ended {
                continue;
            }
            let mut steps = Steps::new();
            match &mut self.machine {
                Machine::InviteClient(m) => m.handle(&TIMES, ClientInput::Timer(letter), &mut steps),
                Machine::Client(m) => m.handle(&TIMES, ClientInput::Timer(letter), &mut steps),
                Machine::InviteServer(m) => m.handle(&TIMES, ServerInput::Timer(letter), &mut steps),
                Machine::Server(m) => m.handle(&TIMES, ServerInput::Timer(letter), &mut steps),
            }
            self.perform(at, steps);
        }
    }

    fn at(&self, wanted: Step) -> Vec<u64> {
        self.did.iter().filter(|(_, step)| *step == wanted).map(|(at, _)| *at).collect()
    }
}

fn server_input(input: In) -> ServerInput {
    match input {
        Respond(code) => ServerInput::Respond(code),
        Again => ServerInput::Again,
        Ack => ServerInput::Ack,
        Broken => ServerInput::TransportFailed,
        Response(_) => unreachable!(),
    }
}

const DOUBLING_TO_T2: [u64; 11] = [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500];

#[test]
fn transactions_keep_the_times_of_the_rfc() {
    // kind, wire, inputs; then when it sends, acknowledges, tells its user, times out, and ends.
    type Row<'a> = (&'a str, Wire, &'a [(u64, In)], &'a [u64], &'a [u64], &'a [u64], &'a [u64], &'a [u64]);
    let rows: &[Row<'_>] = &[
        // A doubles without bound, B at 64*T1.
        (
            "INVITE client",
            Unreliable,
            &[],
            &[0, 500, 1500, 3500, 7500, 15500, 31500],
            &[],
            &[],
            &[32000],
            &[32000],
        ),
        ("INVITE client", Reliable, &[], &[0], &[], &[], &[32000], &[32000]),
        // A provisional response stops A and B; nothing ends it but the user.
        (
            "INVITE client",
            Unreliable,
            &[(600, Response(180)), (700, Response(183))],
            &[0, 500],
            &[],
            &[600, 700],
            &[],
            &[],
        ),
        // D: 64*T1 on datagrams, none on streams; each repeated refusal gets its ACK.
        (
            "INVITE client",
            Unreliable,
            &[(100, Response(486)), (1000, Response(486)), (32099, Response(486))],
            &[0],
            &[100, 1000, 32099],
            &[100],
            &[],
            &[32100],
        ),
        ("INVITE client", Reliable, &[(100, Response(486))], &[0], &[100], &[100], &[], &[100]),
        // M: 64*T1 on both; 2xx go up each time, refusals not.
        (
            "INVITE client",
            Unreliable,
            &[(100, Response(200)), (600, Response(200)), (700, Response(486)), (800, Response(180))],
            &[0],
            &[],
            &[100, 600],
            &[],
            &[32100],
        ),
        (
            "INVITE client",
            Reliable,
            &[(50, Response(100)), (100, Response(200)), (600, Response(200))],
            &[0],
            &[],
            &[50, 100, 600],
            &[],
            &[32100],
        ),
        // E doubles to T2, F at 64*T1.
        ("client", Unreliable, &[], &DOUBLING_TO_T2, &[], &[], &[32000], &[32000]),
        ("client", Reliable, &[], &[0], &[], &[], &[32000], &[32000]),
        // In Proceeding E fires every T2.
        (
            "client",
            Unreliable,
            &[(600, Response(100))],
            &[0, 500, 1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500],
            &[],
            &[600],
            &[32000],
            &[32000],
        ),
        // K: T4 on datagrams, none on streams; repeated responses are absorbed.
        (
            "client",
            Unreliable,
            &[(100, Response(200)), (200, Response(200))],
            &[0],
            &[],
            &[100],
            &[],
            &[5100],
        ),
        ("client", Reliable, &[(100, Response(404))], &[0], &[], &[100], &[], &[100]),
        // G doubles to T2, H at 64*T1.
        ("INVITE server", Unreliable, &[(0, Respond(486))], &DOUBLING_TO_T2, &[], &[], &[32000], &[32000]),
        ("INVITE server", Reliable, &[(0, Respond(486))], &[0], &[], &[], &[32000], &[32000]),
        // ACK stops G and H; I: T4 on datagrams, none on streams.
        (
            "INVITE server",
            Unreliable,
            &[(0, Respond(486)), (600, Ack), (700, Again), (800, Ack)],
            &[0, 500],
            &[],
            &[],
            &[],
            &[5600],
        ),
        ("INVITE server", Reliable, &[(0, Respond(486)), (600, Ack)], &[0], &[], &[], &[], &[600]),
        // A repeated INVITE gets the last response, after a 2xx nothing (RFC 6026); L: 64*T1.
        (
            "INVITE server",
            Unreliable,
            &[(0, Respond(100)), (10, Respond(180)), (500, Again), (600, Respond(200)), (700, Again)],
            &[0, 10, 500, 600],
            &[],
            &[],
            &[],
            &[32600],
        ),
        ("INVITE server", Reliable, &[(0, Respond(200))], &[0], &[], &[], &[], &[32000]),
        // J: 64*T1 on datagrams, none on streams.
        (
            "server",
            Unreliable,
            &[(10, Again), (100, Respond(200)), (600, Again), (32099, Again)],
            &[100, 600, 32099],
            &[],
            &[],
            &[],
            &[32100],
        ),
        (
            "server",
            Unreliable,
            &[(10, Respond(100)), (20, Again), (100, Respond(200)), (200, Respond(404))],
            &[10, 20, 100],
            &[],
            &[],
            &[],
            &[32100],
        ),
        ("server", Reliable, &[(100, Respond(200))], &[100], &[], &[], &[], &[100]),
    ];
    for (i, (kind, wire, inputs, sends, acks, ups, timed_out, ends)) in rows.iter().enumerate() {
        let script = Script::new(kind, *wire).run(inputs, 100_000);
        let row = format!("row {i}: {kind}, {wire:?}");
        assert_eq!(script.at(Step::Send), *sends, "{row}: sends");
        assert_eq!(script.at(Step::Ack), *acks, "{row}: acknowledges");
        assert_eq!(script.at(Step::Up), *ups, "{row}: tells");
        assert_eq!(script.at(Step::TimedOut), *timed_out, "{row}: times out");
        assert_eq!(script.at(Step::End), *ends, "{row}: ends");
        if script.ended {
            assert!(script.timers.is_empty(), "{row}: a timer without an owner");
        }
    }
}

#[test]
fn a_broken_transport_ends_what_waits_for_an_answer() {
    for kind in ["INVITE client", "client"] {
        let script = Script::new(kind, Reliable).run(&[(100, Broken)], 100_000);
        assert_eq!(script.at(Step::Failed), [100]);
        assert_eq!(script.at(Step::End), [100]);
    }
    let open = Script::new("INVITE server", Reliable).run(&[(100, Broken), (200, Respond(200))], 1_000);
    assert_eq!(open.at(Step::Send), [200], "who was called may still answer");
}
