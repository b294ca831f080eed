//! Another installation while calls go on: who keeps what, and who gets the new.
mod lab;
use acd::{Agent, Roster};
use engine::*;
use hotline_core::{Cause, SoundId};
use hotline_engine as engine;
use lab::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The lab's installation under this version, with these numbers.
fn version(hash: &str, numbers: Vec<(Arc<str>, Number)>) -> Settings {
    let mut settings = settings();
    settings.version = Version { hash: hash.into(), commit: Some("1d6a2bd".into()) };
    settings.numbers = numbers.into_iter().collect();
    settings
}

fn with_roster(mut settings: Settings, change: impl FnOnce(&mut Roster)) -> Settings {
    let mut roster = (*settings.roster).clone();
    change(&mut roster);
    let known = |agent: &Agent| settings.accounts.iter().find(|a| a.user == *agent.name).cloned();
    let account = |agent: &Agent| {
        known(agent).unwrap_or_else(|| sip::Account { user: agent.name.to_string(), ha1: Vec::new() })
    };
    settings.accounts = roster.agents.iter().map(account).collect();
    settings.roster = Arc::new(roster);
    settings
}

fn open(settings: Settings) -> Lab {
    let mut lab = Lab::new(settings);
    lab.register("alice");
    lab.phone("caller");
    lab.take();
    lab
}

fn change(lab: &mut Lab, change: Change) -> Reply {
    lab.input(Input::Configure { ticket: 9, change: Box::new(change), by: "ops".into() });
    lab.replies.pop().expect("each change has its reply")
}

fn served_by(lab: &Lab) -> Vec<(&str, &str)> {
    lab.records.iter().map(|r| (&*r.config.hash, &*r.flow)).collect()
}

#[test]
fn a_call_ends_in_the_flow_it_began_in_and_new_calls_take_the_new_one() {
    let mut lab = open(version("aaaa", vec![number("100", support())]));
    lab.dial("caller", "100");
    lab.take();
    let reply = change(&mut lab, Change::Serve(version("bbbb", vec![number("100", queue_only(None))])));
    assert!(matches!(reply, Reply::Done(said) if said.contains("bbbb@1d6a2bd")));
    assert_eq!(lab.take(), ["reloaded version=bbbb@1d6a2bd by=ops"], "the caller hears nothing of it");
    lab.dial("caller2", "100");
    assert!(lab.take().iter().any(|line| line.starts_with("call-queued")));
    lab.played(leg(1, 0), 1);
    assert_eq!(lab.take(), ["play caller play-2 sound-2"], "the menu of the old flow");
    lab.hang_up("caller");
    lab.hang_up("caller2");
    assert_eq!(served_by(&lab), [("aaaa", "support"), ("bbbb", "queue")]);
}

#[test]
fn a_number_that_is_gone_ends_with_its_last_call() {
    let mut lab = open(version("aaaa", vec![number("100", support())]));
    lab.dial("caller", "100");
    change(&mut lab, Change::Serve(version("bbbb", vec![number("200", support())])));
    lab.dial("caller2", "100");
    assert!(lab.take().contains(&"caller2 404 INVITE".to_owned()));
    lab.hang_up("caller");
    assert_eq!(served_by(&lab), [("aaaa", "support")]);
    lab.pass(64 * S);
    assert!(lab.engine.is_idle(), "{}", lab.engine.left());
}

#[test]
fn a_call_hears_the_sounds_it_began_with() {
    let mut lab = open(version("aaaa", vec![number("100", support())]));
    lab.dial("caller", "100");
    let mut new = version("bbbb", vec![number("100", support())]);
    let mut prompts = (*new.prompts).clone();
    for sound in prompts.sounds.values_mut().flat_map(|sounds| sounds.values_mut()) {
        *sound = SoundId(sound.0 + 50);
    }
    prompts.music = Some(SoundId(50));
    new.prompts = Arc::new(prompts);
    change(&mut lab, Change::Serve(new));
    lab.take();
    lab.played(leg(1, 0), 1);
    assert_eq!(lab.take(), ["play caller play-2 sound-2"]);
    lab.press(leg(1, 0), "1");
    assert!(lab.take().contains(&"play caller loop sound-0".to_owned()));
    lab.dial("caller2", "100");
    assert!(lab.take().iter().any(|line| line.ends_with("sound-51")));
}

