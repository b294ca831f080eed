use crate::cli::{Call, Phone, Server};
use crate::failure::{DONE, Failure};
use crate::installation;
use crate::print::age;
use server::ua::{Account, Answering, CallPlan, Do, Ear, PhonePlan, Plan, Seen, Ua, UaOptions, Voice, keys};
use server::{Signal, StartError};
use std::io::{BufRead, IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// RTP ports of our own phones: above the sample installation's.
const PORTS: (u16, u16) = (30_000, 32_766);
/// How long to look before looking again.
const LOOK: Duration = Duration::from_secs(3600);

/// Places a call and tells what happens; done when it was answered, or given up by who placed it.
pub fn call(config: Option<&Path>, options: &Call) -> Result<u8, Failure> {
    let plan = Plan::Call(CallPlan {
        number: options.number.clone(),
        keys: keys(&options.keys).map_err(Failure::not_started)?,
        by_info: options.info,
        duration: options.duration,
        voice: voice(options.wav.as_deref())?,
    });
    let recording = Recording::at(options.record.as_deref())?;
    let account = Account { user: options.from.clone(), password: options.password.clone() };
    let ua = start(config, &options.server, account, plan)?;
    let (mut answered, mut why) = (false, None);
    let given_up = attend(&ua, |seen| match seen {
        Seen::Answered => answered = true,
        Seen::Ended { why: ended, .. } => why = Some(ended.clone()),
        _ => {}
    })?;
    recording.keep(ua.ear())?;
    if answered || given_up {
        return Ok(DONE);
    }
    Err(Failure::wrong(format!("not answered: {}", why.unwrap_or_else(|| "no answer".into()))))
}

/// Registers as an agent and answers calls until it is told to stop.
pub fn phone(config: Option<&Path>, options: &Phone) -> Result<u8, Failure> {
    let answering = match (options.refuse, options.no_answer) {
        (true, _) => Answering::Refuse(486),
        (_, true) => Answering::Never,
        _ => Answering::After(options.answer_after),
    };
    let plan = Plan::Phone(PhonePlan {
        answering,
        duration: options.duration,
        voice: voice(options.wav.as_deref())?,
    });
    let recording = Recording::at(options.record.as_deref())?;
    let password = options.password.clone().or_else(|| std::env::var("HOTLINE_PASSWORD").ok());
    let password = password.unwrap_or_else(|| format!("{}-pass", options.agent));
    let account = Account { user: options.agent.clone(), password: Some(password) };
    let ua = start(config, &options.server, account, plan)?;
    let mut wrong = None;
    let given_up = attend(&ua, |seen| {
        if let Seen::NotRegistered { code } = seen {
            wrong = Some(*code);
        }
    })?;
    recording.keep(ua.ear())?;
    match wrong {
        // Who leaves anyway does not mind that the registrar has gone first.
        _ if given_up => Ok(DONE),
        None => Ok(DONE),
        Some(401 | 403) => Err(Failure::wrong(
            "the password is wrong\n  help: give it by --password or HOTLINE_PASSWORD; the one asked for is `secret` in agents.toml",
        )),
        Some(408 | 503) => Err(Failure::wrong("no engine answers there; start it with `hotline`")),
        Some(code) => Err(Failure::wrong(format!("the registration was refused with {code}"))),
    }
}

/// Tells what happens until it is over. True when it was ended here: by a signal, or because who read our
/// output has left.
fn attend(ua: &Ua, mut note: impl FnMut(&Seen)) -> Result<bool, Failure> {
    let given_up = Arc::new(AtomicBool::new(false));
    let told = given_up.clone();
    ua.obey_signals(move |nth| {
        told.store(true, Ordering::Relaxed);
        if nth == Signal::First {
            eprintln!("hotline: hanging up; once more ends at once");
        }
    })
    .map_err(Failure::not_started)?;
    listen_to_keyboard(ua);
    let mut out = std::io::stdout();
    while let Some(seen) = ua.next(LOOK) {
        note(&seen);
        if seen == Seen::Over {
            break;
        }
        if writeln!(out, "{}", words(&seen)).is_err() && !given_up.swap(true, Ordering::Relaxed) {
            ua.tell(Do::Quit);
        }
    }
    Ok(given_up.load(Ordering::Relaxed))
}

fn start(config: Option<&Path>, server: &Server, account: Account, plan: Plan) -> Result<Ua, Failure> {
    let transport = if server.tcp { sip::Transport::Tcp } else { sip::Transport::Udp };
    let address = match &server.server {
        Some(text) => resolve(text)?,
        None => listening(config, transport)?,
    };
    let options = UaOptions { server: address, transport, address: None, account, ports: PORTS, plan };
    Ua::start(options).map_err(|error: StartError| Failure::not_started(error))
}

/// Where the engine of this installation listens.
fn listening(config: Option<&Path>, transport: sip::Transport) -> Result<SocketAddr, Failure> {
    let (_, settings, _) = installation::load_good(config, 0)?;
    let listener = settings.sip.listeners.iter().find(|l| l.transport == transport);
    let mut address = listener
        .ok_or_else(|| {
            Failure::not_started("the engine does not listen on that transport; name it: --server HOST:PORT")
        })?
        .address;
    if address.ip().is_unspecified() {
        let loopback: std::net::IpAddr =
            if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    Ok(address)
}

fn resolve(text: &str) -> Result<SocketAddr, Failure> {
    let with_port = if text.parse::<std::net::IpAddr>().is_ok() || !text.contains(':') {
        (text, 5060).to_socket_addrs()
    } else {
        text.to_socket_addrs()
    };
    match with_port.map(|mut addresses| addresses.next()) {
        Ok(Some(address)) => Ok(address),
        _ => Err(Failure::not_started(format!("there is no host `{text}`; write HOST or HOST:PORT"))),
    }
}

/// On a terminal: digits, h for hold, r for resume, q to hang up; each with Enter.
fn listen_to_keyboard(ua: &Ua) {
    if !std::io::stdin().is_terminal() {
        return;
    }
    eprintln!("keys, each with Enter: 0-9 * #  press   h hold   r resume   b hang up   q quit");
    let tell = ua.remote_control();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            for c in line.trim().chars() {
                match c {
                    '0'..='9' | '*' | '#' => tell(Do::Press(c)),
                    'h' => tell(Do::Hold(true)),
                    'r' => tell(Do::Hold(false)),
                    'b' => tell(Do::HangUp),
                    'q' => tell(Do::Quit),
                    _ => {}
                }
            }
        }
        tell(Do::Quit);
    });
}

