//! The registrar: who may register (digest, RFC 7616, RFC 8760) and where users are (RFC 3261 10.3).
//!
//! Nonces are not remembered when they are handed out: each carries its time and a keyed hash. Only the nonces
//! that were used with a right password are kept, with the counts seen, until they expire; so guessing and
//! flooding cost no memory, and nothing can be replayed.
use crate::digest::Authorization;
use crate::endpoint::{Account, Algorithm, Auth, Contact, Ha1, Hop, RegistrarConfig, Timer};
use crate::message::{ContactValue, Message, Name, Uri};
use hotline_core::{Rng, Time, TimerQueue};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Used nonces kept per user. When there are more, the oldest and all issued before it are dead.
const NONCES_PER_USER_MAX: usize = 64;
/// Requests with one nonce; then a new one is due.
const NONCE_USES_MAX: u32 = 1 << 20;

pub(crate) struct Registrar {
    config: RegistrarConfig,
    contacts_max: usize,
    realm: String,
    secret: [u8; 32],
    rng: Rng,
    /// Whose HA1 unknown users are compared with, so that they take as long.
    nobody: Account,
    accounts: HashMap<String, Account>,
    users: BTreeMap<Arc<str>, User>,
    contacts: usize,
    nonces: usize,
}

impl std::fmt::Debug for Registrar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registrar")
            .field("contacts", &self.contacts)
            .field("nonces", &self.nonces)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct User {
    bindings: Vec<Binding>,
    /// Used nonces in the order they were issued.
    nonces: BTreeMap<(Time, u64), Counts>,
    /// Nonces issued up to then are dead unless they stand in `nonces`.
    dead_until: Option<Time>,
}

#[derive(Debug)]
struct Binding {
    contact: Contact,
    call_id: Box<[u8]>,
    seq: u32,
}

/// Nonce counts seen: the greatest and the 63 before it, so that datagrams may overtake each other.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    greatest: u32,
    seen: u64,
}

impl Counts {
    /// False: this count was used before.
    fn take(&mut self, nc: u32) -> bool {
        if nc > self.greatest {
            let shift = nc - self.greatest;
            self.seen = if shift < 64 { self.seen << shift | 1 } else { 1 };
            self.greatest = nc;
            return true;
        }
        let bit = self.greatest - nc;
        if nc == 0 || bit >= 64 || self.seen >> bit & 1 == 1 {
            return false;
        }
        self.seen |= 1 << bit;
        true
    }
}

/// What a REGISTER gets.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// 200 with all bindings; `changed`: not the same contacts or ways as before.
    Done {
        user: Arc<str>,
        changed: bool,
    },
    Challenge {
        stale: bool,
    },
    Refused {
        code: u16,
        why: &'static str,
    },
    /// 423.
    TooBrief {
        min: Duration,
    },
}

impl Registrar {
    pub fn new(config: RegistrarConfig, realm: String, contacts_max: usize, mut rng: Rng) -> Registrar {
        let mut secret = [0; 32];
        rng.fill(&mut secret);
        let nobody = |algorithm, len: usize| Ha1 { algorithm, hex: "0".repeat(len) };
        let ha1 = vec![nobody(Algorithm::Md5, 32), nobody(Algorithm::Sha256, 64)];
        let nobody = Account { user: String::new(), ha1 };
        let (accounts, users) = (HashMap::new(), BTreeMap::new());
        Registrar {
            config,
            contacts_max,
            realm,
            secret,
            rng,
            nobody,
            accounts,
            users,
            contacts: 0,
            nonces: 0,
        }
    }

    pub fn set_accounts(&mut self, accounts: Vec<Account>) {
        self.accounts = accounts.into_iter().map(|a| (a.user.clone(), a)).collect();
    }

    pub fn counts(&self) -> (usize, usize) {
        (self.contacts, self.nonces)
    }

    /// A nonce that nobody else can make: time of issue, a random number, and their keyed hash.
    pub fn nonce(&mut self, now: Time) -> String {
        let (at, random) = (now.as_nanos(), self.rng.next_u64());
        format!("{at:016x}{random:016x}{}", self.seal(at, random))
    }

    /// `SHA-256(secret, what, secret)`: of fixed length, so no extension; 128 bits are kept.
    fn seal(&self, at: u64, random: u64) -> String {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(at.to_be_bytes());
        hash.update(random.to_be_bytes());
        hash.update(self.secret);
        hash.finalize()[..16].iter().map(|b| format!("{b:02x}")).collect()
    }

