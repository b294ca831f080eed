//! The waiting calls: by class, each class in order, and the first of each class in order.
use crate::staff::Eligible;
use crate::{Queue, Requirement};
use hotline_core::{CallId, QueueId, Severity, Time};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};
use std::ops::Bound;

/// Classes without a call that are kept, so that the next such call need not look through the staff.
const SPARE_CLASSES: usize = 1024;

/// A call's place. Slack is promise minus waited minus ring time; as all calls wait at the same pace,
/// the order by slack is the order by `due` and never changes while they wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    /// When the phone must ring at the latest, in nanoseconds: arrival + promise - ring time.
    due: i128,
    severity: Severity,
    arrived: Time,
    pub call: CallId,
}

impl Place {
    pub fn new(queue: &Queue, severity: Severity, arrived: Time, call: CallId) -> Place {
        let promise = queue.promise[severity as usize].as_nanos() as i128;
        let due = i128::from(arrived.as_nanos()) + promise - queue.ring.as_nanos() as i128;
        Place { due, severity, arrived, call }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ClassId(usize);

/// Calls of one queue with the same requirement: the same agents may serve them all.
#[derive(Debug)]
pub(crate) struct Class {
    pub queue: QueueId,
    require: Option<Requirement>,
    pub eligible: Eligible,
    /// Those that ring nowhere.
    waiting: BTreeSet<Place>,
    /// Those in the line, ringing or not; a class with members is never dropped.
    members: u32,
}

#[derive(Default, Debug)]
pub(crate) struct Line {
    classes: Vec<Option<Class>>,
    free: Vec<usize>,
    by_kind: FxHashMap<(QueueId, Option<Requirement>), ClassId>,
    spare: VecDeque<ClassId>,
    /// The first waiting call of each class.
    heads: BTreeSet<(Place, ClassId)>,
}

impl Line {
    pub fn class(&self, id: ClassId) -> &Class {
        self.classes[id.0].as_ref().expect("a class id is held only by members of the class")
    }

    fn class_mut(&mut self, id: ClassId) -> &mut Class {
        self.classes[id.0].as_mut().expect("a class id is held only by members of the class")
    }

    /// The class of such calls, made when there is none yet.
    pub fn classify(
        &mut self,
        queue: QueueId,
        require: Option<Requirement>,
        eligible: impl FnOnce(Option<&Requirement>) -> Eligible,
    ) -> ClassId {
        let kind = (queue, require);
        if let Some(&id) = self.by_kind.get(&kind) {
            return id;
        }
        let require = kind.1.clone();
        let eligible = eligible(require.as_ref());
        let class = Class { queue, require, eligible, waiting: BTreeSet::new(), members: 0 };
        let id = match self.free.pop() {
            Some(i) => {
                self.classes[i] = Some(class);
                ClassId(i)
            }
            None => {
                self.classes.push(Some(class));
                ClassId(self.classes.len() - 1)
            }
        };
        self.by_kind.insert(kind, id);
        self.spare(id);
        id
    }

    pub fn enter(&mut self, class: ClassId, place: Place) {
        self.class_mut(class).members += 1;
        self.wait(class, place);
    }

    /// For good: it rings nowhere any more.
    pub fn leave(&mut self, class: ClassId, place: Place) {
        self.ring(class, place);
        let members = &mut self.class_mut(class).members;
        *members -= 1;
        if *members == 0 {
            self.spare(class);
        }
    }

    /// Takes its place among those that ring nowhere.
    pub fn wait(&mut self, class: ClassId, place: Place) {
        let waiting = &mut self.class_mut(class).waiting;
        let head = waiting.first().copied();
        waiting.insert(place);
        if head.is_none_or(|head| place < head) {
            head.map(|head| self.heads.remove(&(head, class)));
            self.heads.insert((place, class));
        }
    }

    /// Keeps its membership, but waits no longer: it rings.
    pub fn ring(&mut self, class: ClassId, place: Place) {
        let waiting = &mut self.class_mut(class).waiting;
        waiting.remove(&place);
        let next = waiting.first().copied();
        if self.heads.remove(&(place, class))
            && let Some(next) = next
        {
            self.heads.insert((next, class));
        }
    }

    /// The first head after `after`.
    pub fn next_head(&self, after: Option<Place>) -> Option<(Place, ClassId)> {
        let Some(after) = after else { return self.heads.first().copied() };
        self.heads.range((Bound::Excluded((after, ClassId(usize::MAX))), Bound::Unbounded)).next().copied()
    }

    /// Whether this call is the first of its class.
    pub fn is_head(&self, class: ClassId, place: Place) -> bool {
        self.class(class).waiting.first() == Some(&place)
    }

    fn spare(&mut self, id: ClassId) {
        self.spare.push_back(id);
        if self.spare.len() > SPARE_CLASSES
            && let Some(oldest) = self.spare.pop_front()
            && self.classes[oldest.0].as_ref().is_some_and(|c| c.members == 0)
            && oldest != id
            && let Some(class) = self.classes[oldest.0].take()
        {
            self.by_kind.remove(&(class.queue, class.require));
            self.free.push(oldest.0);
        }
    }

    /// Those that ring nowhere, class by class.
    pub fn waiting(&self) -> impl Iterator<Item = (ClassId, Place)> {
        let classes = self.classes.iter().enumerate().filter_map(|(i, c)| Some((ClassId(i), c.as_ref()?)));
        classes.flat_map(|(id, c)| c.waiting.iter().map(move |&place| (id, place)))
    }

    /// How many of a queue's waiting calls come before this place.
    pub fn before(&self, queue: QueueId, place: Place) -> u32 {
        let of_queue = self.classes.iter().flatten().filter(|c| c.queue == queue);
        of_queue.map(|c| c.waiting.range(..place).count() as u32).sum()
    }

    /// How many waiting calls come before this place and are for agents such as `compete` says.
    pub fn ahead(&self, place: Place, compete: impl Fn(&Eligible) -> bool) -> u32 {
        let before = self.classes.iter().flatten().filter(|c| c.waiting.first().is_some_and(|p| *p < place));
        let competing = before.filter(|c| compete(&c.eligible));
        competing.map(|c| c.waiting.range(..place).count() as u32).sum()
    }

    pub fn check(&self) {
        let heads = self.classes.iter().enumerate();
        let heads: BTreeSet<_> =
            heads.filter_map(|(i, c)| Some((*c.as_ref()?.waiting.first()?, ClassId(i)))).collect();
        assert_eq!(heads, self.heads, "heads are the first of each class");
        for class in self.classes.iter().flatten() {
            assert!(class.waiting.len() as u32 <= class.members, "members of {:?} left out", class.queue);
        }
        assert!(self.spare.len() <= SPARE_CLASSES + 1);
    }
}

#[cfg(test)]
mod tests {
    use crate::*;
    use hotline_core::{AgentId, CallId, Outbox, PoolId, QueueId, Severity, Time};
    use std::sync::Arc;
    use std::time::Duration;

    /// Requirements come from outside: however many there are, those nobody waits with are dropped,
    /// and those somebody waits with are not.
    #[test]
    fn spare_classes_are_bounded() {
        let second = Duration::from_secs(1);
        let roster = Arc::new(Roster {
            pools: vec![Pool { name: "L1".into(), rank: 1, limit: None }],
            queues: vec![Queue {
                name: "q".into(),
                pools: vec![],
                require: None,
                order: AgentOrder::LongestIdle,
                limit: None,
                length_max: 10_000,
                ring: second,
                wrap_up: second,
                promise: [second; 4],
            }],
            agents: vec![Agent {
                name: "a".into(),
                pool: PoolId(0),
                skills: [("s".into(), 255)].into(),
                capacity: 1,
                rest: second,
                misses_max: 0,
            }],
            node_limit: None,
        });
        let mut router = Router::new(roster.clone());
        let mut out = Outbox::new();
        let agent = AgentId(0);
        router.handle(Time::ZERO, Input::AgentReady { agent }, &mut out);
        router.handle(Time::ZERO, Input::AgentPaused { agent, reason: "away".into() }, &mut out);
        for i in 0..5000u64 {
            let text = format!("s >= {} and s >= {}", i % 200, i / 200);
            let require = Some(Requirement::parse(&text, &roster).expect("good"));
            let (call, queue, arrived) = (CallId(i), QueueId(0), Time::ZERO);
            let severity = Severity::P3;
            let number = "1".into();
            router.handle(
                Time::ZERO,
                Input::CallQueued { call, queue, require, severity, arrived, number },
                &mut out,
            );
            if i % 100 != 0 {
                router.handle(Time::ZERO, Input::CallEnded { call }, &mut out);
            }
        }
        assert_eq!(router.waiting().len(), 50);
        assert!(router.line.classes.len() <= super::SPARE_CLASSES + 50 + 2, "{}", router.line.classes.len());
        assert_eq!(router.line.by_kind.len(), router.line.classes.iter().flatten().count());
        router.check();
        router.handle(Time::ZERO, Input::AgentReady { agent }, &mut out);
        router.check();
        let offered = router.waiting().into_iter().find(|w| w.offered_to.is_some()).map(|w| w.call);
        assert_eq!(offered, Some(CallId(0)));
    }
}
