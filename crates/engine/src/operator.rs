//! Operators' commands, and what `hotline show` tells.

use crate::agents::Wish;
use crate::call::{Call, Wait};
use crate::engine::Engine;
use crate::interface::{
    CallView, Command, Output, QueueView, RegistrationView, Reply, StatusView, TimerView,
};
use hotline_core::{AgentId, CallId, Cause, Outbox, QueueId, Time};

impl Engine {
    pub(crate) fn operate(&mut self, now: Time, ticket: u64, command: Command, out: &mut Outbox<Output>) {
        let reply = match command {
            Command::ShowCalls => Reply::Calls(self.calls.values().map(|c| self.call_view(now, c)).collect()),
            Command::ShowAgents => {
                Reply::Agents(self.shown_agents().map(|agent| self.agent_view(now, agent)).collect())
            }
            Command::ShowQueues => Reply::Queues(self.queue_views(now)),
            Command::ShowTimers => Reply::Timers(self.timer_views(now)),
            Command::ShowRegistrations => Reply::Registrations(self.registration_views(now)),
            Command::Status => Reply::Status(self.status(now)),
            Command::AgentReady { agent, by } => self.set_agent(now, &agent, Wish::Ready, &by, out),
            Command::AgentPause { agent, reason, by } => {
                self.set_agent(now, &agent, Wish::Pause(reason), &by, out)
            }
            Command::AgentLogout { agent, by } => self.set_agent(now, &agent, Wish::Logout, &by, out),
            Command::HangUp { call, by } => self.hang_up_call(now, call, &by, out),
            Command::ShowAnnouncements => Reply::Announcements(self.announcement_views(now)),
            Command::Announce { name, length, reason, by } => {
                self.announce(now, &name, length, reason, by, out)
            }
            Command::Retract { name, by } => self.retract(now, &name, &by, out),
            Command::ShowCallbacks => Reply::Callbacks(self.callback_views(now)),
            Command::ShowMessages { mailbox } => self.message_views(mailbox.as_deref()),
            Command::MarkMessage { mailbox, id, heard, by } => {
                self.mark_message(now, &mailbox, id, heard, &by, out)
            }
            Command::DeleteMessage { mailbox, id, by } => self.delete_message(now, &mailbox, id, &by, out),
            Command::ShowFlows { flow } => Reply::Flows(self.flow_views(flow.as_deref())),
        };
        out.push(Output::Reply { ticket, reply });
    }

    fn set_agent(&mut self, now: Time, name: &str, wish: Wish, by: &str, out: &mut Outbox<Output>) -> Reply {
        let Some(agent) = self.settings.agent(name).filter(|a| self.known[a.0 as usize]) else {
            let known: Vec<&str> = self.served.roster.agents.iter().map(|a| &*a.name).take(50).collect();
            return Reply::Error(format!(
                "no agent is called `{name}`; the agents are: {}",
                known.join(", ")
            ));
        };
        let done = match &wish {
            Wish::Ready => format!("agent `{name}` is ready"),
            Wish::Pause(reason) => format!("agent `{name}` is paused ({reason})"),
            Wish::Logout => format!("agent `{name}` is logged out"),
        };
        match self.wish(now, agent, wish, by, out) {
            Ok(()) => Reply::Done(done),
            Err(why) => Reply::Error(why),
        }
    }

    fn hang_up_call(&mut self, now: Time, call: CallId, by: &str, out: &mut Outbox<Output>) -> Reply {
        match self.calls.get(&call) {
            None => Reply::Error(format!("there is no {call} now; `hotline show calls` lists them")),
            Some(row) if row.ending.is_some() => Reply::Error(format!("{call} is ending already")),
            Some(_) => {
                self.log(now, Some(call), None, "hang-up-asked", format!("by={by}"), out);
                self.end(now, call, Cause::OperatorEnded, out);
                Reply::Done(format!("{call} is hung up"))
            }
        }
    }

