//! `[announcement.NAME]`, `[mailbox.NAME]` and `[survey.NAME]`: what callers are told, leave and think.
use super::{Announcement, Mailbox};
use crate::install::{Install, check_name, set, unknown};
use crate::read::{Table, Value};
use hotline_core::AgentId;
use ivr::{Sound, SurveyPlan, SurveyQuestion};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Nobody answers more questions on the telephone.
const QUESTIONS_MAX: usize = 20;

pub(super) fn announcement<'a>(
    table: Table<'a>,
    name: &str,
    install: &mut Install<'a>,
) -> Option<Announcement> {
    let prompt = table.need("prompt", "name the prompt that is said: `prompt = \"outage\"`");
    let prompt = prompt.and_then(|value| install.prompt_name(value));
    let title = table.get("title").and_then(|v| v.text()).unwrap_or(name).to_owned();
    table.done();
    Some(Announcement { prompt: prompt?, title })
}

/// A mailbox, before its agents are looked up.
#[derive(Debug)]
pub(super) struct MailboxDraft<'a> {
    name: Arc<str>,
    settings: engine::Mailbox,
    agents: Vec<Value<'a>>,
}

pub(super) fn mailbox<'a>(table: Table<'a>, name: &str, install: &mut Install<'a>) -> Mailbox {
    let greeting = table.get("greeting").and_then(|value| install.prompt_name(value));
    let mut settings = engine::Mailbox {
        title: table.get("title").and_then(|v| v.text()).unwrap_or(name).to_owned(),
        messages_max: 100,
        keep: 30 * DAY,
        agents: vec![],
        notify: install.notified(&table),
    };
    set(&mut settings.messages_max, table.get("messages_max").and_then(|v| v.count(1..=10_000)));
    set(&mut settings.keep, table.get("keep").and_then(|v| v.duration(DAY..=3650 * DAY)));
    let agents = table.get("agents").and_then(|v| v.list()).unwrap_or_default();
    table.done();
    install.outside.mailboxes.push(MailboxDraft { name: name.into(), settings, agents });
    Mailbox { greeting }
}

impl MailboxDraft<'_> {
    pub fn settings(&self, roster: &acd::Roster) -> (Arc<str>, engine::Mailbox) {
        let mut settings = self.settings.clone();
        for entry in &self.agents {
            let Some(wanted) = entry.text() else { continue };
            match roster.agents.iter().position(|a| &*a.name == wanted) {
                None => unknown(entry, "agent", wanted, roster.agents.iter().map(|a| &*a.name)),
                Some(place) => {
                    let id = AgentId(u32::try_from(place).unwrap_or(u32::MAX));
                    if settings.agents.contains(&id) {
                        entry.error("duplicate", format!("`agents` has `{wanted}` twice"));
                    } else {
                        settings.agents.push(id);
                    }
                }
            }
        }
        (self.name.clone(), settings)
    }
}

pub(super) fn survey<'a>(table: Table<'a>, name: &str, install: &mut Install<'a>) -> Option<SurveyPlan> {
    let notify = install.notified(&table);
    install.outside.surveys.insert(name.into(), engine::Survey { notify });
    let scale = table.need("scale", "say which marks there are: `scale = [1, 5]`").and_then(|v| scale(&v));
    let (lowest, highest) = scale.unwrap_or((0, 9));
    let range = i64::from(lowest) * 100..=i64::from(highest) * 100;
    // Without it nothing is low.
    let low = match table.get("low") {
        Some(low) => low.hundredths(range),
        None => Some(*range.start()),
    };
    const QUESTIONS: &str = "write `questions = [{ name = \"speed\", ask = \"rate-speed\", weight = 100 }]`";
    let list = table.need("questions", QUESTIONS).and_then(|v| Some((v, v.list()?)));
    table.done();
    let (value, entries) = list?;
    if entries.is_empty() || entries.len() > QUESTIONS_MAX {
        value.error("bad-survey", format!("a survey has 1 to {QUESTIONS_MAX} questions"));
        return None;
    }
    let mut questions: Vec<SurveyQuestion> = vec![];
    for entry in &entries {
        let read = question(entry, install)?;
        if questions.iter().any(|q| q.name == read.name) {
            entry.error("duplicate", format!("two questions are called `{}`", read.name));
        }
        questions.push(read);
    }
    let weights: u32 = questions.iter().map(|q| u32::from(q.weight)).sum();
    if weights != 100 {
        value.error_help(
            "bad-weights",
            format!("the weights of survey `{}` make {weights}", crate::shorten(name)),
            "they are shares of a hundred".to_owned(),
        );
    }
    scale?;
    Some(SurveyPlan { name: name.into(), questions, lowest, highest, low: low? })
}

fn scale(value: &Value<'_>) -> Option<(u8, u8)> {
    let list = value.list()?;
    let marks: Vec<u8> = list.iter().filter_map(|v| v.count(0..=9)).collect();
    if marks.len() < list.len() {
        return None;
    }
    match marks[..] {
        [lowest, highest] if lowest < highest => Some((lowest, highest)),
        _ => {
            value.error_help(
                "bad-survey",
                "`scale` is not the lowest and the highest mark",
                "marks are single keys, 0 to 9: `scale = [1, 5]`".to_owned(),
            );
            None
        }
    }
}

fn question<'a>(entry: &Value<'a>, install: &mut Install<'a>) -> Option<SurveyQuestion> {
    let table = entry.table()?.titled("a question of a survey").form(&crate::forms::QUESTION);
    let name = table.need("name", "for reports: `name = \"speed\"`").and_then(|value| {
        let name = value.word()?;
        check_name(value.findings, value.at(), "question", name);
        Some(name)
    });
    let ask = table.need("ask", "name the prompt that asks: `ask = \"rate-speed\"`");
    let prompts: Option<Vec<_>> = ask
        .map(|v| v.one_or_list().into_iter().map(|p| install.prompt_name(p)).collect())
        .unwrap_or_default();
    let weight = table.need("weight", "its share of a hundred: `weight = 30`").and_then(|v| v.count(1..=100));
    table.done();
    let sounds = prompts?.iter().map(|name| Sound::prompt(name)).collect();
    Some(SurveyQuestion { name: name?.into(), sounds, weight: weight? })
}
