//! The HTTP client behind `http` steps, hooks and the prompts tool: carries out a request filled in by a flow, within
//! its timeout and everyone's limits, and says in one word what went wrong.
//!
//! ```text
//! fetch ─▶ Order (filled in, checked) ─▶ Gate (places, circuit, budget) ─▶ attempt ─▶ answer
//!                                          ▲                                  │
//!                                          └──────── pause, once more ◀───────┘
//! ```
//!
//! - A place in flight, one of a host's and one of all, is taken for a request and its retries, or it is `Overloaded`.
//! - Retried is what may be done twice (GET, PUT, DELETE; POST, which then gets an `Idempotency-Key`) and failed to
//!   reach the host or met 502, 503 or 504: as often as the request says, as long as its timeout leaves room for the
//!   pause, and while the host's budget lasts.
//! - A host that keeps failing is left alone (`fetch/breaker.rs`).
//! - No redirects, no cookies, no proxies from the environment, HTTP/1.1 only.
//!
//! *Invariant:* `done` is called exactly once, on a thread of the runtime; from within `fetch` or the runtime's end only
//! when the runtime is gone.
//! *Invariant:* no URL, header, body or secret reaches the log; a host may.
use crate::Clock;
use attempt::{Answer, attempt, passing, well};
use breaker::Change;
use dial::Client;
use gate::{Gate, Origin};
use hotline_core::Rng;
use order::Order;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, info, warn};

mod accept;
mod attempt;
mod breaker;
mod budget;
mod dial;
mod gate;
mod order;
mod pause;

use accept::Accept;
pub use breaker::BreakerLimits;
pub use dial::CaError;
pub use ivr::{HttpFailure, HttpMethod, HttpPart, HttpRequest, HttpResult, HttpText};
pub use pause::PauseLimits;

/// What the fetcher allows itself, whatever requests ask for.
#[derive(Clone, PartialEq, Debug)]
pub struct FetchLimits {
    /// Requests under way at once ...
    pub in_flight_max: usize,
    /// ... and to one host.
    pub in_flight_per_host_max: usize,
    /// Hosts remembered; the one not asked for longest is forgotten for another.
    pub hosts_max: usize,
    /// For one connection: name, TCP and TLS.
    pub connect_max: Duration,
    /// How long a connection rests before it is closed.
    pub idle_max: Duration,
    /// Connections at rest to one host.
    pub idle_per_host_max: usize,
    /// The longest timeout a request may have.
    pub timeout_max: Duration,
    pub url_bytes_max: usize,
    /// Of a request's URL, header values and body together.
    pub request_bytes_max: usize,
    /// Of an answer's status line and headers; at least 8192.
    pub head_bytes_max: usize,
    /// Of an answer's body.
    pub body_bytes_max: usize,
    pub breaker: BreakerLimits,
    pub pause: PauseLimits,
}

impl Default for FetchLimits {
    fn default() -> FetchLimits {
        FetchLimits {
            in_flight_max: 256,
            in_flight_per_host_max: 64,
            hosts_max: 256,
            connect_max: Duration::from_secs(2),
            idle_max: Duration::from_secs(30),
            idle_per_host_max: 16,
            timeout_max: Duration::from_secs(60),
            url_bytes_max: 8 << 10,
            request_bytes_max: 256 << 10,
            head_bytes_max: 64 << 10,
            body_bytes_max: 16 << 20,
            breaker: BreakerLimits::default(),
            pause: PauseLimits::default(),
        }
    }
}

/// A secret's text. `Debug` does not show it, and only a request being sent reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Box<str>);

