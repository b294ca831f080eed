//! What happens to calls and agents, told in virtual time.
mod common;
use common::*;
use hotline_acd::*;
use hotline_core::*;
use std::time::Duration;

#[test]
fn a_call_is_offered_answered_and_wrapped_up() {
    let mut roster = roster();
    roster.queues[0].wrap_up = S * 30;
    let mut d = Desk::new(roster);
    assert_eq!(told(&d.ready(ALICE)), ["agent-0 Ready"]);
    d.until(10);
    assert_eq!(told(&d.queue(7, "")), ["offer-1 call-7 agent-0", "agent-0 Offered"]);
    assert_eq!(d.line(), [7]);
    d.until(15);
    assert_eq!(told(&d.answer(1)), ["connect offer-1 after 5s", "agent-0 Talking"]);
    assert_eq!(d.line(), [0; 0]);
    d.until(100);
    assert_eq!(told(&d.end(7)), ["agent-0 WrapUp { until: 130.000000s }"]);
    assert_eq!(told(&d.queue(8, "")), [""; 0], "wrap-up holds the slot");
    let out = told(&d.until(140));
    assert_eq!(out, ["agent-0 Ready", "offer-2 call-8 agent-0", "agent-0 Offered"]);
    assert_eq!(d.router.agent_since(ALICE), at(130));
}

#[test]
fn ready_ends_wrap_up_and_lifts_a_pause_and_a_rest() {
    let mut roster = roster();
    roster.queues[0].wrap_up = S * 30;
    let mut d = Desk::staffed(roster, &[ALICE]);
    d.queue(1, "");
    d.answer(1);
    d.end(1);
    assert_eq!(told(&d.ready(ALICE)), ["agent-0 Ready"]);
    d.queue(2, "");
    assert!(told(&d.refuse(2)).contains(&"agent-0 Resting { until: 11.000000s }: refused".into()));
    assert_eq!(told(&d.ready(ALICE)), ["agent-0 Ready", "offer-3 call-2 agent-0", "agent-0 Offered"]);
    assert_eq!(
        told(&d.pause(ALICE, "lunch")),
        ["withdraw offer-3 AgentPaused", "agent-0 Paused { reason: \"lunch\" }: lunch"]
    );
    assert_eq!(told(&d.ready(ALICE))[0], "agent-0 Ready");
    assert!(d.router.timers().all(|(_, _, why)| why != "wrap-up" && why != "rest after a missed call"));
}

#[test]
fn a_pause_while_talking_waits_for_the_call_and_its_wrap_up() {
    let mut roster = roster();
    roster.queues[0].wrap_up = S * 30;
    let mut d = Desk::staffed(roster, &[ALICE]);
    d.queue(1, "");
    d.answer(1);
    assert_eq!(told(&d.pause(ALICE, "lunch")), [""; 0]);
    assert_eq!(d.router.agent_state(ALICE), AgentState::Talking);
    assert_eq!(told(&d.end(1)), ["agent-0 WrapUp { until: 31.000000s }"]);
    assert_eq!(told(&d.until(40)), ["agent-0 Paused { reason: \"lunch\" }"]);
}

#[test]
fn signing_out_leaves_the_talk_alone_and_passes_an_offer_on() {
    let mut d = Desk::staffed(roster(), &[ALICE, BOB]);
    d.queue(1, "");
    assert_eq!(
        told(&d.put(Input::AgentOffline { agent: ALICE })),
        ["withdraw offer-1 AgentGone", "agent-0 Offline", "offer-2 call-1 agent-1", "agent-1 Offered"]
    );
    d.answer(2);
    assert_eq!(told(&d.put(Input::AgentOffline { agent: BOB })), [""; 0]);
    assert_eq!(d.router.agent_state(BOB), AgentState::Talking);
    assert_eq!(told(&d.end(1)), ["agent-1 Offline"]);
}

#[test]
fn three_misses_in_a_row_pause_with_the_reason() {
    let mut d = Desk::staffed(roster(), &[ALICE]);
    d.queue(1, "");
    let told = told(&d.until(200));
    assert_eq!(
        told,
        [
            "withdraw offer-1 RangOut",
            "agent-0 Resting { until: 31.000000s }: did not answer",
            "agent-0 Ready",
            "offer-2 call-1 agent-0",
            "agent-0 Offered",
            "withdraw offer-2 RangOut",
            "agent-0 Resting { until: 61.000000s }: did not answer",
            "agent-0 Ready",
            "offer-3 call-1 agent-0",
            "agent-0 Offered",
            "withdraw offer-3 RangOut",
            "agent-0 Paused { reason: \"missed 3 calls in a row, at last: did not answer\" }: \
             missed 3 calls in a row, at last: did not answer",
        ]
    );
    assert_eq!(d.line(), [1], "the call keeps waiting");
}

