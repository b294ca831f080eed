use super::orders::Orders;
use super::sockets::{Sockets, of_token};
use super::{EventSink, MediaThreadsConfig, Ports, Shelf};
use ::media::{Deck, DeckConfig, Event};
use hotline_core::{Outbox, Time};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

pub(super) struct Start {
    pub first: bool,
    pub config: MediaThreadsConfig,
    pub shelf: Arc<Shelf>,
    pub ports: Arc<Ports>,
    pub orders: Arc<Orders>,
    pub waker: Arc<Waker>,
    pub events: EventSink,
}

/// Ends the sleep of a media thread.
pub(super) struct Waker {
    event: OwnedFd,
    /// Rung already, and not yet heard.
    rung: AtomicBool,
}

/// Commands taken in one round, so that media goes on in a flood of them.
const COMMANDS_A_ROUND: usize = 64;
/// Sockets told of in one round.
const SOCKETS_A_ROUND: usize = 256;
const WAKER: u64 = u64::MAX;
/// Seconds from 1900, where NTP begins, to 1970.
const NTP_TO_UNIX_S: u64 = 2_208_988_800;
/// Above ordinary programs, below what the kernel itself needs.
const REAL_TIME_PRIORITY: i32 = 20;

impl Waker {
    pub fn new() -> io::Result<Waker> {
        // SAFETY: no pointers; the result is checked before it is owned.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        Ok(Waker { event: owned(fd)?, rung: AtomicBool::new(false) })
    }

    pub fn wake(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            let one = 1u64.to_ne_bytes();
            // SAFETY: the descriptor is open and `one` has eight bytes.
            unsafe { libc::write(self.event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
        }
    }

    /// From here on a new `wake` rings again; commands are looked for after this.
    fn heard(&self) {
        let mut count = [0u8; 8];
        // SAFETY: the descriptor is open and `count` has eight bytes.
        unsafe { libc::read(self.event.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
        self.rung.store(false, Ordering::Release);
    }
}

pub(super) fn start(n: usize, start: Start) -> io::Result<JoinHandle<()>> {
    // SAFETY: no pointers; the result is checked before it is owned.
    let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: WAKER };
    let waker = start.waker.event.as_raw_fd();
    // SAFETY: both descriptors are open; `event` outlives the call.
    if unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, waker, &mut event) } < 0 {
        return Err(io::Error::last_os_error());
    }
    std::thread::Builder::new().name(format!("media-{n}")).spawn(move || run(start, epoll))
}

fn run(start: Start, epoll: OwnedFd) {
    let Start { first, config, shelf, ports, orders, waker, events } = start;
    let _ends = Ends(&orders);
    take_priority(first);
    let clock = Clock { started: config.started };
    let deck_config = DeckConfig {
        legs_max: config.legs_max,
        cname: config.cname.clone(),
        ntp_at_zero: clock.ntp_at_zero(),
        scan: false,
        ..DeckConfig::default()
    };
    let mut edition = 0;
    let library = shelf.news(&mut edition).unwrap_or_default();
    let mut deck = Deck::new(deck_config, library);
    let mut sockets = Sockets::new(ports, epoll, clock.instant());
    let mut out = Outbox::new();
    let mut commands = Vec::with_capacity(COMMANDS_A_ROUND);
    let mut ready = vec![libc::epoll_event { events: 0, u64: 0 }; SOCKETS_A_ROUND];
    loop {
        let mut now = clock.read(&mut sockets);
        deck.tick(now, &mut sockets, &mut out);
        let open = orders.take(COMMANDS_A_ROUND, &mut commands);
        let more = commands.len() == COMMANDS_A_ROUND;
        // Before the commands: whoever gave them may know newer sounds.
        if let Some(library) = shelf.news(&mut edition) {
            deck.set_library(library);
        }
        for command in commands.drain(..) {
            deck.handle(now, command, &mut sockets, &mut out);
        }
        tell(&events, &mut out);
        if !open {
            return;
        }
        let sleep =
            if more { Some(Duration::ZERO) } else { deck.next_tick().map(|at| clock.time().until(at)) };
        let told = wait(&sockets, &mut ready, sleep);
        now = clock.read(&mut sockets);
        for event in &ready[..told] {
            match event.u64 {
                WAKER => waker.heard(),
                token => {
                    let (slot, channel) = of_token(token);
                    deck.arrived(now, slot, channel, &mut sockets, &mut out);
                }
            }
        }
        tell(&events, &mut out);
    }
}

/// Nobody waits for a thread that has ended, however it came to its end.
struct Ends<'a>(&'a Orders);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn tell(events: &EventSink, out: &mut Outbox<Event>) {
    out.drain().for_each(|event| events(event));
}

/// Waits for sockets or the waker; how many are told of in `ready`.
fn wait(sockets: &Sockets, ready: &mut [libc::epoll_event], sleep: Option<Duration>) -> usize {
    let limit = sleep.map(|s| libc::timespec { tv_sec: s.as_secs() as _, tv_nsec: s.subsec_nanos().into() });
    let limit = limit.as_ref().map_or(std::ptr::null(), |l| l as *const libc::timespec);
    // SAFETY: `ready` is writable for its length, `limit` is null or points to a timespec that outlives the
    // call, and no signal mask is given.
    let told = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            sockets.epoll(),
            ready.as_mut_ptr(),
            ready.len() as libc::c_int,
            limit,
            std::ptr::null::<libc::sigset_t>(),
            0usize,
        )
    };
    if told >= 0 {
        return told as usize;
    }
    if io::Error::last_os_error().raw_os_error() != Some(libc::ENOSYS) {
        return 0;
    }
    // Linux before 5.11 waits in milliseconds; rounded down, so that a turn is early by a round, never late.
    let ms = sleep.map_or(-1, |s| i32::try_from(s.as_millis()).unwrap_or(i32::MAX));
    // SAFETY: `ready` is writable for its length.
    let told =
        unsafe { libc::epoll_wait(sockets.epoll(), ready.as_mut_ptr(), ready.len() as libc::c_int, ms) };
    usize::try_from(told).unwrap_or(0)
}

struct Clock {
    started: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the clock")]
    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn time(&self) -> Time {
        Time::ZERO + self.instant().saturating_duration_since(self.started)
    }

    fn read(&self, sockets: &mut Sockets) -> Time {
        sockets.now = self.instant();
        Time::ZERO + sockets.now.saturating_duration_since(self.started)
    }

    #[expect(clippy::disallowed_methods, reason = "the clock")]
    fn ntp_at_zero(&self) -> u64 {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let zero = wall.saturating_sub(self.instant().saturating_duration_since(self.started));
        let fraction = (u64::from(zero.subsec_nanos()) << 32) / 1_000_000_000;
        (zero.as_secs() + NTP_TO_UNIX_S) << 32 | fraction
    }
}

/// Real time where the system permits it, fine timers otherwise; the first thread says which.
fn take_priority(say: bool) {
    // SAFETY: no pointers; 1 ns asks for the finest timers that the kernel gives.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0) };
    let priority = libc::sched_param { sched_priority: REAL_TIME_PRIORITY };
    // SAFETY: the thread is the calling one, `priority` outlives the call.
    let refused = unsafe { libc::pthread_setschedparam(libc::pthread_self(), libc::SCHED_FIFO, &priority) };
    match refused {
        _ if !say => {}
        0 => tracing::info!("media threads run in real time (SCHED_FIFO, priority {REAL_TIME_PRIORITY})"),
        _ => {
            tracing::info!("media threads run at normal priority: real time is not permitted (CAP_SYS_NICE)")
        }
    }
}

fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
