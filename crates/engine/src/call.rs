//! One call: its legs, its way through the flow, and who serves it.

use crate::record::{ConsentRecord, QueueVisit, SurveyRecord};
use crate::recording::Recording;
use crate::settings::Settings;
use crate::tape::TapeId;
use hotline_core::{AgentId, CallId, Cause, LegId, OfferId, Pii, PlayId, QueueId, Time};
use media::Stats;
use sip::{DialogId, Hop};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Legs a call may have had; reached only by a call offered hundreds of times.
const LEG_NUMBERS: u64 = 256;
/// Steps kept for the record; a longer path keeps its beginning.
pub(crate) const PATH_MAX: usize = 1000;
/// Digits kept for the record.
pub(crate) const DIGITS_MAX: usize = 256;

/// Which call a leg belongs to: leg ids are the call's id and a number below 256.
pub(crate) const fn call_of(leg: LegId) -> CallId {
    CallId(leg.0 / LEG_NUMBERS)
}

#[derive(Debug)]
pub(crate) struct Call {
    pub id: CallId,
    /// The installation as it was when the call began.
    pub settings: Arc<Settings>,
    pub sip_call_id: String,
    pub caller_number: Pii<String>,
    pub dialled: Arc<str>,
    pub started: Time,
    pub answered: Option<Time>,
    pub driver: Driver,
    /// The caller's leg first, then agents' legs in the order they were rung, until the record is written.
    pub legs: Vec<Leg>,
    legs_made: u64,
    /// Where the flow waits for the ACD or an agent.
    pub wait: Wait,
    pub offer: Option<Offer>,
    pub talking: Option<Talking>,
    /// When and why the end began.
    pub ending: Option<(Time, Cause)>,
    pub path: Vec<(Duration, Arc<str>)>,
    pub vars: Vec<(Arc<str>, String)>,
    /// Keys as typed, stars where they are masked.
    pub digits: Pii<String>,
    pub queues: Vec<QueueVisit>,
    pub consents: Vec<ConsentRecord>,
    pub surveys: Vec<SurveyRecord>,
    /// He leaves a message.
    pub message: Option<TapeId>,
    pub recording: Recording,
    /// A prompt that cannot be heard: it counts as played when its time is over.
    pub unheard: Option<PlayId>,
    /// News for the flow within one instant.
    turns: (Time, u32),
}