#[test]
fn an_answer_between_ends_the_row_of_misses() {
    let mut d = Desk::staffed(roster(), &[ALICE]);
    for round in 0..4 {
        d.queue(round, "");
        for _ in 0..2 {
            let offer = d.router.waiting()[0].offered_to.map(|_| d.router.queue_stats(SUPPORT).offered);
            d.refuse(offer.expect("alice is rung"));
            d.until(d.now.as_secs() + 10);
        }
        d.answer(d.router.queue_stats(SUPPORT).offered);
        assert_eq!(d.router.agent_state(ALICE), AgentState::Talking);
        d.end(round);
    }
}

#[test]
fn nobody_who_could_ever_serve_it() {
    let mut d = Desk::new(roster());
    assert_eq!(told(&d.queue(1, "")), ["not queued call-1 NoAgents"]);
    d.ready(BOB);
    assert_eq!(told(&d.queue(2, "lang.yue")), ["not queued call-2 NoAgents"]);
    assert_eq!(told(&d.queue(3, "agent == \"alice\"")), ["not queued call-3 NoAgents"]);
    assert_eq!(told(&d.queue(3, "agent != \"bob\"")), ["not queued call-3 NoAgents"]);
    d.pause(BOB, "lunch");
    assert_eq!(told(&d.queue(4, "lang.cmn")), [""; 0], "on pause is signed in");
    d.put(Input::AgentOffline { agent: BOB });
    assert_eq!(d.line(), [4], "who waits goes on waiting when the last agent leaves");
    assert_eq!(told(&d.queue_at(5, QueueId(9), "", Severity::P0, at(0))), ["not queued call-5 NoAgents"]);
    assert_eq!(d.router.queue_stats(SUPPORT).refused_no_agents, 4);
}

#[test]
fn a_full_line_refuses_nobody_whom_an_agent_can_take() {
    let mut roster = roster();
    roster.queues[0].length_max = 1;
    let mut d = Desk::staffed(roster, &[ALICE, BOB]);
    d.queue(1, "lang.yue");
    d.queue(2, "lang.yue");
    assert_eq!(told(&d.queue(3, "lang.yue")), ["not queued call-3 Full"]);
    assert_eq!(told(&d.queue(4, "")), ["offer-2 call-4 agent-1", "agent-1 Offered"]);
    assert_eq!(d.router.queue_stats(SUPPORT).refused_full, 1);
}

#[test]
fn direct_calls_take_a_slot() {
    let mut d = Desk::staffed(roster(), &[ALICE]);
    let direct = |call| Input::Direct { call: CallId(call), agent: ALICE };
    assert_eq!(told(&d.put(direct(1))), ["direct Some(offer-1) false", "agent-0 Offered"]);
    assert_eq!(told(&d.put(direct(1))), ["direct Some(offer-1) false"], "said twice, rung once");
    assert_eq!(told(&d.put(direct(2))), ["direct None true"]);
    assert_eq!(told(&d.queue(3, "")), [""; 0]);
    assert_eq!(
        told(&d.end(1)),
        ["withdraw offer-1 CallerGone", "agent-0 Ready", "offer-2 call-3 agent-0", "agent-0 Offered"]
    );
    d.end(3);
    d.put(direct(4));
    d.now = at(9);
    assert_eq!(told(&d.answer(3)), ["connect offer-3 after 8s", "agent-0 Talking"]);
    assert_eq!(told(&d.end(4)), ["agent-0 Ready"]);
    assert_eq!(told(&d.put(Input::Direct { call: CallId(5), agent: AgentId(77) })), ["direct None true"]);
    d.put(direct(6));
    assert_eq!(told(&d.refuse(4)), ["agent-0 Resting { until: 19.000000s }: refused"]);
    assert_eq!(told(&d.end(6)), [""; 0], "refused: the router has forgotten the call");
}

#[test]
fn a_talking_call_that_is_queued_again_leaves_its_agent() {
    let mut roster = roster();
    roster.queues[0].wrap_up = S * 30;
    let mut d = Desk::staffed(roster, &[ALICE, CAROL]);
    d.queue(1, "");
    d.answer(1);
    d.now = at(60);
    assert_eq!(
        told(&d.queue_at(1, SALES, "tier >= \"L3\"", Severity::P1, at(2))),
        ["agent-0 WrapUp { until: 90.000000s }", "offer-2 call-1 agent-2", "agent-2 Offered"]
    );
    assert_eq!(told(&d.answer(2))[0], "connect offer-2 after 58s");
}

