//! Emergency announcements: what operators have switched on, without a reload and over restarts.

use crate::engine::{Engine, Timer};
use crate::interface::{AnnouncementOn, AnnouncementView, Kept, Output, Reply, StoryLine};
use hotline_core::{CallId, Outbox, Time};
use std::sync::Arc;
use std::time::Duration;

/// The longest that one may be on by a time given: about a year.
const LENGTH_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// Of a reason, in characters.
const REASON_MAX: usize = 200;

impl Engine {
    /// Seconds since 1970.
    pub(crate) fn unix(&self, now: Time) -> i64 {
        self.settings.epoch_unix.saturating_add((now.as_millis() / 1000) as i64)
    }

    pub(crate) fn announce(
        &mut self,
        now: Time,
        name: &str,
        length: Option<Duration>,
        reason: Option<String>,
        by: String,
        out: &mut Outbox<Output>,
    ) -> Reply {
        let name = match self.announcement(name) {
            Ok(name) => name,
            Err(what) => return Reply::Error(what),
        };
        let since = self.unix(now);
        // A whole second at least, so that the end lies later than now.
        let seconds = length.map(|l| l.min(LENGTH_MAX).as_millis().div_ceil(1000).max(1) as i64);
        let on = AnnouncementOn {
            name: name.clone(),
            by,
            reason: reason.map(|r| r.chars().take(REASON_MAX).collect()),
            since_unix: since,
            until_unix: seconds.map(|s| since.saturating_add(s)),
        };
        let lasts = seconds.map_or(String::new(), |s| format!(" for_s={s}"));
        let why = on.reason.as_ref().map_or(String::new(), |r| format!(" reason={r}"));
        let detail = format!("announcement={name} by={}{lasts}{why}", on.by);
        self.log(now, None, None, "announcement-on", detail, out);
        let note = format!("announcement `{name}` is on, by {}", on.by);
        out.push(Output::Story { call: None, line: StoryLine::Note(note) });
        out.push(Output::Keep(Kept::AnnouncementOn(on.clone())));
        self.announcements.insert(name.clone(), on);
        self.time_announcements(now);
        Reply::Done(format!("announcement `{name}` is on"))
    }

    pub(crate) fn retract(&mut self, now: Time, name: &str, by: &str, out: &mut Outbox<Output>) -> Reply {
        match self.announcement(name) {
            Err(what) => Reply::Error(what),
            Ok(name) if !self.announcements.contains_key(&name) => {
                Reply::Done(format!("announcement `{name}` is off already"))
            }
            Ok(name) => {
                self.switch_off(now, &name, by, out);
                self.time_announcements(now);
                Reply::Done(format!("announcement `{name}` is off"))
            }
        }
    }

    fn switch_off(&mut self, now: Time, name: &Arc<str>, by: &str, out: &mut Outbox<Output>) {
        self.announcements.remove(name);
        self.log(now, None, None, "announcement-off", format!("announcement={name} by={by}"), out);
        let note = format!("announcement `{name}` is off, by {by}");
        out.push(Output::Story { call: None, line: StoryLine::Note(note) });
        out.push(Output::Keep(Kept::AnnouncementOff(name.clone())));
    }

    /// Those whose time is over.
    pub(crate) fn announcements_end(&mut self, now: Time, out: &mut Outbox<Output>) {
        let unix = self.unix(now);
        let over = self.announcements.values().filter(|on| on.until_unix.is_some_and(|until| until <= unix));
        let over: Vec<Arc<str>> = over.map(|on| on.name.clone()).collect();
        for name in over {
            self.switch_off(now, &name, "time", out);
        }
        self.time_announcements(now);
    }

    fn time_announcements(&mut self, now: Time) {
        match self.announcements.values().filter_map(|on| on.until_unix).min() {
            None => drop(self.timers.cancel(&Timer::Announcements)),
            Some(until) => {
                let second = u64::try_from(until.saturating_sub(self.settings.epoch_unix)).unwrap_or(0);
                let at = Time::from_secs(second).max(now + Duration::from_millis(1));
                self.timers.set(Timer::Announcements, at, "an announcement ends");
            }
        }
    }

    /// What was on when an engine before this one ended. What the installation no longer has is dropped.
    pub(crate) fn restore_announcements(
        &mut self,
        now: Time,
        kept: Vec<AnnouncementOn>,
        out: &mut Outbox<Output>,
    ) {
        for on in kept {
            match self.settings.announcements.contains_key(&on.name) {
                true => drop(self.announcements.insert(on.name.clone(), on)),
                false => out.push(Output::Keep(Kept::AnnouncementOff(on.name))),
            }
        }
        self.announcements_end(now, out);
    }

    /// A flow asks which of these are on.
    pub(crate) fn announced(&mut self, id: CallId, ticket: ivr::Ticket, of: Vec<Arc<str>>) {
        let active = of.into_iter().filter(|name| self.announcements.contains_key(name)).collect();
        self.work.push_back(crate::engine::Work::Visit(id, ivr::Input::Announced { ticket, active }));
    }

    pub(crate) fn announcement_views(&self, now: Time) -> Vec<AnnouncementView> {
        let unix = self.unix(now);
        let seconds = |n: i64| Duration::from_secs(u64::try_from(n).unwrap_or(0));
        let view = |(name, announcement): (&Arc<str>, &crate::Announcement)| {
            let on = self.announcements.get(name);
            AnnouncementView {
                name: name.clone(),
                title: announcement.title.clone(),
                on: on.is_some(),
                by: on.map(|on| on.by.clone()),
                reason: on.and_then(|on| on.reason.clone()),
                since: on.map(|on| seconds(unix.saturating_sub(on.since_unix))),
                left: on.and_then(|on| on.until_unix).map(|until| seconds(until.saturating_sub(unix))),
            }
        };
        self.settings.announcements.iter().map(view).collect()
    }

    /// As the installation calls it, or what is wrong.
    fn announcement(&self, name: &str) -> Result<Arc<str>, String> {
        let known = &self.settings.announcements;
        if let Some((name, _)) = known.get_key_value(name) {
            return Ok(name.clone());
        }
        let names = || known.keys().map(|known| &**known);
        let help = match ivr::suggest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "[announcement.NAME] in hotline.toml makes one".to_owned(),
            None => format!("there are: {}", names().take(50).collect::<Vec<_>>().join(", ")),
        };
        Err(format!("no announcement is called `{name}`\n  help: {help}"))
    }
}