#[test]
fn whoever_waits_in_a_queue_that_is_renamed_is_served() {
    let mut lab = open(version("aaaa", vec![number("100", into_queue("support"))]));
    lab.operate(Command::AgentPause { agent: "alice".into(), reason: "meal".into(), by: "ops".into() });
    lab.dial("caller", "100");
    let new = version("bbbb", vec![number("100", into_queue("help"))]);
    change(&mut lab, Change::Serve(with_roster(new, |r| r.queues[0].name = "help".into())));
    lab.dial("caller2", "100");
    let Reply::Queues(queues) = lab.operate(Command::ShowQueues) else { panic!("queues were asked for") };
    let waiting: Vec<_> = queues.iter().map(|q| (&*q.name, q.waiting)).collect();
    assert_eq!(waiting, [("support", 1), ("help", 1)]);
    lab.take();
    lab.operate(Command::AgentReady { agent: "alice".into(), by: "ops".into() });
    assert!(lab.take().contains(&"offer-made alice phones=1 queue=support".to_owned()));
    lab.answer("alice");
    lab.hang_up("caller");
    let Reply::Queues(queues) = lab.operate(Command::ShowQueues) else { panic!("queues were asked for") };
    assert_eq!(queues.iter().map(|q| &*q.name).collect::<Vec<_>>(), ["help"], "the old one is empty");
    assert_eq!(lab.records[0].queues[0].outcome, "connected");
}

#[test]
fn a_flow_in_progress_enters_the_queue_it_names_after_that_is_gone() {
    let mut lab = open(version("aaaa", vec![number("100", support())]));
    lab.dial("caller", "100");
    lab.played(leg(1, 0), 1);
    let new = version("bbbb", vec![number("100", into_queue("help"))]);
    change(&mut lab, Change::Serve(with_roster(new, |r| r.queues[0].name = "help".into())));
    lab.take();
    lab.press(leg(1, 0), "1");
    assert!(lab.take().contains(&"offer-made alice phones=1 queue=support".to_owned()));
}