    pub(crate) fn call_view(&self, now: Time, call: &Call) -> CallView {
        let queue = match call.wait {
            Wait::Queue { queue, .. } => Some(self.settings.roster.queues[queue.0 as usize].name.clone()),
            Wait::Ring { .. } | Wait::Outside { .. } | Wait::Nothing => None,
        };
        CallView {
            call: call.id,
            caller: call.caller_number.clone(),
            dialled: call.dialled.to_string(),
            state: call.state().to_owned(),
            step: call.step().to_owned(),
            language: call.language().to_owned(),
            agent: call.serving_agent().map(|agent| self.agent_name(agent)).or_else(|| call.outside()),
            queue,
            age: now.since(call.started),
        }
    }

    fn queue_views(&self, now: Time) -> Vec<QueueView> {
        let waiting = self.router.waiting();
        let view = |(i, queue): (usize, &acd::Queue)| {
            let id = QueueId(i as u32);
            let stats = self.router.queue_stats(id);
            let here = waiting.iter().filter(|w| w.queue == id);
            QueueView {
                name: queue.name.clone(),
                waiting: here.clone().count(),
                longest_wait: here.map(|w| now.since(w.arrived)).max().unwrap_or_default(),
                talking: stats.talking as usize,
                agents_ready: stats.ready as usize,
                agents_signed_in: stats.signed_in as usize,
                promises_missed: stats.promises_missed,
                offered: stats.offered,
                answered: stats.answered,
                abandoned: stats.abandoned,
                callbacks: self.callbacks_of(&queue.name),
            }
        };
        let shown = |view: &QueueView| self.shows_queue(&view.name, view.waiting + view.talking > 0);
        self.settings.roster.queues.iter().enumerate().map(view).filter(shown).collect()
    }

    /// Every wait that has a deadline, soonest first: the engine's own, then those of its parts.
    fn timer_views(&self, now: Time) -> Vec<TimerView> {
        let own = self.timers.iter().take(1000).map(|(at, timer, why)| TimerView {
            at: now.until(at),
            owner: format!("{timer:?}"),
            why,
        });
        let part = |owner: &str, deadline: Option<hotline_core::Deadline>| {
            deadline.map(|d| TimerView { at: now.until(d.at), owner: owner.to_owned(), why: d.why })
        };
        let parts = [part("sip", self.sip.deadline()), part("acd", self.router.deadline())];
        let mut timers: Vec<TimerView> = own.chain(parts.into_iter().flatten()).collect();
        timers.sort_by_key(|t| t.at);
        timers
    }

    fn registration_views(&self, now: Time) -> Vec<RegistrationView> {
        let of = |user: &str| {
            self.sip.contacts(now, user).into_iter().map({
                let user = user.to_owned();
                move |contact| RegistrationView {
                    user: user.clone(),
                    uri: contact.uri,
                    from: format!("{:?} {}", contact.hop.transport, contact.hop.remote).to_lowercase(),
                    expires_in: now.until(contact.expires),
                    user_agent: contact.user_agent,
                }
            })
        };
        self.settings.accounts.iter().flat_map(|account| of(&account.user)).collect()
    }

    fn status(&self, now: Time) -> StatusView {
        let counts = self.sip.counts();
        StatusView {
            uptime: now.since(Time::ZERO),
            calls: self.active as usize,
            calls_max: self.settings.limits.calls,
            calls_total: self.calls_total,
            refused_total: self.refused_total,
            agents_signed_in: (0..self.agents.len() as u32)
                .filter(|i| self.router.agent_state(AgentId(*i)) != acd::AgentState::Offline)
                .count(),
            waiting: self.router.waiting().len(),
            draining: self.draining,
            sip_transactions: counts.transactions,
            sip_dialogs: counts.dialogs,
            timers: self.timers.len() + counts.timers,
            announcements: self.announcements.keys().cloned().collect(),
            callbacks: self.callbacks.len(),
            asked: self.asked.len(),
        }
    }
}