    /// When the nonce was issued, if it was issued here.
    fn issued(&self, nonce: &[u8]) -> Option<(Time, u64)> {
        let nonce = std::str::from_utf8(nonce).ok().filter(|n| n.len() == 64 && n.is_ascii())?;
        let at = u64::from_str_radix(&nonce[..16], 16).ok()?;
        let random = u64::from_str_radix(&nonce[16..32], 16).ok()?;
        let difference =
            self.seal(at, random).bytes().zip(nonce[32..].bytes()).fold(0, |d, (a, b)| d | (a ^ b));
        (difference == 0).then_some((Time::from_nanos(at), random))
    }

    /// The algorithms that are offered to who says to be `user`, strongest first (RFC 8760 2.4): those his
    /// account has a secret for. Some phones (libre before 2.0) give up when any other than MD5 is offered;
    /// an account with the MD5 secret alone serves them.
    pub fn algorithms(&self, user: &str) -> impl Iterator<Item = Algorithm> {
        let account = self.accounts.get(user).filter(|a| !a.ha1.is_empty()).unwrap_or(&self.nobody);
        [Algorithm::Sha256, Algorithm::Md5]
            .into_iter()
            .filter(|algorithm| account.ha1.iter().any(|ha1| ha1.algorithm == *algorithm))
    }

    /// Who sent this request. Uses up the nonce count.
    pub fn authenticate(
        &mut self,
        now: Time,
        request: &Message<'_>,
        timers: &mut TimerQueue<Timer>,
    ) -> (Auth, Option<String>) {
        let mut tried = None;
        for value in request.lines(Name::Authorization) {
            let Ok(given) = Authorization::parse(value) else { continue };
            if *given.realm != *self.realm.as_bytes() {
                continue;
            }
            let user = String::from_utf8_lossy(&given.username).into_owned();
            let auth = self.check(now, request.method_text(), &user, &given, timers);
            if matches!(auth, Auth::Ok { .. }) {
                return (auth, None);
            }
            tried = Some((auth, user));
        }
        match tried {
            Some((auth, user)) => (auth, Some(user)),
            None => (Auth::None, None),
        }
    }

    fn check(
        &mut self,
        now: Time,
        method: &[u8],
        user: &str,
        given: &Authorization<'_>,
        timers: &mut TimerQueue<Timer>,
    ) -> Auth {
        let known = self.accounts.get(user);
        let account = known.unwrap_or(&self.nobody);
        let holds = account.ha1.iter().any(|ha1| given.holds(ha1, method));
        if !holds || known.is_none() {
            return Auth::Bad { stale: false };
        }
        let stale = Auth::Bad { stale: true };
        let Some((issued, random)) = self.issued(&given.nonce) else { return stale };
        let expires = issued + self.config.nonce_lifetime;
        if expires <= now || issued > now {
            return stale;
        }
        // The legacy form has no count: such a nonce serves once.
        let nc = given.counted.as_ref().map_or(1, |c| c.nc);
        if nc > NONCE_USES_MAX {
            return stale;
        }
        let name: Arc<str> = user.into();
        let row = self.users.entry(name.clone()).or_default();
        if !row.nonces.contains_key(&(issued, random)) {
            if row.dead_until.is_some_and(|dead| issued <= dead) {
                return stale;
            }
            if row.nonces.len() >= NONCES_PER_USER_MAX
                && let Some(((oldest, _), _)) = row.nonces.pop_first()
            {
                self.nonces -= 1;
                row.dead_until = Some(oldest);
                if issued <= oldest {
                    return stale;
                }
            }
            row.nonces.insert((issued, random), Counts::default());
            self.nonces += 1;
        }
        let fresh = row.nonces.get_mut(&(issued, random)).is_some_and(|counts| counts.take(nc));
        self.arm(&name, timers);
        if fresh { Auth::Ok { user: user.to_owned() } } else { stale }
    }