impl SecretValue {
    pub fn new(value: impl Into<Box<str>>) -> SecretValue {
        SecretValue(value.into())
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What `fetch_bytes` brings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BytesResult {
    /// Empty when there was no body, or none of the types asked for beside a status that is not 2xx.
    Answered {
        status: u16,
        /// Without parameters, in lower case.
        media_type: String,
        body: Vec<u8>,
    },
    Failed(HttpFailure),
}

/// Carries out requests on a runtime. Its clones share connections, limits and what is known of hosts.
#[derive(Clone)]
pub struct Fetcher {
    runtime: Handle,
    shared: Arc<Shared>,
}

struct Shared {
    limits: FetchLimits,
    clock: Clock,
    gate: Mutex<Gate>,
    /// For those whom the public authorities vouch for.
    client: Client,
    installed: Mutex<Arc<Installed>>,
}

/// What a reload replaces as a whole; a request keeps what it began with.
#[derive(Default)]
struct Installed {
    secrets: Secrets,
    /// Services with authorities of their own.
    own: BTreeMap<Arc<str>, Client>,
}

/// By name.
pub type Secrets = BTreeMap<Arc<str>, SecretValue>;

impl Fetcher {
    pub fn new(runtime: &Handle, limits: FetchLimits, secrets: Secrets) -> Fetcher {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the operating system has randomness");
        Fetcher::seeded(runtime, limits, secrets, Rng::new(seed))
    }

    /// With the randomness of pauses and idempotency keys given.
    pub fn seeded(runtime: &Handle, limits: FetchLimits, secrets: Secrets, rng: Rng) -> Fetcher {
        let shared = Shared {
            clock: Clock::start(),
            gate: Mutex::new(Gate::new(limits.clone(), rng)),
            client: dial::client(dial::public_roots(), &limits),
            installed: Mutex::new(Arc::new(Installed { secrets, own: BTreeMap::new() })),
            limits,
        };
        Fetcher { runtime: runtime.clone(), shared: Arc::new(shared) }
    }

    /// Replaces the secrets, and the services that authorities of their own may vouch for, beside the public ones:
    /// the PEM file of each. Connections and what is known of hosts stay; requests under way keep the old secrets.
    ///
    /// # Errors
    /// When a file cannot be read or holds no certificate of an authority; nothing is replaced then.
    pub fn install(
        &self,
        secrets: Secrets,
        authorities: &BTreeMap<Arc<str>, PathBuf>,
    ) -> Result<(), CaError> {
        let client = |file: &PathBuf| Ok(dial::client(dial::roots_with(file)?, &self.shared.limits));
        let own = authorities.iter().map(|(service, file)| Ok((service.clone(), client(file)?)));
        let installed = Arc::new(Installed { secrets, own: own.collect::<Result<_, _>>()? });
        *lock(&self.shared.installed) = installed;
        Ok(())
    }

    /// Asks for JSON. Returns at once; `done` follows on a thread of the runtime and must not block there.
    pub fn fetch(&self, request: HttpRequest, done: impl FnOnce(HttpResult) + Send + 'static) {
        let answer = OnceDone::new(done, HttpResult::Failed(HttpFailure::Refused));
        let shared = self.shared.clone();
        self.runtime.spawn(async move {
            let tried = shared.carry_out(&request, &Accept::Json).await;
            answer.say(match tried.and_then(json) {
                Ok((status, body)) => HttpResult::Answered { status, body },
                Err(failure) => HttpResult::Failed(failure),
            });
        });
    }

    /// Asks for content of one of these types (`audio/wav`, `audio/*`), which is also the `Accept` header unless the
    /// request has its own. Otherwise as `fetch`.
    pub fn fetch_bytes(
        &self,
        request: HttpRequest,
        types: &[&str],
        done: impl FnOnce(BytesResult) + Send + 'static,
    ) {
        let answer = OnceDone::new(done, BytesResult::Failed(HttpFailure::Refused));
        let types: Vec<String> = types.iter().map(|&media_type| media_type.to_owned()).collect();
        let shared = self.shared.clone();
        self.runtime.spawn(async move {
            answer.say(match shared.carry_out(&request, &Accept::Types(&types)).await {
                Ok(Answer { status, media_type, body, .. }) => {
                    BytesResult::Answered { status, media_type, body }
                }
                Err(failure) => BytesResult::Failed(failure),
            });
        });
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

impl Shared {
    async fn carry_out(&self, request: &HttpRequest, accept: &Accept<'_>) -> Result<Answer, HttpFailure> {
        let deadline = self.clock.now() + request.timeout.min(self.limits.timeout_max);
        let installed = lock(&self.installed).clone();
        let own = installed.own.get(&request.service);
        let order = Order::fill_in(
            request,
            &installed.secrets,
            own.is_some(),
            &self.limits,
            &accept.header(),
            || self.gate().idempotency_key(),
        )?;
        let place = Place::take(self, &order.origin)?;
        let client = own.unwrap_or(&self.client);
        let body_max = request.body_max.min(self.limits.body_bytes_max);
        let retries = if order.repeatable { u32::from(request.retries) } else { 0 };

        let mut last = Err(HttpFailure::CircuitOpen);
        for retry in 0..=retries {
            let Some(ticket) = place.admit() else { break };
            let tried = timeout_at(self.instant(deadline), attempt(client, &order, accept, body_max)).await;
            last = tried.unwrap_or(Err(HttpFailure::Timeout));
            place.record(ticket, &last);
            let Some(asked) = passing(&last) else { break };
            if retry == retries {
                break;
            }
            let now = self.clock.now();
            let Some(pause) = self.gate().retry(&order.origin, retry, asked, now.until(deadline)) else {
                break;
            };
            sleep_until(self.instant(now + pause)).await;
        }
        last
    }

    fn instant(&self, at: hotline_core::Time) -> Instant {
        Instant::from_std(self.clock.instant(at))
    }

    /// Held for a few comparisons, never across an `.await`.
    fn gate(&self) -> MutexGuard<'_, Gate> {
        lock(&self.gate)
    }
}

/// What is behind our locks is whole after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place in flight, given back when dropped.
struct Place<'a> {
    shared: &'a Shared,
    origin: &'a Origin,
}

impl<'a> Place<'a> {
    fn take(shared: &'a Shared, origin: &'a Origin) -> Result<Place<'a>, HttpFailure> {
        shared.gate().enter(shared.clock.now(), origin)?;
        Ok(Place { shared, origin })
    }

    fn admit(&self) -> Option<breaker::Ticket> {
        self.shared.gate().admit(self.shared.clock.now(), self.origin)
    }

    fn record(&self, ticket: breaker::Ticket, tried: &Result<Answer, HttpFailure>) {
        let change = self.shared.gate().record(self.shared.clock.now(), self.origin, ticket, well(tried));
        let host = self.origin;
        match tried {
            Ok(answer) => debug!(%host, status = answer.status, "answered"),
            Err(failure) => debug!(%host, ?failure, "failed"),
        }
        match change {
            Some(Change::Opened) => warn!(%host, "a host keeps failing and is left alone for a while"),
            Some(Change::Closed) => info!(%host, "a host is well again"),
            None => {}
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shared.gate().leave(self.origin);
    }
}

/// The status and the text of a JSON answer, without a byte order mark (RFC 8259, section 8.1).
fn json(answer: Answer) -> Result<(u16, Arc<str>), HttpFailure> {
    let text = match String::from_utf8(answer.body) {
        Ok(text) => text,
        Err(_) if answer.status >= 300 => String::new(),
        Err(_) => return Err(HttpFailure::WrongType),
    };
    Ok((answer.status, text.strip_prefix('\u{feff}').unwrap_or(&text).into()))
}

/// Says something exactly once: what it is told to, or the last word when its task is dropped.
struct OnceDone<R, F: FnOnce(R)>(Option<(F, R)>);

impl<R, F: FnOnce(R)> OnceDone<R, F> {
    fn new(done: F, last_word: R) -> OnceDone<R, F> {
        OnceDone(Some((done, last_word)))
    }

    fn say(mut self, result: R) {
        if let Some((done, _)) = self.0.take() {
            done(result);
        }
    }
}

impl<R, F: FnOnce(R)> Drop for OnceDone<R, F> {
    fn drop(&mut self) {
        if let Some((done, last_word)) = self.0.take() {
            done(last_word);
        }
    }
}
