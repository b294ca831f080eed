use crate::board::Board;
use crate::clock::Clock;
use crate::control::{self, ControlError, Kept, Service};
use crate::fetch::{CaError, FetchLimits, Fetcher, SecretValue, Secrets};
use crate::inbox::Inbox;
use crate::io::Io;
use crate::machine::{EngineThread, Exit, Line, Replies, Told};
use crate::media::{MediaThreads, MediaThreadsConfig, Shelf};
use crate::recording::Tapes;
use crate::reload;
use crate::wire::{ListenError, Wire};
use ::media::Library;
use engine::{Engine, Input, KeptAtStart, Settings};
use hotline_core::{CallId, Rng, Time};
use sip::Transport;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use store::Store;
use tokio::signal::unix::{SignalKind, signal};

/// Inputs that may wait for the engine: some 100 ms of its work.
const INBOX_ROOM: usize = 8192;

/// What a shell is started with.
#[derive(Debug)]
pub struct Options {
    pub settings: Settings,
    /// Its epoch is that of the settings.
    pub clock: Clock,
    /// Path of the control socket; None: no operator can ask.
    pub control: Option<PathBuf>,
    /// Path of the database; None: nothing is kept.
    pub store: Option<PathBuf>,
    /// Where calls' stories go; what it has no room for is left out.
    pub stories: Option<SyncSender<Told>>,
    /// Where the settings were read; None: they stay as they are until the end.
    pub reload: Option<reload::Source>,
}

/// A running engine with its sockets, threads and files.
#[derive(Debug)]
pub struct Shell {
    settings: Arc<Settings>,
    line: Line,
    board: Arc<Board>,
    wire: Wire<Input>,
    control: Option<PathBuf>,
    engine: JoinHandle<Exit>,
    store: Option<Arc<Store>>,
    reload: Option<reload::Thread>,
    io: Io,
}

impl Shell {
    /// Everything is bound and answers when this returns.
    pub fn start(options: Options) -> Result<Shell, StartError> {
        let Options { mut settings, clock, control, store, stories, reload } = options;
        let reload = reload.map(|source| reload::Start::new(source, settings.clone()));
        if let Some(start) = &reload {
            settings.version = start.settings.version.clone();
        }
        let io = Io::start().map_err(StartError::Threads)?;
        // Before the ports: who starts a second engine learns that there is a first one.
        let listener = match &control {
            Some(path) => {
                let _entered = io.handle().enter();
                Some(control::bind(path)?)
            }
            None => None,
        };
        let store = match store {
            Some(path) => {
                let store = Store::open(&path, clock.epoch_unix()).map_err(StartError::Store)?;
                Some(Kept { store: Arc::new(store), path })
            }
            None => None,
        };
        let kept = match &store {
            Some(kept) => kept.store.reader().and_then(|reader| reader.kept()).map_err(StartError::Store)?,
            None => KeptAtStart::default(),
        };
        let first_call = CallId(store.as_ref().map_or(0, |kept| kept.store.last_call_id()) + 1);

        let inbox = Arc::new(Inbox::new(INBOX_ROOM));
        let listen: Vec<(Transport, SocketAddr)> =
            settings.sip.listeners.iter().map(|l| (l.transport, l.address)).collect();
        let wire = Wire::open(io.handle(), &listen, inbox.clone())?;
        for (listener, (_, bound)) in settings.sip.listeners.iter_mut().zip(wire.local()) {
            listener.address = *bound;
        }
        settings.epoch_unix = clock.epoch_unix();
        let settings = Arc::new(settings);

        let library = Library::load(&settings.prompts.files).map_err(|errors| {
            StartError::Media(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))
        })?;
        let shelf = Arc::new(Shelf::new(library));
        let media = {
            let inbox = inbox.clone();
            let events = Arc::new(move |event| {
                inbox.insist(Input::Media(event));
            });
            MediaThreads::start(media_config(&settings, &clock), shelf.clone(), events)
                .map_err(|error| StartError::Media(error.to_string()))?
        };

        let secrets = settings.secrets.iter().map(|(name, s)| (name.clone(), SecretValue::new(s.reveal())));
        let authorities =
            settings.services.iter().filter_map(|(name, service)| Some((name.clone(), service.ca.clone()?)));
        let fetcher = Fetcher::new(io.handle(), FetchLimits::default(), Secrets::new());
        fetcher.install(secrets.collect(), &authorities.collect()).map_err(StartError::Authority)?;

