//! REGISTER from both sides: the answers of our registrar, and our own registrations (RFC 3261 10).
use super::challenged::Challenge;
use super::uas::{merge_key, reply_hop};
use super::*;
use crate::message::{ContactValue, Name, Uri};
use crate::registrar::Verdict;

/// After a failure that may pass: 30 s, doubling up to 5 min (after RFC 5626 4.5).
const RETRY_FIRST: Duration = Duration::from_secs(30);
const RETRY_MAX: Duration = Duration::from_secs(300);

/// A registration of our own; refreshes itself.
#[derive(Debug)]
pub(super) struct Registration {
    registrar: Hop,
    /// The registrar, and who is registered.
    uri: String,
    address: String,
    credentials: Credentials,
    expires: Duration,
    call_id: String,
    tag: Box<str>,
    seq: u32,
    challenge: Option<Challenge>,
    challenged: u8,
    in_flight: Option<TransactionId>,
    retry: Duration,
    leaving: bool,
}

impl Endpoint {
    /// Client registration; refreshes itself until `unregister`. `uri` is the registrar (`sip:host`) or the
    /// address-of-record (`sip:user@host`). A second one for the same user replaces the first.
    pub fn register(
        &mut self,
        now: Time,
        registrar: Hop,
        uri: &str,
        credentials: Credentials,
        expires: Duration,
        out: &mut Outbox<Output>,
    ) {
        let old: Vec<u64> = self
            .registrations
            .iter()
            .filter(|(_, r)| r.credentials.user == credentials.user)
            .map(|(id, _)| *id)
            .collect();
        for id in old {
            self.forget_registration(id);
        }
        let (scheme, rest) = uri.split_once(':').unwrap_or(("sip", uri));
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let bare = host.split(';').next().unwrap_or(host);
        let address = match rest.contains('@') {
            true => uri.to_owned(),
            false => format!("{scheme}:{}@{bare}", credentials.user),
        };
        let registration = Registration {
            registrar,
            uri: format!("{scheme}:{host}"),
            address,
            credentials,
            expires,
            call_id: self.rng.token(24),
            tag: self.tag(),
            seq: 0,
            challenge: None,
            challenged: 0,
            in_flight: None,
            retry: RETRY_FIRST,
            leaving: false,
        };
        self.last_registration += 1;
        let id = self.last_registration;
        self.registrations.insert(id, registration);
        self.send_register(now, id, out);
    }

    /// Takes our registration back; nothing is refreshed any more.
    pub fn unregister(&mut self, now: Time, user: &str, out: &mut Outbox<Output>) {
        let Some((&id, r)) =
            self.registrations.iter_mut().find(|(_, r)| r.credentials.user == user && !r.leaving)
        else {
            return;
        };
        r.leaving = true;
        r.challenged = 0;
        self.table.timers.cancel(&Timer::Registration(id));
        self.send_register(now, id, out);
    }

    pub(super) fn refresh_registration(&mut self, now: Time, id: u64, out: &mut Outbox<Output>) {
        if let Some(registration) = self.registrations.get_mut(&id) {
            registration.challenged = 0;
            self.send_register(now, id, out);
        }
    }

    fn forget_registration(&mut self, id: u64) {
        self.table.timers.cancel(&Timer::Registration(id));
        self.registrations.remove(&id);
    }

    fn send_register(&mut self, now: Time, id: u64, out: &mut Outbox<Output>) {
        let (branch, cnonce) = (self.branch(), self.rng.token(16));
        let Some(hop) = self.registrations.get(&id).map(|r| r.registrar) else { return };
        let via = self.via(hop, &branch);
        let Some(user) = self.registrations.get(&id).map(|r| r.credentials.user.clone()) else { return };
        let contact = self.contact(user.as_bytes(), hop);
        let Some(r) = self.registrations.get_mut(&id) else { return };
        r.seq += 1;
        let expires = if r.leaving { 0 } else { r.expires.as_secs() };
        let mut builder = Builder::request("REGISTER", &r.uri)
            .header("Via", via)
            .header("Max-Forwards", "70")
            .header("From", format!("<{}>;tag={}", r.address, r.tag))
            .header("To", format!("<{}>", r.address))
            .header("Call-ID", &r.call_id)
            .header("CSeq", format!("{} REGISTER", r.seq))
            .header("Contact", &*contact)
            .header("Expires", expires.to_string())
            .header("Allow", ALLOW)
            .header("User-Agent", &self.config.product);
        if let Some(challenge) = &mut r.challenge
            && let Some((name, value)) = challenge.answer(&r.credentials, "REGISTER", &r.uri, &cnonce)
        {
            builder = builder.header(name, value);
        }
        let owner = (Owner::Registration(id), Purpose::Register);
        let transaction =
            self.table.request(now, (Method::Register, branch.as_bytes()), hop, shared(builder), owner, out);
        if let Some(r) = self.registrations.get_mut(&id) {
            r.in_flight = Some(transaction);
        }
    }

