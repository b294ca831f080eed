//! `[pool.NAME]` and `[queue.NAME]`: who serves whom.
use super::{Install, LONGEST, Named, QueueDraft, check_name, secs, set, unknown};
use crate::finding::one_of;
use acd::{AgentOrder, Pool};
use hotline_core::Severity;

impl<'a> Install<'a> {
    pub(super) fn pool(&mut self, (name, at, pool): Named<'a>) {
        check_name(pool.findings, at, "pool", name);
        let rank = pool.need("rank", "1 for the first level, 2 for the next").and_then(|v| v.count(1..=99));
        let limit = pool.get("limit").and_then(|v| v.count(1..=1_000_000));
        self.pools.push(Pool { name: name.into(), rank: rank.unwrap_or(1), limit });
        pool.done();
    }

    pub(super) fn queue(&mut self, (name, at, queue): Named<'a>) {
        check_name(queue.findings, at, "queue", name);
        let mut draft = QueueDraft {
            name: name.into(),
            at,
            pools: vec![],
            require: queue.get("require"),
            order: AgentOrder::LongestIdle,
            limit: queue.get("limit").and_then(|v| v.count(1..=1_000_000)),
            length_max: 1000,
            ring: secs(20),
            wrap_up: secs(0),
            promise: [secs(300), secs(900), secs(1800), secs(3600)],
        };
        for entry in queue.get("pools").and_then(|v| v.list()).unwrap_or_default() {
            let Some(wanted) = entry.text() else { continue };
            match self.pools.iter().position(|p| &*p.name == wanted) {
                Some(pool) if draft.pools.contains(&pool) => {
                    entry.error("duplicate", format!("`pools` has `{wanted}` twice"));
                }
                Some(pool) => draft.pools.push(pool),
                None => unknown(&entry, "pool", wanted, self.pools.iter().map(|p| &*p.name)),
            }
        }
        if let Some(value) = queue.get("order")
            && let Some(text) = value.text()
        {
            const ORDERS: [(&str, AgentOrder); 4] = [
                ("longest-idle", AgentOrder::LongestIdle),
                ("least-occupied", AgentOrder::LeastOccupied),
                ("best-fit", AgentOrder::BestFit),
                ("round-robin", AgentOrder::RoundRobin),
            ];
            match ORDERS.iter().find(|(name, _)| *name == text) {
                Some((_, order)) => draft.order = *order,
                None => value.error_help(
                    "unknown-order",
                    format!("`order` cannot be \"{}\"", crate::shorten(text)),
                    format!("write {}", one_of(ORDERS.map(|(name, _)| name))),
                ),
            }
        }
        set(&mut draft.length_max, queue.get("length_max").and_then(|v| v.count(1..=100_000)));
        set(&mut draft.ring, queue.get("ring").and_then(|v| v.duration(secs(1)..=secs(600))));
        set(&mut draft.wrap_up, queue.get("wrap_up").and_then(|v| v.duration(secs(0)..=secs(86400))));
        const PROMISE: &str = "write `promise = { P0 = \"5m\", P1 = \"15m\", P2 = \"30m\", P3 = \"60m\" }`";
        if let Some(promise) = queue.need("promise", PROMISE).and_then(|v| v.table()) {
            let promise =
                promise.titled(format!("the promise of queue `{name}`")).form(&crate::forms::PROMISE);
            for (severity, slot) in Severity::ALL.into_iter().zip(&mut draft.promise) {
                let value = promise.need(severity.as_str(), "every severity needs a time to answer");
                set(slot, value.and_then(|v| v.duration(secs(1)..=LONGEST)));
            }
            if !draft.promise.is_sorted() {
                let what =
                    format!("queue `{name}` promises a graver severity a longer wait than a lighter one");
                promise.findings.warning(promise.at(), "promise-order", what, None);
            }
            promise.done();
        }
        queue.done();
        self.queues.push(draft);
    }
}
