//! Media threads: each owns a `media::Deck`, its sockets, and a core when there are enough.
//!
//! A thread sleeps until the next turn of the grid, a packet, or a command. It reads the one clock of media.

mod orders;
mod ports;
mod shelf;
mod sockets;
mod thread;

use ::media::{Command, Event};
use hotline_core::LegId;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orders::Orders;
use ports::Ports;
use thread::{Start, Waker};

pub use shelf::Shelf;

/// How media threads run.
#[derive(Clone, Debug)]
pub struct MediaThreadsConfig {
    /// 0: one less than the cores, at least one.
    pub threads: usize,
    /// First and last RTP port; even ones carry RTP, the odd one after it RTCP.
    pub ports: (u16, u16),
    /// A closed port rests this long before it is used again.
    pub port_rest: Duration,
    /// The moment of `Time::ZERO`, the same as the engine's.
    pub started: Instant,
    /// The canonical name in RTCP, such as `hotline@host`.
    pub cname: String,
    /// Legs at once on each thread.
    pub legs_max: usize,
}

/// Takes what happens on the legs, on a media thread: it must not block.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// Running media threads; dropping it closes every leg and waits for them.
pub struct MediaThreads {
    threads: Vec<Thread>,
}

struct Thread {
    orders: Arc<Orders>,
    waker: Arc<Waker>,
    handle: Option<std::thread::JoinHandle<()>>,
}

/// Commands waiting for one thread; the sender waits when there are more.
const COMMANDS_MAX: usize = 16_384;

impl MediaThreads {
    /// Starts the threads; fails when the ports make no range or the system has no threads or descriptors left.
    pub fn start(
        config: MediaThreadsConfig,
        shelf: Arc<Shelf>,
        events: EventSink,
    ) -> io::Result<MediaThreads> {
        let ports = Arc::new(Ports::new(config.ports, config.port_rest)?);
        ports::warn_of_ephemeral(config.ports);
        sockets::raise_descriptor_limit(&config);
        let count = match config.threads {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get()).saturating_sub(1).max(1),
            n => n,
        };
        let mut threads = Vec::with_capacity(count);
        for n in 0..count {
            let orders = Arc::new(Orders::new(COMMANDS_MAX));
            let waker = Arc::new(Waker::new()?);
            let start = Start {
                first: n == 0,
                config: config.clone(),
                shelf: shelf.clone(),
                ports: ports.clone(),
                orders: orders.clone(),
                waker: waker.clone(),
                events: events.clone(),
            };
            let handle = thread::start(n, start)?;
            threads.push(Thread { orders, waker, handle: Some(handle) });
        }
        Ok(MediaThreads { threads })
    }

    /// Hands a command to the thread that owns its leg. Legs whose ids agree but for the lowest eight bits (those of
    /// one call) share a thread, which is what a bridge needs.
    pub fn send(&self, command: Command) {
        let thread = &self.threads[(leg_of(&command).0 >> 8) as usize % self.threads.len()];
        thread.orders.put(command);
        thread.waker.wake();
    }
}

fn leg_of(command: &Command) -> LegId {
    match command {
        Command::Open { leg, .. }
        | Command::Connect { leg, .. }
        | Command::Play { leg, .. }
        | Command::Stop { leg }
        | Command::Bridge { a: leg, .. }
        | Command::Unbridge { a: leg, .. }
        | Command::Echo { leg, .. }
        | Command::SendDigits { leg, .. }
        | Command::Record { leg, .. }
        | Command::Close { leg } => *leg,
    }
}

impl Drop for MediaThreads {
    fn drop(&mut self) {
        for thread in &mut self.threads {
            thread.orders.close();
            thread.waker.wake();
        }
        for handle in self.threads.iter_mut().filter_map(|t| t.handle.take()) {
            let _ = handle.join();
        }
    }
}

impl std::fmt::Debug for MediaThreads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaThreads").field("threads", &self.threads.len()).finish()
    }
}
