//! Who serves the caller.
use super::Lower;
use crate::forms;
use crate::install::unknown;
use crate::read::{Table, Value};
use ivr::{Act, Bot, Callback, Demand, Queue, Ring, StepId, Target, Template, Treatment, Type};
use std::sync::Arc;
use std::time::Duration;

impl<'a> Lower<'a, '_, '_> {
    pub(super) fn queue(&mut self, table: &Table<'a>) -> Option<Act> {
        let queue = self.queue_name(table, "queue");
        let require = self.require(table);
        let severity = self.severity(table);
        let music = table.get("music").map(|v| self.sounds(&v)).unwrap_or_default();
        let treatments = table.get("treatments").and_then(|v| v.list()).unwrap_or_default();
        let treatments = treatments.iter().filter_map(|t| self.treatment(t)).collect();
        let keys = table.get("keys").and_then(|v| v.table());
        let keys = keys.map(|t| self.keys(&t, &format!("queue step `{}`", self.name))).unwrap_or_default();
        let too_long = table.get("too_long").map(|value| self.too_long(&value));
        let timeout = table.length("timeout");
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
            treatments,
            keys,
            too_long: too_long.map_or(Some(None), |t| t.map(Some))?,
            timeout,
            on_timeout: on_timeout?,
            on_full: on_full?,
            on_no_agents: on_no_agents?,
            next: next?,
        }))
    }

    fn queue_name(&mut self, table: &Table<'a>, key: &'static str) -> Option<Arc<str>> {
        let value = table.get(key)?;
        let name = value.text()?;
        let queues = &self.install.queues;
        let found = queues.iter().find(|q| &*q.name == name).map(|q| q.name.clone());
        if found.is_none() {
            unknown(&value, "queue", name, queues.iter().map(|q| &*q.name));
        }
        self.site.queue = found.clone().map(|q| (q, value));
        found
    }

    fn require(&mut self, table: &Table<'a>) -> Option<Demand> {
        let value = table.get("require")?;
        let demand = self.expression(&value, Demand::parse(value.text()?, &self.types))?;
        self.note_reads(demand.reads(), value.at());
        self.site.require = Some((demand.clone(), value));
        Some(demand)
    }

    fn severity(&mut self, table: &Table<'a>) -> Option<Template> {
        let Some(value) = table.get("severity") else {
            return Template::parse("{severity}", &self.types).ok();
        };
        let template = self.template(&value)?;
        if !matches!(template.kind(), Type::Text | Type::Digits) {
            value.error("type", format!("a severity is a text, and this is a {}", template.kind()));
        }
        if let Some(text) = template.literal() {
            self.severity_text(text, value.at());
        }
        self.site.severity = Some((template.clone(), value.at()));
        Some(template)
    }

    fn treatment(&mut self, value: &Value<'a>) -> Option<Treatment> {
        let table = value.table()?;
        let table = table.titled(format!("a treatment of step `{}`", self.name)).form(&forms::TREATMENT);
        table.need("after", "how long after the line was entered: `after = \"30s\"`");
        let after = table.length("after");
        let every = table.length("every");
        let when = table.get("when").map(|v| self.condition(&v));
        let sounds = table.need("play", "name what is said").map(|v| self.sounds(&v)).unwrap_or_default();
        table.done();
        let when = when.map_or(Some(None), |w| w.map(Some))?;
        Some(Treatment { after: after?, every, when, sounds })
    }

    fn too_long(&mut self, value: &Value<'a>) -> Option<(Duration, StepId)> {
        let table = value.table()?;
        let table = table.titled(format!("`too_long` of step `{}`", self.name)).form(&forms::TOO_LONG);
        table.need("wait", "the longest wait that is waited for: `wait = \"15m\"`");
        let wait = table.length("wait");
        let then = self.named_exit(&table, "then", "name the step for a caller who would wait longer");
        table.done();
        wait.zip(then)
    }

    pub(super) fn callback(&mut self, table: &Table<'a>) -> Option<Act> {
        let queue = self.queue_name(table, "callback");
        let number = match table.get("number") {
            Some(value) => self.template_of(&value, Type::Text),
            None => Template::parse("{caller}", &self.types).ok(),
        };
        let require = self.require(table);
        let severity = self.severity(table);
        let next = self.next(table);
        let on_invalid = self.named_exit(table, "on_invalid", "name the step for a number that is withheld");
        let on_full =
            self.named_exit(table, "on_full", "name the step for when the line takes no more callbacks");
        Some(Act::Callback(Callback {
            queue: queue?,
            number: number?,
            require,
            severity: severity?,
            next: next?,
            on_invalid: on_invalid?,
            on_full: on_full?,
        }))
    }

    pub(super) fn ring(&mut self, table: &Table<'a>, key: &'static str) -> Option<Act> {
        let value = table.get(key)?;
        let to = self.rung(&value);
        let answer = key == "transfer" || table.switch("answer");
        let music = table.get("music").map(|v| self.sounds(&v)).unwrap_or_default();
        let timeout = table.length("timeout");
        const OUT: &str = "name the step for a caller whom the agent does not serve";
        let on_no_answer = self.named_exit(table, "on_no_answer", OUT);
        let on_busy = self.named_exit(table, "on_busy", OUT);
        let on_unreachable = self.named_exit(table, "on_unreachable", OUT);
        let next = self.next(table);
        Some(Act::Ring(Ring {
            to: to?,
            answer,
            music,
            timeout: timeout?,
            next: next?,
            on_no_answer: on_no_answer?,
            on_busy: on_busy?,
            on_unreachable: on_unreachable?,
        }))
    }

    /// `"alice"`, `{ agent = "..." }` or `{ number = "...", trunk = "..." }`.
    fn rung(&mut self, value: &Value<'a>) -> Option<Target> {
        if !value.is_table() {
            return self.agent(value);
        }
        let table = value.table()?.titled(format!("`{}` of step `{}`", value.key, self.name));
        if table.has("agent") {
            let table = table.form(&forms::AGENT_TARGET);
            let agent = table.get("agent").and_then(|v| self.agent(&v));
            table.done();
            return agent;
        }
        let table = table.form(&forms::NUMBER_TARGET);
        let number = table.need("number", "write the number, or `agent = \"...\"`");
        let number = number.and_then(|v| Some((v, self.template_of(&v, Type::Text)?)));
        let trunk = table.need("trunk", "name the trunk that leads there: [trunk.NAME] of hotline.toml");
        let trunks = &self.install.systems.trunks;
        let trunk = trunk.and_then(|v| {
            let name = v.text()?;
            let found = trunks.get_key_value(name);
            if found.is_none() {
                unknown(&v, "trunk", name, trunks.keys().map(|t| &**t));
            }
            found
        });
        table.done();
        let ((value, number), (name, trunk)) = (number?, trunk?);
        if let (Some(text), Some(trunk)) = (number.literal(), trunk)
            && let Some(allowed) = &trunk.numbers
            && !allowed.matches(text)
        {
            value.error_help(
                "number-not-allowed",
                format!("trunk `{name}` does not dial \"{}\"", crate::shorten(text)),
                format!("its `numbers` are \"{allowed}\""),
            );
        }
        Some(Target::Number { number, trunk: name.clone() })
    }

    fn agent(&mut self, value: &Value<'a>) -> Option<Target> {
        value.word()?;
        let agent = self.template_of(value, Type::Text)?;
        self.site.agent = Some((agent.clone(), *value));
        Some(Target::Agent(agent))
    }

    pub(super) fn bot(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("bot")?;
        let bots = &self.install.systems.bots;
        let bot = value.text().and_then(|name| {
            let found = bots.get(name);
            if found.is_none() {
                unknown(&value, "bot", name, bots.iter().map(|b| &**b));
            }
            found.cloned()
        });
        let context = self.templates(table, "with");
        let mut into = vec![];
        for entry in table.get("into").and_then(|v| v.table()).map(|t| t.entries()).unwrap_or_default() {
            let Some((id, kind)) = self.target(&entry) else { continue };
            if matches!(kind, Type::List(_) | Type::Record(_)) {
                entry.error("type", format!("a bot's answers are texts, and this is a {kind}"));
                continue;
            }
            into.push((entry.key.into(), id));
        }
        let timeout = table.length("timeout");
        let next = self.next(table);
        let hand_over = self.named_exit(table, "hand_over", "name the step for a caller who wants a person");
        let on_error = self.named_exit(table, "on_error", "name the step for when the bot cannot be reached");
        Some(Act::Bot(Bot {
            bot: bot?,
            context,
            timeout: timeout?,
            into,
            next: next?,
            hand_over: hand_over?,
            on_error: on_error?,
        }))
    }
}