        let tapes = {
            let inbox = inbox.clone();
            let folder = store.as_ref().and_then(|kept| kept.path.parent()).map(PathBuf::from);
            let news = Box::new(move |tape, news| {
                inbox.insist(Input::Taped { tape, news });
            });
            Tapes::start(folder, clock, news).map_err(StartError::Threads)?
        };

        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| StartError::Threads(io::Error::other(e)))?;
        let board = Arc::new(Board::new(clock));
        let line = Line { inbox: inbox.clone(), replies: Arc::new(Replies::default()) };
        let machine = EngineThread {
            engine: Engine::new(settings.clone(), Rng::new(seed), first_call),
            clock,
            inbox,
            wire: wire.clone(),
            media,
            fetcher: fetcher.clone(),
            tapes,
            kept,
            store: store.as_ref().map(|kept| kept.store.clone()),
            board: board.clone(),
            replies: line.replies.clone(),
            stories: stories.clone(),
        };
        let reload = match reload {
            Some(start) => {
                let around = reload::Around {
                    clock,
                    line: line.clone(),
                    shelf,
                    store: store.as_ref().map(|kept| kept.store.clone()),
                    stories,
                    fetcher,
                };
                Some(reload::Thread::start(start, &settings, around).map_err(StartError::Threads)?)
            }
            None => None,
        };
        let engine = thread::Builder::new()
            .name("engine".into())
            .spawn(move || machine.run())
            .map_err(StartError::Threads)?;
        if let Some(listener) = listener {
            let service = Service {
                line: line.clone(),
                board: board.clone(),
                wire: wire.clone(),
                store: store.clone(),
                reloads: reload.as_ref().map(|thread| thread.reloads.clone()),
            };
            io.handle().spawn(control::serve(listener, service));
        }
        let store = store.map(|kept| kept.store);
        Ok(Shell { settings, line, board, wire, control, engine, store, reload, io })
    }

    /// The settings with the addresses really bound.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub fn line(&self) -> &Line {
        &self.line
    }

    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Where it listens, in the order of the settings.
    pub fn listening(&self) -> &[(Transport, SocketAddr)] {
        self.wire.local()
    }

    /// SIGTERM or SIGINT drains, a second one ends at once. `told` hears of each. SIGHUP reads the installation anew.
    pub fn obey_signals(&self, told: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
        let _entered = self.io.handle().enter();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        if let Some(thread) = &self.reload {
            let mut hang_up = signal(SignalKind::hangup())?;
            let reloads = thread.reloads.clone();
            self.io.handle().spawn(async move {
                while hang_up.recv().await.is_some() {
                    reloads.tell(reload::What::Reload { canary: None, tests: true }, "SIGHUP");
                }
            });
        }
        let line = self.line.clone();
        self.io.handle().spawn(async move {
            for nth in [Signal::First, Signal::Second] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                told(nth);
                match nth {
                    Signal::First => line.drain(),
                    Signal::Second => line.stop(),
                }
            }
        });
        Ok(())
    }

    /// Waits until the engine has ended, then puts everything away.
    pub fn wait(self) -> Exit {
        let exit = self.engine.join().unwrap_or_else(|_| Exit::Broken("its thread ended".into()));
        self.line.inbox.close();
        if let Some(path) = &self.control {
            let _ = std::fs::remove_file(path);
        }
        // Its tasks hold the store, too.
        drop(self.io);
        if let Some(thread) = self.reload {
            thread.stop();
        }
        if let Some(counts) = self.store.and_then(Arc::into_inner).map(|store| store.close())
            && counts.lost > 0
        {
            tracing::error!(lost = counts.lost, "records and events could not be written");
        }
        exit
    }
}

fn media_config(settings: &Settings, clock: &Clock) -> MediaThreadsConfig {
    MediaThreadsConfig {
        threads: settings.media.threads,
        ports: settings.media.ports,
        port_rest: settings.media.port_rest,
        started: clock.instant(Time::ZERO),
        cname: format!("{}@{}", settings.sip.product.replace(' ', "-"), settings.sip.realm),
        // A caller's leg and an agent's for each call, and one more phone ringing for every second call.
        legs_max: settings.limits.calls as usize * 5 / 2 + 16,
    }
}

/// Which of the two signals that end an engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    First,
    Second,
}

/// Why an engine could not start, and what to do.
#[derive(Debug)]
pub enum StartError {
    Listen(ListenError),
    Control(ControlError),
    Store(store::Error),
    Media(String),
    /// A service's own certificate authority cannot be read.
    Authority(CaError),
    /// The system gives no thread, or no randomness.
    Threads(io::Error),
}

impl From<ListenError> for StartError {
    fn from(error: ListenError) -> StartError {
        StartError::Listen(error)
    }
}

impl From<ControlError> for StartError {
    fn from(error: ControlError) -> StartError {
        StartError::Control(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(error) => error.fmt(f),
            StartError::Control(error) => error.fmt(f),
            StartError::Store(error) => {
                write!(f, "the store: {error}\n  help: see `store` under [engine] in hotline.toml")
            }
            StartError::Media(why) => write!(
                f,
                "media could not start: {why}\n  help: `hotline check` looks at the prompts; prompts/ must hold a WAV \
                 file for each"
            ),
            StartError::Authority(error) => {
                write!(f, "{error}\n  help: see `ca` under [service.NAME] in hotline.toml")
            }
            StartError::Threads(error) => write!(f, "the system refuses what an engine needs: {error}"),
        }
    }
}

impl std::error::Error for StartError {}