    pub(super) fn registration_news(
        &mut self,
        now: Time,
        id: u64,
        up: Up,
        m: Option<&Message<'_>>,
        out: &mut Outbox<Output>,
    ) {
        let Some(r) = self.registrations.get_mut(&id).filter(|r| r.in_flight == Some(up.id)) else { return };
        if up.code < 200 {
            return;
        }
        r.in_flight = None;
        let user = r.credentials.user.clone();
        match (up.code, m) {
            (200..=299, Some(_)) if r.leaving => {
                self.forget_registration(id);
                out.push(Output::Event(Event::Registration { user, result: Ok(Duration::ZERO) }));
            }
            (200..=299, Some(m)) => {
                r.retry = RETRY_FIRST;
                let contact = self.contact_uri(&user, id);
                let Some(r) = self.registrations.get(&id) else { return };
                let granted = granted(m, &contact).unwrap_or(r.expires);
                // Half a minute before the end, or at half time when that is earlier.
                let half = granted / 2;
                let after =
                    granted.saturating_sub(Duration::from_secs(30)).max(half).max(Duration::from_secs(1));
                self.table.timers.set(Timer::Registration(id), now + after, "registration is refreshed");
                out.push(Output::Event(Event::Registration { user, result: Ok(granted) }));
            }
            (401 | 407, Some(m)) => {
                let challenge = Challenge::of(m);
                let stale = challenge.as_ref().is_some_and(|c| c.stale);
                if challenge.is_some() && (r.challenged == 0 || stale && r.challenged == 1) {
                    r.challenged += 1;
                    r.challenge = challenge;
                    self.send_register(now, id, out);
                } else {
                    self.forget_registration(id);
                    out.push(Output::Event(Event::Registration { user, result: Err(up.code) }));
                }
            }
            (423, Some(m)) => {
                let min = m.header(Name::MinExpires).and_then(crate::message::seconds);
                let min = min.map(|s| Duration::from_secs(s.into())).filter(|min| *min > r.expires);
                match min {
                    Some(min) if !r.leaving => {
                        r.expires = min;
                        self.send_register(now, id, out);
                    }
                    _ => {
                        self.forget_registration(id);
                        out.push(Output::Event(Event::Registration { user, result: Err(423) }));
                    }
                }
            }
            (code, _) => {
                out.push(Output::Event(Event::Registration { user, result: Err(code) }));
                if r.leaving || (300..500).contains(&code) && code != 408 {
                    self.forget_registration(id);
                } else {
                    let after = r.retry;
                    r.retry = (r.retry * 2).min(RETRY_MAX);
                    self.table.timers.set(
                        Timer::Registration(id),
                        now + after,
                        "registration is tried again",
                    );
                }
            }
        }
    }

    fn contact_uri(&self, user: &str, id: u64) -> String {
        let Some(r) = self.registrations.get(&id) else { return String::new() };
        self.contact(user.as_bytes(), r.registrar).trim_matches(['<', '>']).to_owned()
    }

    /// REGISTER of a user of ours.
    pub(super) fn register_asked(
        &mut self,
        now: Time,
        hop: Hop,
        m: &Message<'_>,
        key: &[u8],
        out: &mut Outbox<Output>,
    ) {
        let transaction = self.table.serve_new(
            Method::Register,
            key,
            &merge_key(m),
            reply_hop(m.via(), hop),
            Owner::Nobody,
        );
        let (auth, tried) = self.registrar.authenticate(now, m, &mut self.table.timers);
        if let (Auth::Bad { stale: false }, Some(user)) = (&auth, tried) {
            out.push(Output::Event(Event::AuthFailed { user, hop }));
        }
        match self.registrar.register(now, m, hop, auth, &mut self.table.timers) {
            Verdict::Done { user, changed } => {
                let contacts = self.registrar.contacts(now, &user);
                let add = |b: Builder| {
                    contacts.iter().fold(b, |b, c| {
                        let left = now.until(c.expires).as_secs();
                        let q = if c.q == 1000 {
                            String::new()
                        } else {
                            format!(";q={:.3}", f32::from(c.q) / 1000.0)
                        };
                        b.header("Contact", format!("<{}>;expires={left}{q}", c.uri))
                    })
                };
                self.answer(now, transaction, m, hop, 200, add, out);
                if changed {
                    self.tell_registered(now, &user, false, out);
                } else if !contacts.is_empty() {
                    out.push(Output::Event(Event::RegisteredAgain { user: user.to_string() }));
                }
            }
            Verdict::Challenge { stale } => {
                let challenges = self.challenges(now, &user_of(m.to()), stale);
                self.answer(now, transaction, m, hop, 401, |b| extra(b, &challenges), out);
            }
            Verdict::Refused { code, why } => {
                let add = |b: Builder| b.header("Warning", format!("399 hotline \"{why}\""));
                self.answer(now, transaction, m, hop, code, add, out);
            }
            Verdict::TooBrief { min } => {
                let min = min.as_secs().to_string();
                self.answer(now, transaction, m, hop, 423, |b| b.header("Min-Expires", min), out);
            }
        }
    }

    pub(super) fn tell_registered(
        &self,
        now: Time,
        user: &Arc<str>,
        expired: bool,
        out: &mut Outbox<Output>,
    ) {
        let contacts = self.registrar.contacts(now, user);
        out.push(Output::Event(Event::Registered { user: user.to_string(), contacts, expired }));
    }
}

/// The time that a registrar gives our contact.
fn granted(m: &Message<'_>, ours: &str) -> Option<Duration> {
    let ours = Uri::parse(ours.as_bytes()).ok()?;
    let own = m.contacts().find_map(|c| match c {
        Ok(ContactValue::Address(a)) if a.uri().is_ok_and(|u| u.equals(&ours)) => {
            a.param("expires").and_then(crate::message::seconds)
        }
        Ok(ContactValue::Address(_) | ContactValue::Star) | Err(_) => None,
    });
    own.or(m.expires()).map(|s| Duration::from_secs(s.into()))
}
