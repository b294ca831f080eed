//! The registrar: bindings and their limits (RFC 3261 10.3), and credentials that serve once.
mod lab;
use hotline_core::{Outbox, Rng, Time};
use hotline_sip::digest::Challenge;
use hotline_sip::*;
use lab::{config, hop};
use std::time::Duration;

struct Desk {
    endpoint: Endpoint,
    now: Time,
    branch: u32,
    changes: Vec<usize>,
    failed: usize,
}

impl Desk {
    fn new() -> Desk {
        let mut endpoint = Endpoint::new(config(), Rng::from_u64(4));
        let ha1 = [Algorithm::Sha256, Algorithm::Md5].map(|a| Ha1::new(a, "1001", "hotline.test", "secret"));
        endpoint.set_accounts(vec![Account { user: "1001".into(), ha1: ha1.to_vec() }]);
        Desk { endpoint, now: Time::from_secs(1), branch: 0, changes: Vec::new(), failed: 0 }
    }

    fn send(&mut self, seq: u32, more: &str) -> String {
        self.branch += 1;
        let text = format!(
            "REGISTER sip:hotline.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{};rport\r\n\
             From: <sip:1001@hotline.test>;tag=p{}\r\nTo: <sip:1001@hotline.test>\r\nCall-ID: phone\r\n\
             CSeq: {seq} REGISTER\r\n{more}Content-Length: 0\r\n\r\n",
            self.branch, self.branch
        );
        self.raw(&text)
    }

    fn raw(&mut self, text: &str) -> String {
        let mut out = Outbox::new();
        self.endpoint.receive(self.now, hop(Transport::Udp, 1), text.as_bytes(), &mut out);
        let mut answer = String::new();
        for output in out.take() {
            match output {
                Output::Send { bytes, .. } => answer = String::from_utf8_lossy(&bytes).into_owned(),
                Output::Event(Event::Registered { contacts, .. }) => self.changes.push(contacts.len()),
                Output::Event(Event::AuthFailed { .. }) => self.failed += 1,
                Output::Event(_) => {}
            }
        }
        answer
    }

    /// The first (SHA-256) or second (MD5) challenge of a fresh 401.
    fn challenge(&mut self, which: usize) -> String {
        let answer = self.send(1, "");
        assert_eq!(code(&answer), 401);
        let values = answer.lines().filter_map(|l| l.strip_prefix("WWW-Authenticate: "));
        values.map(str::to_owned).nth(which).expect("two challenges")
    }

    /// A request with fresh credentials.
    fn register(&mut self, seq: u32, more: &str) -> String {
        let challenge = self.challenge(0);
        let value = credentials(&challenge, "1001", "secret", 1);
        self.send(seq, &format!("Authorization: {value}\r\n{more}"))
    }

    fn wait(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.endpoint.deadline().map(|d| d.at).filter(|at| *at <= until) {
            self.now = at;
            let mut out = Outbox::new();
            self.endpoint.wake(at, &mut out);
            for output in out.take() {
                if let Output::Event(Event::Registered { contacts, expired, .. }) = output {
                    assert!(expired);
                    self.changes.push(contacts.len());
                }
            }
        }
        self.now = until;
    }
}

fn credentials(challenge: &str, user: &str, password: &str, nc: u32) -> String {
    let challenge = Challenge::parse(challenge.as_bytes()).expect("a challenge");
    challenge.answer(user, password, "REGISTER", "sip:hotline.test", nc, "c0")
}

fn code(message: &str) -> u16 {
    message.get(8..11).and_then(|c| c.parse().ok()).unwrap_or_else(|| panic!("no answer: {message:?}"))
}

const PHONE: &str = "Contact: <sip:1001@192.0.2.1:5060>\r\n";

#[test]
fn bindings_follow_the_rfc() {
    // What is sent after a first binding with CSeq 10: CSeq, headers, code, contacts that remain, a header.
    for (seq, more, expected, remain, header) in [
        (11, "", 200, 1, "Contact: <sip:1001@192.0.2.1:5060>;expires=3600"),
        (11, PHONE, 200, 1, "expires=3600"),
        (11, "Contact: <sip:1001@192.0.2.1:5060>;expires=120\r\nExpires: 600\r\n", 200, 1, "expires=120"),
        (11, "Contact: <sip:1001@192.0.2.1:5060>\r\nExpires: 600\r\n", 200, 1, "expires=600"),
        (11, "Contact: <sip:1001@192.0.2.1:5060>;expires=4294967295\r\n", 200, 1, "expires=7200"),
        (11, "Contact: <sip:1001@192.0.2.1:5060>;expires=30\r\n", 423, 1, "Min-Expires: 60"),
        (11, "Contact: <sip:1001@192.0.2.1:5060>;expires=0\r\n", 200, 0, ""),
        (11, "Contact: <sip:1001@192.0.2.1:5060>\r\nExpires: 0\r\n", 200, 0, ""),
        (11, "Contact: *\r\nExpires: 0\r\n", 200, 0, ""),
        (11, "Contact: *\r\n", 400, 1, ""),
        (11, "Contact: *\r\nExpires: 60\r\n", 400, 1, ""),
        (11, "Contact: *, <sip:1@h>\r\nExpires: 0\r\n", 400, 1, ""),
        (11, "Contact: <mailto:a@b>\r\n", 400, 1, ""),
        (11, "Contact: <sip:a@192.0.2.1:5070>;q=0.5\r\n", 200, 2, "q=0.5"),
        (11, "Contact: <sip:a@h>, <sip:b@h>\r\n", 200, 3, ""),
        (11, "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>\r\n", 403, 1, "Too Many Contacts"),
        // The same URI otherwise written is the same binding.
        (11, "Contact: <SIP:1001@192.0.2.1:5060>\r\n", 200, 1, ""),
        // What was sent earlier arrives later.
        (10, PHONE, 500, 1, ""),
        (9, "Contact: *\r\nExpires: 0\r\n", 500, 1, ""),
    ] {
        let mut desk = Desk::new();
        assert_eq!(code(&desk.register(10, PHONE)), 200);
        let answer = desk.register(seq, more);
        assert_eq!(code(&answer), expected, "{seq} {more}: {answer}");
        assert_eq!(desk.endpoint.contacts(desk.now, "1001").len(), remain, "{seq} {more}");
        assert!(answer.contains(header), "{seq} {more}: {answer}");
        assert_eq!(desk.endpoint.counts().contacts, remain, "{seq} {more}");
        desk.wait(20_000);
        assert_eq!(desk.endpoint.counts(), Counts::default(), "{seq} {more}");
        assert_eq!(desk.changes.last(), Some(&0), "{seq} {more}");
    }
}

