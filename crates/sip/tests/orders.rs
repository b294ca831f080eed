//! Every order of up to five inputs, for a session that was called and for one that calls. Whatever comes in
//! whatever order: one end, one final response to each request, one BYE for each dialog, nothing left behind.
mod lab;
use hotline_core::{Outbox, Rng, Time};
use hotline_sip::*;
use lab::{SDP, address, config, hop};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One endpoint and a peer that is only a list of messages.
struct Stage {
    endpoint: Endpoint,
    now: Time,
    dialog: DialogId,
    ended: u32,
    hung_up: bool,
    events: Vec<String>,
    /// Start line, branch, CSeq and To tag of what was sent.
    sent: Vec<Sent>,
    trace: String,
}

#[derive(Clone, Debug)]
struct Sent {
    code: u16,
    method: Method,
    branch: String,
    seq: u32,
    to_tag: String,
    bytes: std::sync::Arc<[u8]>,
}

impl Stage {
    fn new() -> Stage {
        Stage {
            endpoint: Endpoint::new(config(), Rng::from_u64(9)),
            now: Time::from_secs(1),
            dialog: DialogId(1),
            ended: 0,
            hung_up: false,
            events: Vec::new(),
            sent: Vec::new(),
            trace: String::new(),
        }
    }

    fn act(&mut self, act: impl FnOnce(&mut Endpoint, Time, DialogId, &mut Outbox<Output>)) {
        let mut out = Outbox::new();
        act(&mut self.endpoint, self.now, self.dialog, &mut out);
        for output in out.take() {
            match output {
                Output::Send { bytes, .. } => {
                    // Sent again as it was: no need to read it again.
                    if let Some(again) = self.sent.iter().find(|s| std::sync::Arc::ptr_eq(&s.bytes, &bytes)) {
                        let again = again.clone();
                        self.sent.push(again);
                        continue;
                    }
                    let m =
                        Message::parse(&bytes, &ParseLimits::default()).expect("what we send can be read");
                    let text = |b: Option<&[u8]>| String::from_utf8_lossy(b.unwrap_or_default()).into_owned();
                    self.sent.push(Sent {
                        code: m.code(),
                        method: m.cseq().method,
                        branch: text(m.via().branch),
                        seq: m.cseq().number,
                        to_tag: text(m.to().tag),
                        bytes: bytes.clone(),
                    });
                }
                Output::Event(event) => {
                    if lab::dialog_of(&event) == Some(self.dialog) {
                        assert_eq!(self.ended, 0, "{}: {event:?} after Ended", self.trace);
                    }
                    let name = lab::name(&event);
                    if self.hung_up {
                        let quiet = ["Answered", "Offer", "Acked", "Progress", "Bye", "NoAck"];
                        assert!(
                            !quiet.iter().any(|q| name.starts_with(q)),
                            "{}: {name} after hang_up",
                            self.trace
                        );
                    }
                    if matches!(event, Event::Ended { dialog } if dialog == self.dialog) {
                        self.ended += 1;
                    }
                    self.events.push(name);
                }
            }
        }
    }

    fn receive(&mut self, text: &str) {
        let hop = hop(Transport::Udp, 1);
        self.act(|e, now, _, out| e.receive(now, hop, text.as_bytes(), out));
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some(at) = self.endpoint.deadline().map(|d| d.at).filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.act(|e, now, _, out| e.wake(now, out));
        }
        self.now = until;
    }

    fn hang_up(&mut self) {
        self.hung_up = true;
        self.act(|e, now, d, out| e.hang_up(now, d, 480, "", out));
    }

    /// The user hangs up at last; the peer is dead.
    fn finish(&mut self) {
        self.hang_up();
        self.wait(130_000);
        assert_eq!(self.ended, 1, "{}: {:?}", self.trace, self.events);
        assert_eq!(self.endpoint.counts(), Counts::default(), "{}", self.trace);
        for list in [&["Answered"][..], &["NoAck"], &["Bye", "Cancelled"]] {
            let times = self.events.iter().filter(|e| list.contains(&e.as_str())).count();
            assert!(times <= 1, "{}: {list:?} {times} times", self.trace);
        }
    }

    fn requests(&self, method: Method) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(move |s| s.code == 0 && s.method == method)
    }
}