    /// RFC 3261 10.3, for a request that was not seen before.
    pub fn register(
        &mut self,
        now: Time,
        request: &Message<'_>,
        hop: Hop,
        auth: Auth,
        timers: &mut TimerQueue<Timer>,
    ) -> Verdict {
        let refused = |code, why| Verdict::Refused { code, why };
        let Ok(to) = request.to().uri() else { return refused(400, "To is not a URI") };
        if !to.is_sip() {
            return refused(400, "To is not a SIP address");
        }
        let user = match auth {
            Auth::Ok { user } => user,
            Auth::None => return Verdict::Challenge { stale: false },
            Auth::Bad { stale } => return Verdict::Challenge { stale },
        };
        if *to.user_unescaped() != *user.as_bytes() {
            return refused(403, "Not Your Address");
        }
        let changes = match self.changes(request) {
            Ok(changes) => changes,
            Err(verdict) => return verdict,
        };
        let user: Arc<str> = user.into();
        let row = self.users.entry(user.clone()).or_default();
        let (call_id, seq) = (request.call_id(), request.cseq().number);
        let late = |b: &Binding| *b.call_id == *call_id && seq <= b.seq;
        let agent = request.header(Name::UserAgent).map(String::from_utf8_lossy).unwrap_or_default();
        let before = ways(&row.bindings);
        let mut after: Vec<usize> = Vec::new();
        let mut fresh = Vec::new();
        match changes {
            Changes::Clear => {
                if row.bindings.iter().any(late) {
                    return refused(500, "Older Than The Binding");
                }
            }
            Changes::Each(each) => {
                after.extend(0..row.bindings.len());
                for change in each {
                    let same = |b: &Binding| {
                        b.contact.uri == change.uri
                            || Uri::parse(b.contact.uri.as_bytes())
                                .is_ok_and(|a| Uri::parse(change.uri.as_bytes()).is_ok_and(|b| a.equals(&b)))
                    };
                    if let Some(i) = row.bindings.iter().position(same) {
                        if late(&row.bindings[i]) {
                            return refused(500, "Older Than The Binding");
                        }
                        after.retain(|&kept| kept != i);
                    }
                    fresh.retain(|b: &Binding| b.contact.uri != change.uri);
                    if !change.expires.is_zero() {
                        let (expires, q) = (now + change.expires, change.q);
                        let contact = Contact {
                            uri: change.uri,
                            hop,
                            expires,
                            q,
                            user_agent: agent.clone().into_owned(),
                        };
                        fresh.push(Binding { contact, call_id: call_id.into(), seq });
                    }
                }
            }
        }
        if after.len() + fresh.len() > self.contacts_max && after.len() + fresh.len() > row.bindings.len() {
            return refused(403, "Too Many Contacts");
        }
        let mut i = 0;
        row.bindings.retain(|_| {
            i += 1;
            after.contains(&(i - 1))
        });
        row.bindings.extend(fresh);
        let changed = before != ways(&row.bindings);
        self.contacts = self.contacts + row.bindings.len() - before.len();
        self.arm(&user, timers);
        Verdict::Done { user, changed }
    }

    fn changes(&self, request: &Message<'_>) -> Result<Changes, Verdict> {
        let header = match request.header(Name::Expires) {
            // RFC 3261 20.19: a malformed value counts as 3600, which here is the default.
            Some(_) => request.expires().map(|s| Duration::from_secs(s.into())),
            None => None,
        };
        let (mut each, mut star) = (Vec::new(), false);
        for contact in request.contacts() {
            match contact {
                Ok(ContactValue::Star) => star = true,
                Ok(ContactValue::Address(address)) => {
                    let bad = |why| Verdict::Refused { code: 400, why };
                    let uri =
                        std::str::from_utf8(address.uri_text).map_err(|_| bad("Contact is not a URI"))?;
                    if !Uri::parse(address.uri_text).map_err(|_| bad("Contact is not a URI"))?.is_sip() {
                        return Err(bad("Contact is not a SIP address"));
                    }
                    let own = address.param("expires").and_then(crate::message::seconds);
                    let wanted = own.map(|s| Duration::from_secs(s.into())).or(header);
                    let wanted = wanted.unwrap_or(self.config.expires_default).min(self.config.expires_max);
                    if !wanted.is_zero() && wanted < self.config.expires_min {
                        return Err(Verdict::TooBrief { min: self.config.expires_min });
                    }
                    if each.len() >= 32 {
                        return Err(bad("too many Contacts"));
                    }
                    each.push(Change { uri: uri.to_owned(), expires: wanted, q: q(address.param("q")) });
                }
                Err(why) => return Err(Verdict::Refused { code: 400, why }),
            }
        }
        match (star, each.is_empty()) {
            (false, _) => Ok(Changes::Each(each)),
            (true, true) if header == Some(Duration::ZERO) => Ok(Changes::Clear),
            (true, _) => {
                Err(Verdict::Refused { code: 400, why: "Contact * with others or without Expires 0" })
            }
        }
    }