#[test]
fn an_agent_who_is_removed_ends_his_conversation_and_comes_back_with_his_phone() {
    let all = || version("aaaa", vec![number("100", into_queue("support"))]);
    let mut lab = open(all());
    lab.dial("caller", "100");
    lab.answer("alice");
    lab.take();
    let without = with_roster(all(), |r| drop(r.agents.remove(0)));
    change(&mut lab, Change::Serve(without));
    assert_eq!(lab.take(), ["agent-removed alice", "reloaded version=aaaa@1d6a2bd by=ops"]);
    let names = |lab: &mut Lab| match lab.operate(Command::ShowAgents) {
        Reply::Agents(agents) => {
            agents.into_iter().map(|a| (a.name.to_string(), a.state)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let (talking, offline) = ("talking".to_owned(), "offline".to_owned());
    assert_eq!(names(&mut lab), [("alice".to_owned(), talking), ("bob".to_owned(), offline.clone())]);
    lab.hang_up("caller");
    assert_eq!(lab.records[0].cause, Cause::CallerHungUp);
    assert_eq!(lab.records[0].legs[1].party, "alice");
    assert_eq!(names(&mut lab), [("bob".to_owned(), offline)]);
    let refused = lab.operate(Command::AgentReady { agent: "alice".into(), by: "ops".into() });
    assert!(matches!(refused, Reply::Error(why) if why.contains("no agent is called `alice`")));
    lab.dial("caller2", "100");
    assert_eq!(lab.records[1].queues[0].outcome, "no-agents");
    change(&mut lab, Change::Serve(all()));
    lab.dial("caller3", "100");
    assert!(lab.take().contains(&"offer-made alice phones=1 queue=support".to_owned()));
}

#[test]
fn a_pause_and_a_wrap_up_outlast_a_reload() {
    let all = || version("aaaa", vec![number("100", into_queue("support"))]);
    let mut lab = open(all());
    lab.register("bob");
    lab.operate(Command::AgentPause { agent: "bob".into(), reason: "meal".into(), by: "ops".into() });
    lab.dial("caller", "100");
    lab.answer("alice");
    lab.hang_up("alice");
    lab.pass(10 * S);
    // A new agent before both: nobody takes over another's row.
    let new = with_roster(all(), |r| {
        let carol = Agent { name: "carol".into(), ..r.agents[0].clone() };
        r.agents.insert(0, carol);
    });
    change(&mut lab, Change::Serve(new));
    let Reply::Agents(agents) = lab.operate(Command::ShowAgents) else { panic!("agents were asked for") };
    let states: Vec<_> = agents.iter().map(|a| (&*a.name, &*a.state)).collect();
    assert_eq!(states, [("alice", "wrap-up (20s left)"), ("bob", "paused (meal)"), ("carol", "offline")]);
}

#[test]
fn a_trial_takes_its_callers_and_only_them() {
    let mut lab = open(version("aaaa", vec![number("100", support())]));
    let new = || version("bbbb", vec![number("100", queue_only(None)), number("300", support())]);
    let mine = Share::Callers(BTreeSet::from(["13800138000".to_owned()]));
    let nobody = Share::Callers(BTreeSet::from(["13900139000".to_owned()]));
    for (share, hash) in
        [(mine, "bbbb"), (nobody, "aaaa"), (Share::Calls(10_000), "bbbb"), (Share::Calls(0), "aaaa")]
    {
        change(&mut lab, Change::Try(new(), share));
        lab.dial("caller", "100");
        lab.hang_up("caller");
        assert_eq!(lab.records.last().map(|r| &*r.config.hash), Some(hash));
    }
    assert!(matches!(change(&mut lab, Change::Abort), Reply::Done(_)));
    assert!(matches!(change(&mut lab, Change::Abort), Reply::Error(_)), "nothing is on trial");
    assert!(matches!(change(&mut lab, Change::Promote), Reply::Error(_)));
    change(&mut lab, Change::Try(new(), Share::Calls(0)));
    assert!(matches!(change(&mut lab, Change::Promote), Reply::Done(said) if said.contains("bbbb")));
    lab.dial("caller", "300");
    lab.hang_up("caller");
    assert_eq!(lab.records.last().map(|r| &*r.config.hash), Some("bbbb"));
}

#[test]
fn a_trial_brings_its_own_queues_and_leaves_the_agents_as_they_are() {
    let mut lab = open(version("aaaa", vec![number("100", into_queue("support"))]));
    let new = version("bbbb", vec![number("100", into_queue("trial"))]);
    let new = with_roster(new, |r| {
        r.queues[0].name = "trial".into();
        r.agents.remove(0);
    });
    change(&mut lab, Change::Try(new, Share::Calls(10_000)));
    lab.take();
    lab.dial("caller", "100");
    assert!(lab.take().contains(&"offer-made alice phones=1 queue=trial".to_owned()));
    lab.answer("alice");
    change(&mut lab, Change::Abort);
    lab.hang_up("caller");
    assert_eq!(served_by(&lab), [("bbbb", "queue")]);
}

#[test]
fn back_to_the_version_before() {
    let first = || version("aaaa", vec![number("100", support())]);
    let mut lab = open(first());
    change(&mut lab, Change::Serve(version("bbbb", vec![number("100", queue_only(None))])));
    change(&mut lab, Change::Serve(first()));
    lab.dial("caller", "100");
    lab.hang_up("caller");
    assert_eq!(served_by(&lab), [("aaaa", "support")]);
}

#[test]
fn what_takes_a_restart_stays_as_it_is() {
    let mut lab = open(version("aaaa", vec![number("100", support())]));
    let mut new = version("bbbb", vec![number("100", support())]);
    new.limits.calls = 1;
    new.sip.realm = "elsewhere".into();
    new.epoch_unix = 0;
    change(&mut lab, Change::Serve(new));
    for caller in ["caller", "caller2"] {
        lab.dial(caller, "100");
    }
    let Reply::Calls(calls) = lab.operate(Command::ShowCalls) else { panic!("calls were asked for") };
    assert_eq!(calls.len(), 2);
    lab.register("bob");
    let Reply::Agents(agents) = lab.operate(Command::ShowAgents) else { panic!("agents were asked for") };
    assert_eq!(agents[1].contacts, 1, "under the old realm");
}

#[test]
fn a_hundred_reloads_while_callers_are_everywhere() {
    let numbers = || vec![number("100", support()), number("200", into_queue("support"))];
    let mut lab = open(version("v0", numbers()));
    lab.dial("caller", "200");
    lab.answer("alice");
    lab.dial("caller2", "200");
    lab.dial("caller3", "100");
    lab.take();
    for n in 1..=100 {
        let new = version(&format!("v{n}"), numbers());
        let new = with_roster(new, |r| {
            // Bob comes and goes, and so does a queue before the one in use.
            if n % 2 == 0 {
                r.agents.remove(1);
            }
            if n % 3 == 0 {
                let other = acd::Queue { name: format!("other{}", n % 9).into(), ..r.queues[0].clone() };
                r.queues.insert(0, other);
            }
        });
        change(&mut lab, Change::Serve(new));
        lab.pass(S / 2);
    }
    let told = lab.take();
    assert_eq!(told.iter().filter(|line| line.starts_with("reloaded")).count(), 100);
    let of_calls = |line: &&String| line.contains("caller") || line.contains("leg") || line.contains("offer");
    assert_eq!(told.iter().filter(of_calls).collect::<Vec<_>>(), [""; 0], "no call notices");
    for caller in ["caller3", "caller", "caller2"] {
        lab.hang_up(caller);
    }
    let hashes: Vec<&str> = lab.records.iter().map(|r| &*r.config.hash).collect();
    assert_eq!(hashes, ["v0"; 3]);
}