/// Who tells the caller's leg what to do.
#[derive(Debug)]
pub(crate) enum Driver {
    Visit(Box<ivr::Visit>),
    /// A feature code was dialled: say one thing, then hang up.
    Confirm {
        prompt: &'static str,
        play: Option<PlayId>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wait {
    Nothing,
    Queue {
        queue: QueueId,
    },
    Ring {
        agent: AgentId,
    },
    /// For a number outside, on this leg of the call.
    Outside {
        leg: LegId,
    },
}

/// An agent's phones ringing for this call.
#[derive(Debug)]
pub(crate) struct Offer {
    pub id: OfferId,
    pub agent: AgentId,
    pub queue: Option<QueueId>,
    /// The legs that still ring, one for each contact.
    pub ringing: Vec<LegId>,
    /// A phone said no itself (486, 603 ...), as against phones that could not be reached.
    pub refused: bool,
    /// The leg that answered, until the router says whether its answer counts.
    pub answered: Option<LegId>,
}

#[derive(Debug)]
pub(crate) struct Talking {
    /// None: a number outside.
    pub agent: Option<AgentId>,
    pub leg: LegId,
    pub since: Time,
    pub bridged: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Party {
    Caller,
    Agent(AgentId),
    /// A number outside, over the leg's trunk.
    Outside,
}

/// What of the caller's leg has been asked for while its media still opens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Want {
    Nothing,
    EarlyMedia,
    Answer,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MediaState {
    None,
    Opening,
    Open(SocketAddr),
    Closing,
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signalling {
    /// An agent's leg whose media opens; its INVITE has not left yet.
    Waiting,
    /// INVITE without a final answer.
    Trying,
    Answered,
    /// The dialog is over, or was never begun.
    Ended,
}

#[derive(Debug)]
pub(crate) struct Leg {
    pub id: LegId,
    pub party: Party,
    pub dialog: Option<DialogId>,
    pub hop: Hop,
    /// Request-URI of an agent's phone, or of the number outside.
    pub contact: String,
    /// By which a number outside is reached.
    pub trunk: Option<Arc<str>>,
    pub signalling: Signalling,
    pub media: MediaState,
    pub want: Want,
    pub local: Option<sdp::Local>,
    /// The description we sent last (RFC 3264 section 8: one that says nothing new keeps its version).
    pub described: Option<Vec<u8>>,
    pub format: Option<sdp::Negotiated>,
    /// The far end's offer that has no answer yet.
    pub offered: Option<sdp::Description>,
    /// The last description came from us and its answer has not come yet (2xx with an offer, our re-offer).
    pub awaiting_answer: bool,
    /// The far end has put us on hold.
    pub held: bool,
    pub started: Time,
    pub answered: Option<Time>,
    pub ended: Option<(Time, Cause)>,
    pub stats: Option<Box<Stats>>,
}

impl Call {
    pub fn new(id: CallId, settings: Arc<Settings>, driver: Driver, hop: Hop, started: Time) -> Call {
        let mut call = Call {
            id,
            settings,
            sip_call_id: String::new(),
            caller_number: Pii::default(),
            dialled: "".into(),
            started,
            answered: None,
            driver,
            legs: Vec::with_capacity(2),
            legs_made: 0,
            wait: Wait::Nothing,
            offer: None,
            talking: None,
            ending: None,
            path: Vec::new(),
            vars: Vec::new(),
            digits: Pii::default(),
            queues: Vec::new(),
            consents: Vec::new(),
            surveys: Vec::new(),
            message: None,
            recording: Recording::default(),
            unheard: None,
            turns: (started, 0),
        };
        call.add_leg(Party::Caller, hop, started);
        call
    }

    /// A new leg with an id that no living leg of this call has.
    pub fn add_leg(&mut self, party: Party, hop: Hop, now: Time) -> LegId {
        let id = loop {
            let id = LegId(self.id.0 * LEG_NUMBERS + self.legs_made % LEG_NUMBERS);
            self.legs_made += 1;
            if !self.legs.iter().any(|leg| leg.id == id && !leg.is_over()) {
                break id;
            }
        };
        self.legs.push(Leg {
            id,
            party,
            dialog: None,
            hop,
            contact: String::new(),
            trunk: None,
            signalling: Signalling::Waiting,
            media: MediaState::None,
            want: Want::Nothing,
            local: None,
            described: None,
            format: None,
            offered: None,
            awaiting_answer: false,
            held: false,
            started: now,
            answered: None,
            ended: None,
            stats: None,
        });
        id
    }

    /// False when the flow has had too much news in this one instant.
    pub fn may_turn(&mut self, now: Time) -> bool {
        let (at, turns) = self.turns;
        self.turns = if at == now { (at, turns + 1) } else { (now, 1) };
        self.turns.1 <= super::visit::TURNS_MAX
    }

    pub fn caller(&mut self) -> &mut Leg {
        &mut self.legs[0]
    }

    /// The living leg of this id; the last of that number when numbers were used again.
    pub fn leg(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.iter_mut().rev().find(|leg| leg.id == id)
    }

    /// The leg on the other side of the bridge.
    pub fn other(&self, id: LegId) -> Option<LegId> {
        let talking = self.talking.as_ref().filter(|t| t.bridged)?;
        let caller = self.legs[0].id;
        if id == caller {
            Some(talking.leg)
        } else if id == talking.leg {
            Some(caller)
        } else {
            None
        }
    }

    pub fn language(&self) -> &str {
        match &self.driver {
            Driver::Visit(visit) => visit.language(),
            Driver::Confirm { .. } => "",
        }
    }

    pub fn step(&self) -> &str {
        match &self.driver {
            Driver::Visit(visit) => visit.step(),
            Driver::Confirm { .. } => "feature-code",
        }
    }

    /// One word for people: what the call is doing.
    pub fn state(&self) -> &'static str {
        if self.ending.is_some() {
            "ending"
        } else if self.talking.is_some() {
            if self.legs.iter().any(|leg| leg.held && !leg.is_over()) { "on hold" } else { "talking" }
        } else if self.offer.is_some() {
            "offered"
        } else {
            match self.wait {
                Wait::Queue { .. } => "queued",
                Wait::Ring { .. } | Wait::Outside { .. } => "ringing",
                Wait::Nothing if self.answered.is_some() => "in flow",
                Wait::Nothing => "arriving",
            }
        }
    }
}

impl Leg {
    /// Neither signalling nor media remain.
    pub fn is_over(&self) -> bool {
        self.signalling == Signalling::Ended && matches!(self.media, MediaState::None | MediaState::Closed)
    }

    pub fn is_connected(&self) -> bool {
        self.format.is_some() && matches!(self.media, MediaState::Open(_))
    }
}