/// Phones that know MD5 alone give up when more is offered (libre before 2.0): their accounts have no more.
#[test]
fn only_what_an_account_has_a_secret_for_is_offered() {
    let mut desk = Desk::new();
    assert_eq!(desk.send(1, "").matches("WWW-Authenticate").count(), 2);
    let ha1 = vec![Ha1::new(Algorithm::Md5, "1001", "hotline.test", "secret")];
    desk.endpoint.set_accounts(vec![Account { user: "1001".into(), ha1 }]);
    let answer = desk.send(1, "");
    assert_eq!((code(&answer), answer.matches("WWW-Authenticate").count()), (401, 1));
    assert_eq!(code(&desk.register(2, PHONE)), 200);
    desk.endpoint.set_accounts(vec![]);
    assert_eq!(desk.send(1, "").matches("WWW-Authenticate").count(), 2, "a stranger learns nothing");
}

#[test]
fn credentials_serve_once_and_not_for_ever() {
    for which in [0, 1] {
        let mut desk = Desk::new();
        let challenge = desk.challenge(which);
        let auth =
            |nc| format!("Authorization: {}\r\n{PHONE}", credentials(&challenge, "1001", "secret", nc));
        assert_eq!(code(&desk.send(2, &auth(1))), 200);
        let replayed = desk.send(3, &auth(1));
        assert_eq!(code(&replayed), 401);
        assert!(replayed.contains("stale=true"), "the password was right: a fresh nonce will do");
        assert_eq!(code(&desk.send(4, &auth(3))), 200);
        assert_eq!(code(&desk.send(5, &auth(2))), 200, "it was overtaken, not replayed");
        assert_eq!(code(&desk.send(6, &auth(2))), 401);
        desk.wait(301);
        let old = desk.send(7, &auth(4));
        assert!(code(&old) == 401 && old.contains("stale=true"), "{old}");
        assert_eq!(desk.failed, 0);
    }
}

#[test]
fn the_same_request_again_is_no_replay() {
    let mut desk = Desk::new();
    let challenge = desk.challenge(0);
    let auth = credentials(&challenge, "1001", "secret", 1);
    let first = desk.send(2, &format!("Authorization: {auth}\r\n{PHONE}"));
    desk.branch -= 1;
    let again = desk.send(2, &format!("Authorization: {auth}\r\n{PHONE}"));
    assert_eq!(first, again);
}

#[test]
fn wrong_credentials_never_pass() {
    for (user, password, forge) in [
        ("1001", "guess", ""),
        ("1002", "secret", ""),
        ("", "", ""),
        // A right password over a nonce that was not issued here.
        ("1001", "secret", "f"),
    ] {
        let mut desk = Desk::new();
        let mut challenge = desk.challenge(0);
        if !forge.is_empty() {
            let at = challenge.find("nonce=\"").expect("nonce") + 7 + 40;
            let other = if &challenge[at..=at] == "0" { "1" } else { "0" };
            challenge.replace_range(at..=at, other);
        }
        let auth = credentials(&challenge, user, password, 1);
        let answer = desk.send(2, &format!("Authorization: {auth}\r\n{PHONE}"));
        assert_eq!(code(&answer), 401, "{user} {password}");
        assert_eq!(desk.failed, usize::from(forge.is_empty()), "{user} {password}");
        assert_eq!(desk.endpoint.counts().contacts, 0);
    }
    let mut desk = Desk::new();
    let challenge = desk.challenge(0);
    let auth = credentials(&challenge, "1001", "secret", 1);
    let text = format!(
        "REGISTER sip:hotline.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKo\r\nFrom: <sip:1001@h>;tag=p\r\n\
         To: <sip:1002@hotline.test>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\nAuthorization: {auth}\r\n{PHONE}\r\n"
    );
    assert_eq!(code(&desk.raw(&text)), 403, "nobody registers another's address");
}

#[test]
fn floods_leave_nothing_behind() {
    let mut desk = Desk::new();
    for _ in 0..1000 {
        desk.challenge(0);
    }
    assert_eq!(desk.endpoint.counts().nonces, 0, "challenges are not remembered");
    for seq in 0..200 {
        desk.now += Duration::from_millis(1);
        assert_eq!(code(&desk.register(seq + 1, PHONE)), 200);
    }
    assert_eq!(desk.endpoint.counts().nonces, 64, "used nonces are bounded for each user");
    desk.wait(20_000);
    assert_eq!(desk.endpoint.counts(), Counts::default());
}