#[test]
fn a_promise_is_missed_once() {
    let mut d = Desk::staffed(roster(), &[ALICE]);
    d.pause(ALICE, "lunch");
    d.queue_at(1, SUPPORT, "", Severity::P0, at(1));
    assert_eq!(told(&d.until(1000)), ["missed call-1 P0"]);
    assert_eq!(told(&d.queue_at(1, SALES, "", Severity::P0, at(1))), [""; 0], "moved, and known to be late");
    assert_eq!(told(&d.queue_at(2, SALES, "", Severity::P0, at(1))), ["missed call-2 P0"], "late on arrival");
    assert_eq!(d.router.queue_stats(SUPPORT).promises_missed, 1);
    assert_eq!(d.router.queue_stats(SALES).promises_missed, 1);
}

#[test]
fn a_pause_signs_in_paused() {
    let mut d = Desk::staffed(roster(), &[]);
    d.put(Input::AgentPaused { agent: BOB, reason: "meal".into() });
    assert_eq!(d.router.agent_state(BOB), AgentState::Paused { reason: "meal".into() });
}

#[test]
fn unknown_ids_are_ignored() {
    let mut d = Desk::staffed(roster(), &[ALICE]);
    for input in [
        Input::AgentReady { agent: AgentId(99) },
        Input::AgentPaused { agent: AgentId(99), reason: "x".into() },
        Input::AgentOffline { agent: AgentId(99) },
        Input::CallEnded { call: CallId(99) },
        Input::OfferAnswered { offer: OfferId(99) },
        Input::OfferAnswered { offer: OfferId(0) },
        Input::OfferRefused { offer: OfferId(99) },
        Input::OfferUnreachable { offer: OfferId(99) },
    ] {
        assert_eq!(told(&d.put(input.clone())), [""; 0], "{input:?}");
    }
    assert_eq!(d.router.agent_state(AgentId(99)), AgentState::Offline);
    assert_eq!(d.router.queue_stats(QueueId(99)), QueueStats::default());
}

#[test]
fn a_zero_ring_time_and_rest_do_not_spin() {
    let mut roster = roster();
    roster.queues[0].ring = Duration::ZERO;
    for agent in &mut roster.agents {
        (agent.rest, agent.misses_max) = (Duration::ZERO, 0);
    }
    let mut d = Desk::staffed(roster, &[ALICE, BOB]);
    d.queue(1, "");
    let offers = d.until(62).iter().filter(|o| matches!(o, Output::Offer { .. })).count();
    assert!((50..=62).contains(&offers), "{offers} offers in a minute");
}

#[test]
fn a_wait_is_told_from_the_callers_who_compete_and_the_agents_who_serve() {
    let mut roster = roster();
    roster.queues[0].wrap_up = S * 20;
    let mut d = Desk::staffed(roster, &[BOB]);
    let wait = |d: &Desk, call: u64| d.router.estimate(CallId(call)).expect("it waits").wait;
    let to_join = |d: &Desk, require: &str| {
        let require = Requirement::parse(require, d.router.roster()).expect("a good requirement");
        d.router.estimate_to_join(SUPPORT, Some(&require), Severity::P3, d.now).expect("a queue")
    };
    let minutes = |n: u32| Some(S * 60 * n);
    let (mandarin, cantonese) = ("lang.cmn >= 3", "lang.yue >= 4");
    for call in 1..=10 {
        d.queue(call, mandarin);
        d.answer(call);
        if call == 10 {
            d.queue(50, mandarin);
            assert_eq!(wait(&d, 50), None, "nine calls are a guess");
            d.end(50);
        }
        d.until(120 * call - 20);
        d.end(call);
        d.until(120 * call);
    }
    assert_eq!(to_join(&d, mandarin).wait, minutes(0), "bob is free");
    d.queue(11, mandarin);
    d.answer(11);
    assert_eq!(
        to_join(&d, mandarin),
        Estimate { position: 1, wait: minutes(2) },
        "100 s of talk, 20 s of wrap-up"
    );
    d.queue(12, mandarin);
    d.queue(13, mandarin);
    assert_eq!((wait(&d, 12), wait(&d, 13)), (minutes(2), minutes(4)));
    // Whom others serve is not in the way.
    d.ready(ALICE);
    d.queue(14, cantonese);
    assert_eq!(wait(&d, 14), minutes(0), "alice's phone rings");
    d.queue(15, cantonese);
    assert_eq!(d.router.estimate(CallId(15)), Some(Estimate { position: 4, wait: minutes(2) }));
    assert_eq!(to_join(&d, "lang.yue >= 2").wait, minutes(4), "one is before him for alice");
    // A second agent takes the first of the line, and halves the wait of the next.
    d.ready(CAROL);
    assert_eq!(wait(&d, 12), minutes(0), "carol's phone rings");
    assert_eq!(wait(&d, 13), minutes(1));
    // Nobody serves while both are paused: nothing is said.
    d.pause(BOB, "meal");
    d.pause(CAROL, "meal");
    assert_eq!(wait(&d, 13), None);
    assert_eq!(d.router.estimate(CallId(99)), None);
    assert_eq!(d.router.estimate_to_join(QueueId(9), None, Severity::P3, d.now), None);
}
