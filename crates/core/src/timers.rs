use crate::{Deadline, Time};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// All timers of a machine in one queue: at most one per key, popped in order of time, then of arming.
///
/// `set`, `cancel` and `pop_due` cost O(log n). Memory is that of the armed timers only: setting a key
/// again or cancelling it removes the old entry at once.
#[derive(Debug)]
pub struct TimerQueue<K> {
    by_time: BTreeMap<(Time, u64), (K, &'static str)>,
    by_key: HashMap<K, (Time, u64)>,
    armed: u64,
}

impl<K: Clone + Eq + Hash> TimerQueue<K> {
    pub fn new() -> Self {
        TimerQueue { by_time: BTreeMap::new(), by_key: HashMap::new(), armed: 0 }
    }

    /// Arms the timer of `key`, replacing the one it had. `why` is what people read in `hotline show timers`.
    pub fn set(&mut self, key: K, at: Time, why: &'static str) {
        self.armed += 1;
        let place = (at, self.armed);
        if let Some(old) = self.by_key.insert(key.clone(), place) {
            self.by_time.remove(&old);
        }
        self.by_time.insert(place, (key, why));
    }

    /// Disarms; false when it was not armed.
    pub fn cancel(&mut self, key: &K) -> bool {
        match self.by_key.remove(key) {
            Some(place) => self.by_time.remove(&place).is_some(),
            None => false,
        }
    }

    pub fn at(&self, key: &K) -> Option<Time> {
        self.by_key.get(key).map(|&(at, _)| at)
    }

    pub fn deadline(&self) -> Option<Deadline> {
        self.by_time.first_key_value().map(|(&(at, _), &(_, why))| Deadline { at, why })
    }

    /// The next key whose time has come, disarmed.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        let entry = self.by_time.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        let (key, _) = entry.remove();
        self.by_key.remove(&key);
        Some(key)
    }

    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// Armed timers in the order they will fire: when, whose, why.
    pub fn iter(&self) -> impl Iterator<Item = (Time, &K, &'static str)> {
        self.by_time.iter().map(|(&(at, _), (key, why))| (at, key, *why))
    }
}

impl<K: Clone + Eq + Hash> Default for TimerQueue<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_in_order_and_once() {
        let mut q = TimerQueue::new();
        q.set("b", Time::from_secs(2), "b");
        q.set("a", Time::from_secs(1), "a");
        q.set("c", Time::from_secs(1), "c");
        q.set("b", Time::from_secs(3), "b again");
        assert_eq!(q.deadline().map(|d| d.why), Some("a"));
        assert_eq!(q.pop_due(Time::ZERO), None);
        assert_eq!(q.pop_due(Time::from_secs(2)), Some("a"));
        assert_eq!(q.pop_due(Time::from_secs(2)), Some("c"));
        assert_eq!(q.pop_due(Time::from_secs(2)), None);
        assert_eq!(q.at(&"b"), Some(Time::from_secs(3)));
        assert!(q.cancel(&"b") && !q.cancel(&"b"));
        assert!(q.is_empty() && q.by_key.is_empty());
    }
}