fn request(method: &str, branch: &str, seq: u32, to_tag: &str, sdp: bool) -> String {
    let to = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    let (kind, body) = match sdp {
        true => ("Content-Type: application/sdp\r\n", String::from_utf8_lossy(SDP).into_owned()),
        false => ("", String::new()),
    };
    format!(
        "{method} sip:100@{} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:peer@hotline.test>;tag=peer\r\nTo: <sip:100@hotline.test>{to}\r\nCall-ID: orders\r\n\
         CSeq: {seq} {method}\r\nContact: <sip:peer@{}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        address(1),
        address(0),
        address(0),
        body.len()
    )
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Called {
    InviteAgain,
    Cancel,
    Ack,
    Bye,
    Reinvite,
    Ring,
    Accept,
    Refuse,
    HangUp,
    Wait,
    WaitLong,
}

fn called(inputs: &[Called]) {
    let mut stage = Stage::new();
    stage.trace = format!("{inputs:?}");
    stage.receive(&request("INVITE", "i", 1, "", true));
    let (mut seq, mut waited) = (1, false);
    for input in inputs {
        let tag = stage.sent.iter().rev().find(|s| s.method == Method::Invite && s.code > 100 && s.seq == 1);
        let (tag, final_code) = tag.map(|s| (s.to_tag.clone(), s.code)).unwrap_or_default();
        match input {
            // After its transaction it would open another session, as without a tag does a re-INVITE.
            Called::InviteAgain if waited => {}
            Called::InviteAgain => stage.receive(&request("INVITE", "i", 1, "", true)),
            Called::Cancel => stage.receive(&request("CANCEL", "i", 1, "", false)),
            Called::Ack if final_code >= 300 => stage.receive(&request("ACK", "i", 1, &tag, false)),
            Called::Ack => stage.receive(&request("ACK", &format!("a{seq}"), seq, &tag, false)),
            Called::Bye => {
                stage.receive(&request("BYE", &format!("b{}{tag}", seq + 1), seq + 1, &tag, false))
            }
            Called::Reinvite if tag.is_empty() => {}
            Called::Reinvite => {
                seq += 1;
                stage.receive(&request("INVITE", &format!("r{seq}"), seq, &tag, true));
                stage.act(|e, now, d, out| e.accept_offer(now, d, SDP, out));
            }
            Called::Ring => stage.act(|e, now, d, out| e.ring(now, d, 180, None, out)),
            Called::Accept => stage.act(|e, now, d, out| e.accept(now, d, SDP, &[], out)),
            Called::Refuse => stage.act(|e, now, d, out| e.refuse(now, d, 486, &[], out)),
            Called::HangUp => stage.hang_up(),
            Called::Wait => stage.wait(600),
            Called::WaitLong => {
                waited = true;
                stage.wait(40_000);
            }
        }
    }
    stage.finish();
    // Each of their requests has one final response, however often it came (waits aside: those are forgotten).
    let mut finals: BTreeMap<(String, u32, &str), BTreeSet<u16>> = BTreeMap::new();
    for sent in stage.sent.iter().filter(|s| s.code >= 200) {
        finals.entry((sent.branch.clone(), sent.seq, sent.method.as_str())).or_default().insert(sent.code);
    }
    if !inputs.contains(&Called::WaitLong) {
        for (request, codes) in &finals {
            assert_eq!(codes.len(), 1, "{}: {request:?} got {codes:?}", stage.trace);
        }
    }
    assert!(finals.contains_key(&("z9hG4bKi".to_owned(), 1, "INVITE")), "{}: INVITE unanswered", stage.trace);
    if inputs.contains(&Called::Bye) {
        assert!(finals.keys().any(|(_, _, method)| *method == "BYE"), "{}: BYE unanswered", stage.trace);
    }
    if inputs.contains(&Called::Cancel) {
        assert!(
            finals.keys().any(|(_, _, method)| *method == "CANCEL"),
            "{}: CANCEL unanswered",
            stage.trace
        );
    }
    let accepted = stage.sent.iter().any(|s| s.method == Method::Invite && s.code == 200 && s.seq == 1);
    let byes: BTreeSet<_> = stage.requests(Method::Bye).map(|s| s.branch.clone()).collect();
    assert!(byes.len() <= usize::from(accepted), "{}: {} BYEs", stage.trace, byes.len());
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Calls {
    Trying,
    Ringing,
    Answered,
    Forked,
    Busy,
    Bye,
    Reinvite,
    HangUp,
    Broken,
    Wait,
    WaitLong,
}

fn response(to: &[u8], code: u16, tag: Option<&str>) -> Vec<u8> {
    let request = Message::parse(to, &ParseLimits::default()).expect("ours");
    let answer = Builder::answer(&request, code, "", tag, address(1));
    let answer = answer.header("Contact", format!("<sip:100@{}>", address(0)));
    if code == 200 { answer.body("application/sdp", SDP).finish() } else { answer.finish() }
}

fn calls(inputs: &[Calls]) {
    let mut stage = Stage::new();
    stage.trace = format!("{inputs:?}");
    let call = Outgoing {
        uri: format!("sip:100@{}", address(0)),
        hop: hop(Transport::Udp, 1),
        from: "<sip:us@hotline.test>".into(),
        to: "<sip:100@hotline.test>".into(),
        sdp: Some(SDP.to_vec()),
        headers: Vec::new(),
        credentials: None,
    };
    let mut id = DialogId(0);
    stage.act(|e, now, _, out| id = e.invite(now, call, out));
    stage.dialog = id;
    let invite = stage.sent[0].bytes.clone();
    let (mut heard, mut got) = (false, BTreeSet::new());
    let mut seq = 10;
    let parsed = Message::parse(&invite, &ParseLimits::default()).expect("ours");
    let our_tag = String::from_utf8_lossy(parsed.from().tag.unwrap_or_default()).into_owned();
    let call_id = String::from_utf8_lossy(parsed.call_id()).into_owned();
    let within = |method: &str, seq: u32, sdp: bool| {
        request(method, &format!("w{seq}"), seq, &our_tag, sdp)
            .replace("Call-ID: orders", &format!("Call-ID: {call_id}"))
            .replace("tag=peer", "tag=a")
    };
    for input in inputs {
        let before = stage.sent.len();
        let respond = |stage: &mut Stage, code, tag| {
            let hop = hop(Transport::Udp, 1);
            let bytes = response(&invite, code, tag);
            stage.act(|e, now, _, out| e.receive(now, hop, &bytes, out));
        };
        match input {
            Calls::Trying => respond(&mut stage, 100, None),
            Calls::Ringing => respond(&mut stage, 180, Some("a")),
            Calls::Answered => respond(&mut stage, 200, Some("a")),
            Calls::Forked => respond(&mut stage, 200, Some("b")),
            Calls::Busy => respond(&mut stage, 486, Some("a")),
            Calls::Bye => {
                seq += 1;
                stage.receive(&within("BYE", seq, false));
            }
            Calls::Reinvite => {
                seq += 1;
                stage.receive(&within("INVITE", seq, true));
                stage.act(|e, now, d, out| e.accept_offer(now, d, SDP, out));
            }
            Calls::HangUp => stage.hang_up(),
            Calls::Broken => stage.act(|e, now, _, out| e.transport_failed(now, hop(Transport::Udp, 1), out)),
            Calls::Wait => stage.wait(600),
            Calls::WaitLong => stage.wait(40_000),
        }
        heard |= matches!(input, Calls::Trying | Calls::Ringing);
        let (old, new) = stage.sent.split_at(before);
        let cancel = |s: &Sent| s.code == 0 && s.method == Method::Cancel;
        if new.iter().any(cancel) && !old.iter().any(cancel) {
            assert!(heard, "{}: CANCEL before any response", stage.trace);
            assert!(got.is_empty(), "{}: CANCEL after a final response", stage.trace);
        }
        if let Calls::Answered | Calls::Forked = input {
            let acks = new.iter().filter(|s| s.code == 0 && s.method == Method::Ack).count();
            let refused = got.contains(&486);
            let alive = !inputs.contains(&Calls::WaitLong) && !inputs.contains(&Calls::Broken);
            if alive && !refused {
                assert_eq!(acks, 1, "{}: a 2xx wants its ACK each time", stage.trace);
            }
        }
        match input {
            Calls::Answered | Calls::Forked => drop(got.insert(200)),
            Calls::Busy => drop(got.insert(486)),
            _ => {}
        }
    }
    stage.finish();
    for tag in ["a", "b"] {
        let byes: BTreeSet<_> =
            stage.requests(Method::Bye).filter(|s| s.to_tag == tag).map(|s| s.branch.clone()).collect();
        assert!(byes.len() <= 1, "{}: {} BYEs to {tag}", stage.trace, byes.len());
        let acked = stage.requests(Method::Ack).any(|s| s.to_tag == tag && s.branch != stage.sent[0].branch);
        let theirs = inputs.contains(&Calls::Bye);
        assert!(!acked || theirs || byes.len() == 1, "{}: the dialog {tag} stays open", stage.trace);
    }
}

fn every_order<T: Copy>(alphabet: &[T], length: usize, run: fn(&[T])) {
    let mut places = vec![0; length];
    loop {
        let inputs: Vec<T> = places.iter().map(|i| alphabet[*i]).collect();
        run(&inputs);
        let Some(i) = (0..length).rev().find(|i| places[*i] + 1 < alphabet.len()) else { return };
        places[i] += 1;
        places[i + 1..].fill(0);
    }
}

#[test]
fn a_session_that_was_called_takes_every_order() {
    use Called::*;
    let alphabet = [InviteAgain, Cancel, Ack, Bye, Reinvite, Ring, Accept, Refuse, HangUp, Wait, WaitLong];
    for length in 0..=5 {
        every_order(&alphabet, length, called);
    }
}

#[test]
fn a_session_that_calls_takes_every_order() {
    use Calls::*;
    let alphabet = [Trying, Ringing, Answered, Forked, Busy, Bye, Reinvite, HangUp, Broken, Wait, WaitLong];
    for length in 0..=5 {
        every_order(&alphabet, length, calls);
    }
}
