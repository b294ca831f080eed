use super::ear::Ear;
use super::plan::{Answering, Do, Key, Plan, Seen, Voice};
use crate::clock::Clock;
use crate::inbox::Inbox;
use crate::io::Io;
use crate::media::{MediaThreads, MediaThreadsConfig, Shelf};
use crate::shell::{Signal, StartError};
use crate::wire::{Arrival, Wire};
use hotline_core::{LegId, Outbox, PlayId, Rng, SoundId, Time, TimerQueue, earliest};
use media::{Command, Format, Library, Piece};
use sip::{
    Credentials, DialogId, Endpoint, EndpointConfig, Event, Hop, Limits, Outgoing, RegistrarConfig, Transport,
};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

/// What may be seen and not yet be looked at.
const SEEN_MAX: usize = 4096;
const INBOX_ROOM: usize = 1024;
const REGISTRATION: Duration = Duration::from_secs(300);
/// How long one key sounds, and the pause after it.
const KEY_SOUNDS: Duration = Duration::from_millis(100);
/// How long `Quit` waits for the other side to take note.
const QUIT_MAX: Duration = Duration::from_secs(3);

/// Who a user agent is.
#[derive(Clone, Debug)]
pub struct Account {
    pub user: String,
    pub password: Option<String>,
}

#[derive(Clone, Debug)]
pub struct UaOptions {
    pub server: SocketAddr,
    pub transport: Transport,
    /// Our own address; None: that of loopback for a server there, else the one the system takes.
    pub address: Option<IpAddr>,
    pub account: Account,
    /// RTP ports, first and last.
    pub ports: (u16, u16),
    pub plan: Plan,
}

/// A running user agent. Dropping it ends it at once.
#[derive(Debug)]
pub struct Ua {
    inbox: Arc<Inbox<Input>>,
    seen: Receiver<Seen>,
    ear: Arc<Ear>,
    io: Handle,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Input {
    Wire(Arrival),
    Media(media::Event),
    Do(Do),
}

impl From<Arrival> for Input {
    fn from(arrival: Arrival) -> Input {
        Input::Wire(arrival)
    }
}

impl Ua {
    pub fn start(options: UaOptions) -> Result<Ua, StartError> {
        let clock = Clock::start();
        let io = Io::start().map_err(StartError::Threads)?;
        let ip = match options.address {
            Some(ip) => ip,
            None => own_address(options.server).map_err(StartError::Threads)?,
        };
        let inbox = Arc::new(Inbox::new(INBOX_ROOM));
        let wire = Wire::open(io.handle(), &[(options.transport, SocketAddr::new(ip, 0))], inbox.clone())?;
        let local = wire.local()[0].1;
        let voice = match &options.plan {
            Plan::Call(plan) => &plan.voice,
            Plan::Phone(plan) => &plan.voice,
        };
        let (sounds, pieces): (Vec<Vec<i16>>, Option<Piece>) = match voice {
            Voice::Silence => (vec![], None),
            Voice::Samples(samples) => (vec![samples.clone()], Some(Piece::Sound(SoundId(0)))),
            Voice::Tone(hz) => {
                (vec![], Some(Piece::Tone { hz: [*hz, 0], length: Duration::from_secs(3600), dbm0: -16 }))
            }
        };
        let events = inbox.clone();
        let media = MediaThreads::start(
            MediaThreadsConfig {
                threads: 1,
                ports: options.ports,
                port_rest: Duration::from_millis(500),
                started: clock.instant(Time::ZERO),
                cname: format!("{}@{ip}", options.account.user),
                legs_max: 64,
            },
            Arc::new(Shelf::new(Library::from_samples(sounds))),
            Arc::new(move |event| {
                events.insist(Input::Media(event));
            }),
        )
        .map_err(|error| StartError::Media(error.to_string()))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| StartError::Threads(std::io::Error::other(e)))?;
        let mut rng = Rng::new(seed);
        let (tell, seen) = sync_channel(SEEN_MAX);
        let ear = Arc::new(Ear::default());
        let handle = io.handle().clone();
        let machine = UserAgent {
            endpoint: Endpoint::new(endpoint_config(), rng.fork()),
            clock,
            hop: Hop { transport: options.transport, local, remote: options.server },
            options,
            wire,
            media,
            inbox: inbox.clone(),
            tell,
            ear: ear.clone(),
            voice: pieces,
            rng,
            out: Outbox::new(),
            timers: TimerQueue::new(),
            call: None,
            legs: 0,
            quitting: false,
            registered: false,
            over: false,
            _io: io,
        };
        let thread = thread::Builder::new()
            .name("phone".into())
            .spawn(move || machine.run())
            .map_err(StartError::Threads)?;
        Ok(Ua { inbox, seen, ear, io: handle, thread: Some(thread) })
    }

