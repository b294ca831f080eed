use crate::cli::Demo;
use crate::console::{self, Style};
use crate::failure::{DONE, Failure};
use crate::installation;
use crate::print::{age, colours};
use engine::Listener;
use server::ua::{Account, Answering, CallPlan, Do, PhonePlan, Plan, Seen, Ua, UaOptions, Voice, keys};
use server::{Clock, Exit, Options, Shell, Told};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Each party speaks with a tone of its own, so that what is heard says who was heard.
const FIRST_AGENT_HZ: u16 = 400;
const FIRST_CALLER_HZ: u16 = 2000;
const HZ_APART: u16 = 75;
/// This much of the other's tone proves that one heard the other.
const PROOF: Duration = Duration::from_secs(1);
const TALK: Duration = Duration::from_secs(4);
const REGISTER_MAX: Duration = Duration::from_secs(10);
const CALL_MAX: Duration = Duration::from_secs(120);
const AGENTS_MAX: usize = 16;
const PORTS: (u16, u16) = (30_000, 32_766);

/// Engine, phones and callers over real SIP and RTP on loopback. Done only if every caller talked with an
/// agent and each heard the other.
pub fn demo(config: Option<&Path>, options: &Demo, everything: bool) -> Result<u8, Failure> {
    let clock = Clock::start();
    let (_, mut settings, _) = installation::load_good(config, clock.epoch_unix())?;
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    settings.sip.listeners =
        vec![Listener { transport: sip::Transport::Udp, address: loopback, advertised: None }];
    let password = "demo";
    for account in &mut settings.accounts {
        account.ha1 = config::ha1(&account.user, &settings.sip.realm, password);
    }
    let number = match &options.number {
        Some(number) => number.clone(),
        None => settings.numbers.keys().next().map(ToString::to_string).unwrap_or_default(),
    };
    let presses = keys(&options.keys).map_err(Failure::not_started)?;
    let folder = std::env::temp_dir().join(format!("hotline-demo-{}", std::process::id()));
    let store = folder.join("hotline.db");
    let (stories, told) = sync_channel::<Told>(4096);
    let shell = Shell::start(Options {
        settings,
        clock,
        control: None,
        store: Some(store),
        stories: Some(stories),
        reload: None,
    })
    .map_err(Failure::not_started)?;
    let style = Style { colours: colours(), everything, epoch_unix: None };
    let teller = std::thread::spawn(move || {
        for story in told {
            if writeln!(std::io::stdout(), "{}", console::story(style, &story)).is_err() {
                return;
            }
        }
    });
    let server = shell.listening()[0].1;
    let ua = |user: String, password: Option<String>, plan: Plan| {
        let account = Account { user, password };
        let transport = sip::Transport::Udp;
        Ua::start(UaOptions { server, transport, address: None, account, ports: PORTS, plan })
            .map_err(Failure::not_started)
    };

    let mut phones = vec![];
    for (hz, agent) in (FIRST_AGENT_HZ..)
        .step_by(HZ_APART.into())
        .zip(shell.settings().roster.agents.iter().take(AGENTS_MAX))
    {
        let answering = Answering::After(Duration::from_secs(1));
        let plan = Plan::Phone(PhonePlan { answering, duration: Some(TALK), voice: Voice::Tone(hz) });
        phones.push((agent.name.clone(), hz, ua(agent.name.to_string(), Some(password.into()), plan)?));
    }
    let registered = phones.iter().filter(|(_, _, phone)| registers(phone)).count();
    let mut callers = vec![];
    for n in 0..options.callers {
        let hz = FIRST_CALLER_HZ + u16::from(n) * HZ_APART;
        let plan = Plan::Call(CallPlan {
            number: number.clone(),
            keys: presses.clone(),
            by_info: n % 2 == 1,
            duration: None,
            voice: Voice::Tone(hz),
        });
        callers.push((n, hz, ua(format!("1380013800{n}"), None, plan)?));
    }
    let mut ends = vec![];
    for (n, hz, caller) in &callers {
        let why = end_of(caller).unwrap_or_else(|| {
            caller.tell(Do::HangUp);
            format!("not over after {}", age(CALL_MAX))
        });
        let heard = phones.iter().filter(|(_, agent_hz, _)| caller.ear().tone(*agent_hz) >= PROOF);
        let pairs: Vec<(String, bool)> =
            heard.map(|(name, _, phone)| (name.to_string(), phone.ear().tone(*hz) >= PROOF)).collect();
        ends.push((*n, why, caller.ear().loud(), pairs));
    }
    drop(callers);
    for (_, _, phone) in &phones {
        phone.tell(Do::Quit);
    }
    for (_, _, phone) in &phones {
        while phone.next(REGISTER_MAX).is_some_and(|seen| seen != Seen::Over) {}
    }
    drop(phones);
    shell.line().drain();
    let exit = shell.wait();
    let _ = teller.join();
    let _ = std::fs::remove_dir_all(&folder);

    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{registered} phones registered, {} calls to {number}", ends.len())?;
    let mut proved = 0;
    for (n, why, loud, pairs) in &ends {
        let with: Vec<String> = pairs
            .iter()
            .map(|(agent, both)| {
                format!("{agent} ({})", if *both { "each heard the other" } else { "heard one way only" })
            })
            .collect();
        let with = if with.is_empty() { "nobody".into() } else { with.join(", ") };
        writeln!(out, "caller {}: {:.1} s of sound, talked with {with}; {why}", n + 1, loud.as_secs_f64())?;
        proved += usize::from(matches!(pairs.as_slice(), [(_, true)]));
    }
    match exit {
        Exit::Broken(what) => Err(Failure::broken(format!("the engine broke a rule of its own: {what}"))),
        _ if proved == ends.len() && proved > 0 => {
            writeln!(out, "all went well")?;
            Ok(DONE)
        }
        _ => Err(Failure::wrong(format!("only {proved} of {} callers talked with an agent", ends.len()))),
    }
}

fn registers(phone: &Ua) -> bool {
    matches!(phone.next(REGISTER_MAX), Some(Seen::Registered { .. }))
}

/// Why a call ended; None: it did not in time.
fn end_of(caller: &Ua) -> Option<String> {
    loop {
        if let Seen::Ended { why, .. } = caller.next(CALL_MAX)? {
            return Some(why);
        }
    }
}
