//! Who serves the caller.
use super::{Lower, secs};
use crate::install::LONGEST;
use crate::read::Table;
use ivr::{Act, Demand, Queue, Ring, Template};
use std::sync::Arc;

impl<'a> Lower<'a, '_> {
    pub(super) fn queue(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("queue")?;
        let queue: Option<Arc<str>> = value.text().and_then(|name| {
            let found = self.install.queues.iter().find(|q| &*q.name == name).map(|q| q.name.clone());
            if found.is_none() {
                crate::install::unknown(&value, "queue", name, self.install.queues.iter().map(|q| &*q.name));
            }
            found
        });
        self.site.queue = queue.clone().map(|q| (q, value));
        let require = table.get("require").and_then(|value| {
            let demand = self.expression(&value, Demand::parse(value.text()?, &self.types))?;
            self.note_reads(demand.reads(), value.at());
            self.site.require = Some((demand.clone(), value));
            Some(demand)
        });
        let severity = match table.get("severity") {
            Some(value) => {
                let template = self.template(&value)?;
                if let Some(text) = template.literal() {
                    self.severity_text(text, value.at());
                }
                self.site.severity = Some((template.clone(), value.at()));
                Some(template)
            }
            None => Template::parse("{severity}", &self.types).ok(),
        };
        let music = table.get("music").map(|v| self.sounds(&v)).unwrap_or_default();
        let timeout = table.get("timeout").and_then(|v| v.duration(secs(1)..=LONGEST));
        const OUT: &str = "name the step for a caller whom nobody serves";
        let on_timeout = self.named_exit(table, "on_timeout", OUT);
        let on_full = self.named_exit(table, "on_full", OUT);
        let on_no_agents = self.named_exit(table, "on_no_agents", OUT);
        let next = self.next(table);
        if timeout.is_none() && !table.has("timeout") {
            self.findings.warning(
                self.site.at,
                "queue-without-timeout",
                format!("step `{}` waits without a `timeout`: `on_timeout` is never taken", self.name),
                "write `timeout = \"10m\"`".to_owned(),
            );
        }
        Some(Act::Queue(Queue {
            queue: queue?,
            require,
            severity: severity?,
            music,
            treatments: Vec::new(),
            keys: Vec::new(),
            too_long: None,
            timeout,
            on_timeout: on_timeout?,
            on_full: on_full?,
            on_no_agents: on_no_agents?,
            next: next?,
        }))
    }

    pub(super) fn ring(&mut self, table: &Table<'a>, key: &'static str) -> Option<Act> {
        let value = table.get(key)?;
        let agent = value.word().and_then(|_| self.template(&value));
        self.site.agent = agent.clone().map(|a| (a, value));
        let mut answer = true;
        if key == "ring"
            && let Some(value) = table.get("answer")
        {
            answer = value.flag().unwrap_or(true);
        }
        let music = table.get("music").map(|v| self.sounds(&v)).unwrap_or_default();
        let timeout = table.get("timeout").map_or(Some(secs(25)), |v| v.duration(secs(1)..=secs(600)));
        const OUT: &str = "name the step for a caller whom the agent does not serve";
        let on_no_answer = self.named_exit(table, "on_no_answer", OUT);
        let on_busy = self.named_exit(table, "on_busy", OUT);
        let on_unreachable = self.named_exit(table, "on_unreachable", OUT);
        let next = self.next(table);
        Some(Act::Ring(Ring {
            to: ivr::Target::Agent(agent?),
            answer,
            music,
            timeout: timeout?,
            next: next?,
            on_no_answer: on_no_answer?,
            on_busy: on_busy?,
            on_unreachable: on_unreachable?,
        }))
    }
}