    pub fn tell(&self, what: Do) {
        self.inbox.insist(Input::Do(what));
    }

    /// The next thing seen, if one comes within `patience`.
    pub fn next(&self, patience: Duration) -> Option<Seen> {
        self.seen.recv_timeout(patience).ok()
    }

    /// What has been heard so far.
    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    /// SIGINT or SIGTERM hangs up, unregisters and ends; a second one ends at once. `told` hears of each.
    pub fn obey_signals(&self, told: impl Fn(Signal) + Send + 'static) -> std::io::Result<()> {
        let _entered = self.io.enter();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let inbox = self.inbox.clone();
        self.io.spawn(async move {
            for nth in [Signal::First, Signal::Second] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                told(nth);
                if nth == Signal::Second || !inbox.insist(Input::Do(Do::Quit)) {
                    inbox.close();
                }
            }
        });
        Ok(())
    }

    /// For others who tell it what to do, such as a keyboard's thread.
    pub fn remote_control(&self) -> impl Fn(Do) + Send + 'static {
        let inbox = self.inbox.clone();
        move |what| {
            inbox.insist(Input::Do(what));
        }
    }
}

impl Drop for Ua {
    fn drop(&mut self) {
        self.inbox.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Timer {
    Answer,
    NextKey,
    HangUp,
    Quit,
}

/// The one call a user agent has.
#[derive(Debug)]
struct Call {
    leg: LegId,
    /// None: our INVITE waits for media to open.
    dialog: Option<DialogId>,
    local: Option<sdp::Local>,
    offer: Option<sdp::Description>,
    connected: bool,
    answered: bool,
    /// Keys still to press, the next one last.
    keys: Vec<Key>,
    why: Option<String>,
}

struct UserAgent {
    endpoint: Endpoint,
    clock: Clock,
    hop: Hop,
    options: UaOptions,
    wire: Wire<Input>,
    media: MediaThreads,
    inbox: Arc<Inbox<Input>>,
    tell: SyncSender<Seen>,
    ear: Arc<Ear>,
    voice: Option<Piece>,
    rng: Rng,
    out: Outbox<sip::Output>,
    timers: TimerQueue<Timer>,
    call: Option<Call>,
    legs: u64,
    quitting: bool,
    /// The registrar holds our contact, as far as we know.
    registered: bool,
    over: bool,
    _io: Io,
}

impl UserAgent {
    fn run(mut self) {
        let now = self.clock.now();
        match self.options.plan {
            Plan::Call(_) => self.open(None),
            Plan::Phone(_) => {
                let uri = format!("sip:{}", self.options.server);
                let credentials = self.credentials();
                self.endpoint.register(now, self.hop, &uri, credentials, REGISTRATION, &mut self.out);
            }
        }
        let mut batch = Vec::new();
        loop {
            self.carry_out();
            if self.over {
                self.see(Seen::Over);
                return;
            }
            let deadline = earliest(self.endpoint.deadline(), self.timers.deadline());
            let patience = deadline.map(|deadline| self.clock.until(deadline.at));
            if !self.inbox.take(64, patience, &mut batch) {
                return;
            }
            for input in batch.drain(..) {
                let now = self.clock.now();
                match input {
                    Input::Wire(Arrival::Received { hop, bytes }) => {
                        self.endpoint.receive(now, hop, &bytes, &mut self.out);
                    }
                    Input::Wire(Arrival::Failed { hop }) => {
                        self.endpoint.transport_failed(now, hop, &mut self.out);
                    }
                    Input::Media(event) => self.on_media(now, event),
                    Input::Do(what) => self.obey(now, what),
                }
                self.carry_out();
            }
            let now = self.clock.now();
            self.endpoint.wake(now, &mut self.out);
            while let Some(timer) = self.timers.pop_due(now) {
                self.on_timer(now, timer);
            }
        }
    }

    fn carry_out(&mut self) {
        while !self.out.is_empty() {
            for output in self.out.take() {
                match output {
                    sip::Output::Send { hop, bytes } => self.wire.send(hop, bytes),
                    sip::Output::Event(event) => self.on_sip(self.clock.now(), event),
                }
            }
        }
    }

    fn see(&self, what: Seen) {
        // Who does not look misses what does not fit.
        let _ = self.tell.try_send(what);
    }

    fn credentials(&self) -> Credentials {
        let Account { user, password } = &self.options.account;
        Credentials { user: user.clone(), password: password.clone().unwrap_or_default() }
    }

    /// A new call with media about to open; `dialog` when somebody calls us.
    fn open(&mut self, dialog: Option<(DialogId, Option<sdp::Description>)>) {
        self.legs += 1;
        let leg = LegId(self.legs << 8);
        let keys = match &self.options.plan {
            Plan::Call(plan) => plan.keys.iter().rev().copied().collect(),
            Plan::Phone(_) => vec![],
        };
        let (dialog, offer) = dialog.unzip();
        self.call = Some(Call {
            leg,
            dialog,
            local: None,
            offer: offer.flatten(),
            connected: false,
            answered: false,
            keys,
            why: None,
        });
        let ip = self.hop.local.ip();
        self.media.send(Command::Open { leg, ip, ssrc: self.rng.next_u32(), no_media_after: None });
        self.media.send(Command::Record { leg, to: Some(self.ear.clone()) });
    }

    fn on_media(&mut self, now: Time, event: media::Event) {
        match event {
            media::Event::Opened { leg, address } => self.opened(now, leg, address),
            media::Event::Failed { why, .. } => {
                if let Some(dialog) = self.call.as_ref().and_then(|call| call.dialog) {
                    self.endpoint.hang_up(now, dialog, 500, "no media", &mut self.out);
                }
                self.ended(format!("no media: {why}"), None);
            }
            media::Event::Heard { .. } => self.see(Seen::Heard),
            media::Event::Digit { digit, .. } => self.see(Seen::Digit { key: digit }),
            media::Event::Closed { leg, stats } if self.call.as_ref().is_some_and(|call| call.leg == leg) => {
                let why = self.call.as_mut().and_then(|call| call.why.take()).unwrap_or_default();
                self.ended(why, Some(stats));
            }
            media::Event::Closed { .. } | media::Event::Played { .. } | media::Event::Silent { .. } => {}
        }
    }

    fn opened(&mut self, now: Time, leg: LegId, address: SocketAddr) {
        let Some(call) = self.call.as_mut().filter(|call| call.leg == leg) else { return };
        let local = sdp::Local {
            address,
            codecs: vec![sdp::Codec::Pcma, sdp::Codec::Pcmu],
            telephone_event: true,
            ptime_ms: 20,
            session: self.rng.next_u64() >> 2,
            version: 1,
            direction: sdp::Direction::SendRecv,
        };
        let sdp = sdp::offer(&local);
        call.local = Some(local);
        match (&self.options.plan, call.dialog) {
            (Plan::Call(plan), None) => {
                let outgoing = Outgoing {
                    uri: format!("sip:{}@{}", plan.number, self.options.server),
                    hop: self.hop,
                    from: format!("<sip:{}@{}>", self.options.account.user, self.hop.local.ip()),
                    to: format!("<sip:{}@{}>", plan.number, self.options.server),
                    sdp: Some(sdp),
                    headers: vec![],
                    credentials: self.options.account.password.is_some().then(|| self.credentials()),
                };
                let dialog = self.endpoint.invite(now, outgoing, &mut self.out);
                if let Some(call) = &mut self.call {
                    call.dialog = Some(dialog);
                }
            }
            (Plan::Phone(plan), Some(_)) => {
                if let Answering::After(delay) = plan.answering {
                    self.timers.set(Timer::Answer, now + delay, "answer");
                }
            }
            _ => {}
        }
    }

    fn on_sip(&mut self, now: Time, event: Event) {
        let ours =
            |call: &Option<Call>, dialog| call.as_ref().is_some_and(|call| call.dialog == Some(dialog));
        match event {
            Event::Invite { dialog, invitation } => self.invited(now, dialog, &invitation),
            Event::Progress { dialog, code, sdp, .. } if ours(&self.call, dialog) => {
                self.see(Seen::Progress { code });
                self.take_answer(sdp.as_deref());
            }
            Event::Answered { dialog, sdp, .. } if ours(&self.call, dialog) => {
                self.take_answer(sdp.as_deref());
                self.answered(now);
            }
            Event::Refused { dialog, code, reason, .. } if ours(&self.call, dialog) => {
                self.note_why(format!("refused: {code} {reason}"));
            }
            Event::Cancelled { dialog } if ours(&self.call, dialog) => {
                self.note_why("the caller gave up".into())
            }
            Event::Bye { dialog, .. } if ours(&self.call, dialog) => {
                self.note_why("the other side hung up".into());
            }
            Event::NoAck { dialog } if ours(&self.call, dialog) => self.note_why("no ACK came".into()),
            Event::Offer { dialog, sdp } if ours(&self.call, dialog) => {
                self.reoffered(now, dialog, sdp.as_deref())
            }
            Event::OfferAnswered { dialog, sdp } if ours(&self.call, dialog) => {
                if let Some(call) = &mut self.call {
                    call.connected = false;
                }
                self.take_answer(sdp.as_deref());
            }
            Event::Ended { dialog } if ours(&self.call, dialog) => {
                for timer in [Timer::Answer, Timer::NextKey, Timer::HangUp] {
                    self.timers.cancel(&timer);
                }
                if let Some(call) = &self.call {
                    self.media.send(Command::Close { leg: call.leg });
                }
            }
            Event::Registration { result: Ok(expires), .. } if expires.is_zero() => {
                self.registered = false;
                self.see(Seen::Unregistered);
                self.over = self.quitting && self.call.is_none();
            }
            Event::Registration { result: Ok(expires), .. } => {
                self.registered = true;
                self.see(Seen::Registered { expires });
            }
            Event::Registration { result: Err(code), .. } => {
                self.registered = false;
                self.see(Seen::NotRegistered { code });
                self.over = self.call.is_none();
            }
            _ => {}
        }
    }

    fn invited(&mut self, now: Time, dialog: DialogId, invitation: &sip::Invitation) {
        let Plan::Phone(plan) = &self.options.plan else {
            return self.endpoint.refuse(now, dialog, 480, &[], &mut self.out);
        };
        if self.call.is_some() || self.quitting {
            return self.endpoint.refuse(now, dialog, 486, &[], &mut self.out);
        }
        let offer = match invitation.sdp.as_deref().map(sdp::Description::parse).transpose() {
            Ok(offer) => offer,
            Err(_) => return self.endpoint.refuse(now, dialog, 488, &[], &mut self.out),
        };
        let answering = plan.answering;
        self.see(Seen::Rings { from: invitation.from_user.clone() });
        if let Answering::Refuse(code) = answering {
            self.endpoint.refuse(now, dialog, code, &[], &mut self.out);
            return;
        }
        self.endpoint.ring(now, dialog, 180, None, &mut self.out);
        self.open(Some((dialog, offer)));
    }

    /// Our phone's turn to pick up.
    fn pick_up(&mut self, now: Time) {
        let Some(Call { dialog: Some(dialog), local: Some(local), offer, .. }) = &self.call else { return };
        let dialog = *dialog;
        match offer.as_ref().map(|offer| sdp::answer(offer, local)).transpose() {
            Ok(Some((sdp, format))) => {
                self.endpoint.accept(now, dialog, &sdp, &[], &mut self.out);
                self.connect(format);
                self.answered(now);
            }
            Ok(None) => {
                let sdp = sdp::offer(local);
                self.endpoint.accept(now, dialog, &sdp, &[], &mut self.out);
                self.answered(now);
            }
            Err(_) => self.endpoint.refuse(now, dialog, 488, &[], &mut self.out),
        }
    }

    fn reoffered(&mut self, now: Time, dialog: DialogId, offer: Option<&[u8]>) {
        let Some(Call { local: Some(local), .. }) = &mut self.call else { return };
        local.version += 1;
        let answer = offer.map(|offer| sdp::answer(&sdp::Description::parse(offer)?, local)).transpose();
        match answer {
            Ok(Some((sdp, format))) => {
                self.endpoint.accept_offer(now, dialog, &sdp, &mut self.out);
                self.connect(format);
            }
            Ok(None) => {
                let sdp = sdp::offer(local);
                self.endpoint.accept_offer(now, dialog, &sdp, &mut self.out);
            }
            Err(_) => self.endpoint.refuse_offer(now, dialog, 488, &mut self.out),
        }
    }

    /// Their answer to our offer, the first time it comes.
    fn take_answer(&mut self, sdp: Option<&[u8]>) {
        let Some(Call { local: Some(local), connected: false, .. }) = &self.call else { return };
        let format = sdp.map(|sdp| sdp::accept(local, &sdp::Description::parse(sdp)?));
        match format {
            Some(Ok(format)) => self.connect(format),
            Some(Err(error)) => tracing::warn!(?error, "an answer that is none"),
            None => {}
        }
    }

    fn connect(&mut self, format: sdp::Negotiated) {
        let Some(call) = &mut self.call else { return };
        call.connected = true;
        let format = Arc::new(media_format(format));
        self.media.send(Command::Connect { leg: call.leg, format });
    }

    fn answered(&mut self, now: Time) {
        let Some(call) = &mut self.call else { return };
        if std::mem::replace(&mut call.answered, true) {
            return;
        }
        let leg = call.leg;
        if let Some(piece) = &self.voice {
            let pieces = Arc::from(vec![piece.clone()]);
            self.media.send(Command::Play { leg, play: PlayId(1), pieces, repeat: false });
        }
        let duration = match &self.options.plan {
            Plan::Call(plan) => plan.duration,
            Plan::Phone(plan) => plan.duration,
        };
        if let Some(duration) = duration {
            self.timers.set(Timer::HangUp, now + duration, "hang up");
        }
        self.timers.set(Timer::NextKey, now, "keys");
        self.see(Seen::Answered);
    }

    fn on_timer(&mut self, now: Time, timer: Timer) {
        match timer {
            Timer::Answer => self.pick_up(now),
            Timer::HangUp => self.obey(now, Do::HangUp),
            Timer::Quit => self.over = true,
            Timer::NextKey => {
                let wait = match self.call.as_mut().and_then(|call| call.keys.pop()) {
                    None => return,
                    Some(Key::Pause(pause)) => pause,
                    Some(Key::Press(key)) => {
                        self.press(now, key);
                        KEY_SOUNDS * 2
                    }
                };
                self.timers.set(Timer::NextKey, now + wait, "keys");
            }
        }
    }

    fn press(&mut self, now: Time, key: char) {
        let Some(Call { leg, dialog: Some(dialog), .. }) = &self.call else { return };
        if matches!(&self.options.plan, Plan::Call(plan) if plan.by_info) {
            let body = format!("Signal={key}\r\nDuration={}\r\n", KEY_SOUNDS.as_millis());
            self.endpoint.info(now, *dialog, "application/dtmf-relay", body.as_bytes(), &mut self.out);
        } else {
            let digits = key.to_string();
            self.media.send(Command::SendDigits { leg: *leg, digits, each: KEY_SOUNDS, pause: KEY_SOUNDS });
        }
        self.see(Seen::Pressed { key });
    }

    fn obey(&mut self, now: Time, what: Do) {
        let dialog = self.call.as_ref().and_then(|call| call.dialog);
        match what {
            Do::Press(key) => self.press(now, key),
            Do::HangUp => {
                if let Some(dialog) = dialog {
                    self.note_why("hung up here".into());
                    self.endpoint.hang_up(now, dialog, 486, "", &mut self.out);
                }
            }
            Do::Hold(on) => {
                let Some(Call { dialog: Some(dialog), local: Some(local), answered: true, .. }) =
                    &mut self.call
                else {
                    return;
                };
                local.version += 1;
                local.direction = if on { sdp::Direction::SendOnly } else { sdp::Direction::SendRecv };
                let sdp = sdp::offer(local);
                self.endpoint.reoffer(now, *dialog, &sdp, &mut self.out);
                self.see(Seen::Held { on });
            }
            Do::Quit => {
                self.quitting = true;
                self.timers.set(Timer::Quit, now + QUIT_MAX, "quit");
                self.obey(now, Do::HangUp);
                match self.options.plan {
                    Plan::Phone(_) => {
                        let user = self.options.account.user.clone();
                        self.endpoint.unregister(now, &user, &mut self.out);
                    }
                    // An INVITE that still waits for its media is never sent.
                    Plan::Call(_) => self.over = dialog.is_none(),
                }
            }
        }
    }

    /// The first reason counts.
    fn note_why(&mut self, why: String) {
        if let Some(call) = &mut self.call {
            call.why.get_or_insert(why);
        }
    }

    fn ended(&mut self, why: String, stats: Option<Box<media::Stats>>) {
        self.call = None;
        self.see(Seen::Ended { why, loud: self.ear.loud(), stats });
        self.over |= matches!(self.options.plan, Plan::Call(_)) || (self.quitting && !self.registered);
    }
}

fn media_format(n: sdp::Negotiated) -> Format {
    Format {
        remote: n.remote,
        remote_rtcp: n.remote_rtcp,
        codec: match n.codec {
            sdp::Codec::Pcmu => media::Codec::Pcmu,
            sdp::Codec::Pcma => media::Codec::Pcma,
        },
        payload_type_out: n.payload_type_out,
        payload_type_in: n.payload_type_in,
        dtmf_out: n.dtmf_out,
        dtmf_in: n.dtmf_in,
        ptime_ms: n.ptime_ms,
        direction: match n.direction {
            sdp::Direction::SendRecv => media::Direction::SendRecv,
            sdp::Direction::SendOnly => media::Direction::SendOnly,
            sdp::Direction::RecvOnly => media::Direction::RecvOnly,
            sdp::Direction::Inactive => media::Direction::Inactive,
        },
        rtcp_mux: n.rtcp_mux,
    }
}

fn endpoint_config() -> EndpointConfig {
    EndpointConfig {
        realm: "hotline".into(),
        product: "hotline-phone".into(),
        advertised: vec![],
        limits: Limits {
            message_bytes: 65_535,
            headers: 256,
            transactions: 256,
            dialogs: 64,
            contacts_per_user: 1,
        },
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        registrar: RegistrarConfig {
            expires_min: Duration::from_secs(30),
            expires_default: Duration::from_secs(300),
            expires_max: Duration::from_secs(3600),
            nonce_lifetime: Duration::from_secs(300),
        },
    }
}

/// The address from which this machine reaches `server`.
fn own_address(server: SocketAddr) -> std::io::Result<IpAddr> {
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = std::net::UdpSocket::bind(any)?;
    // Nothing is sent: this only asks for the route.
    socket.connect(server)?;
    Ok(socket.local_addr()?.ip())
}