fn voice(wav: Option<&Path>) -> Result<Voice, Failure> {
    let Some(path) = wav else { return Ok(Voice::Silence) };
    let samples = media::wav::read(path).and_then(|wave| wave.telephone_samples());
    samples.map(Voice::Samples).map_err(|error| {
        Failure::not_started(format!(
            "{}: {error}\n  help: a WAV file of 8 to 48 kHz, one or two channels; `sox {0} -r 8000 -c 1 -b 16 out.wav` makes one",
            path.display()
        ))
    })
}

/// Where what is heard will lie: 8 kHz, one channel, 16 bits.
struct Recording<'a>(Option<(&'a Path, hound::WavWriter<std::io::BufWriter<std::fs::File>>)>);

impl<'a> Recording<'a> {
    /// Made before the call: who cannot have a recording learns it now.
    fn at(path: Option<&'a Path>) -> Result<Recording<'a>, Failure> {
        let Some(path) = path else { return Ok(Recording(None)) };
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        match hound::WavWriter::create(path, spec) {
            Ok(writer) => Ok(Recording(Some((path, writer)))),
            Err(error) => Err(Failure::not_started(format!("cannot record to {}: {error}", path.display()))),
        }
    }

    fn keep(self, ear: &Ear) -> Result<(), Failure> {
        let Some((path, mut writer)) = self.0 else { return Ok(()) };
        let mut written = Ok(());
        for sample in ear.samples() {
            written = written.and_then(|()| writer.write_sample(sample));
        }
        let written = written.and_then(|()| writer.finalize());
        written.map_err(|error| Failure::wrong(format!("cannot record to {}: {error}", path.display())))
    }
}

fn words(seen: &Seen) -> String {
    match seen {
        Seen::Registered { expires } => format!("registered for {}", age(*expires)),
        Seen::NotRegistered { code } => format!("registration refused: {code}"),
        Seen::Unregistered => "unregistered".into(),
        Seen::Progress { code: 100 } => "100 the engine has it".into(),
        Seen::Progress { code: 180 } => "180 it rings".into(),
        Seen::Progress { code: 183 } => "183 something is heard before the answer".into(),
        Seen::Progress { code } => code.to_string(),
        Seen::Rings { .. } => "a call rings here".into(),
        Seen::Answered => "answered".into(),
        Seen::Heard => "the first audio arrives".into(),
        Seen::Pressed { key } => format!("pressed {key}"),
        Seen::Digit { key } => format!("the other side pressed {key}"),
        Seen::Held { on: true } => "on hold".into(),
        Seen::Held { on: false } => "resumed".into(),
        Seen::Ended { why, loud, stats } => {
            let packets = stats.as_ref().map_or_else(String::new, |s| {
                format!(
                    " ({} packets in, {} lost, {} out)",
                    s.packets_received, s.packets_lost, s.packets_sent
                )
            });
            format!("ended: {why}; heard {:.1} s of sound{packets}", loud.as_secs_f64())
        }
        Seen::Over => "over".into(),
    }
}