    /// Bindings that hold now, the preferred first (by q, then the latest).
    pub fn contacts(&self, now: Time, user: &str) -> Vec<Contact> {
        let Some(row) = self.users.get(user) else { return Vec::new() };
        let mut all: Vec<_> =
            row.bindings.iter().map(|b| b.contact.clone()).filter(|c| c.expires > now).collect();
        all.sort_by_key(|c| (std::cmp::Reverse(c.q), std::cmp::Reverse(c.expires)));
        all
    }

    /// The user's timer is due: what expired goes. True when bindings went.
    pub fn expire(&mut self, now: Time, user: &Arc<str>, timers: &mut TimerQueue<Timer>) -> bool {
        let Some(row) = self.users.get_mut(user) else { return false };
        let before = row.bindings.len();
        row.bindings.retain(|b| b.contact.expires > now);
        let gone = before - row.bindings.len();
        self.contacts -= gone;
        let nonces = row.nonces.len();
        let lifetime = self.config.nonce_lifetime;
        row.nonces.retain(|(issued, _), _| *issued + lifetime > now);
        self.nonces -= nonces - row.nonces.len();
        if row.dead_until.is_some_and(|dead| dead + lifetime <= now) {
            row.dead_until = None;
        }
        self.arm(user, timers);
        gone > 0
    }

    /// The connection is gone, and with it the way to what was bound over it.
    pub fn connection_lost(&mut self, hop: Hop, timers: &mut TimerQueue<Timer>) -> Vec<Arc<str>> {
        let mut hit = Vec::new();
        for (user, row) in &mut self.users {
            let before = row.bindings.len();
            row.bindings.retain(|b| b.contact.hop != hop);
            if row.bindings.len() < before {
                self.contacts -= before - row.bindings.len();
                hit.push(user.clone());
            }
        }
        for user in &hit {
            self.arm(user, timers);
        }
        hit
    }

    /// Sets the user's one timer to what expires next, or forgets a user of whom nothing is left.
    fn arm(&mut self, user: &Arc<str>, timers: &mut TimerQueue<Timer>) {
        let Some(row) = self.users.get(user) else { return };
        let binding = row.bindings.iter().map(|b| b.contact.expires).min();
        let lifetime = self.config.nonce_lifetime;
        let nonce = row.nonces.first_key_value().map(|((issued, _), _)| *issued + lifetime);
        let dead = row.dead_until.map(|dead| dead + lifetime);
        match [binding, nonce, dead].into_iter().flatten().min() {
            Some(at) => timers.set(Timer::User(user.clone()), at, "registration or nonce expires"),
            None => {
                timers.cancel(&Timer::User(user.clone()));
                self.users.remove(user);
            }
        }
    }
}

enum Changes {
    /// `*`.
    Clear,
    Each(Vec<Change>),
}

struct Change {
    uri: String,
    expires: Duration,
    q: u16,
}

/// Contacts and ways, for noticing a change.
fn ways(bindings: &[Binding]) -> Vec<(String, Hop)> {
    let mut ways: Vec<_> = bindings.iter().map(|b| (b.contact.uri.clone(), b.contact.hop)).collect();
    ways.sort();
    ways
}

/// `q` in thousandths; 1000 when it is missing or no number.
fn q(text: Option<&[u8]>) -> u16 {
    let value = text.and_then(|t| std::str::from_utf8(t).ok()).and_then(|t| t.parse::<f32>().ok());
    value.filter(|q| (0.0..=1.0).contains(q)).map_or(1000, |q| (q * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_nonce_count_serves_once_also_out_of_order() {
        let mut counts = Counts::default();
        for (nc, fresh) in [
            (1, true),
            (1, false),
            (3, true),
            (2, true),
            (2, false),
            (0, false),
            (70, true),
            (6, false),
            (7, true),
        ] {
            assert_eq!(counts.take(nc), fresh, "{nc}");
        }
    }
}
