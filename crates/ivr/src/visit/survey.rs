//! A survey: question by question, a mark each.

use super::{Exit, NEXT, State, Then, Visit, WAIT_MIN};
use crate::flow::{Act, Survey, SurveyPlan};
use crate::{Output, Value};
use hotline_core::{Outbox, PlayId, Time};

/// The survey so far. Prints without the marks.
pub struct Surveying {
    /// Marks given; the question that is asked now is the next one.
    answers: Vec<Option<u8>>,
    /// How often it has been asked.
    asked: u32,
    /// The question, while it plays.
    playing: Option<PlayId>,
    /// When silence is an answer too; None while the question plays.
    until: Option<Time>,
}

impl Surveying {
    pub fn until(&self) -> Option<Time> {
        self.until
    }
}

impl Visit {
    pub(super) fn survey(&mut self, now: Time, survey: &Survey, out: &mut Outbox<Output>) -> Then {
        // Nobody marks what he has not been asked.
        self.ahead.clear();
        let answers = Vec::with_capacity(survey.plan.questions.len());
        self.state = State::Surveying(Surveying { answers, asked: 0, playing: None, until: None });
        self.next_question(now, survey, out)
    }

    /// The question behind the last answer, or the end.
    fn next_question(&mut self, now: Time, survey: &Survey, out: &mut Outbox<Output>) -> Then {
        let State::Surveying(surveying) = &mut self.state else { return Then::Wait };
        if surveying.answers.len() == survey.plan.questions.len() {
            return self.survey_ends(survey, out);
        }
        surveying.asked = 0;
        self.question(now, survey, false, out)
    }

    /// Asks, or asks again.
    fn question(&mut self, now: Time, survey: &Survey, again: bool, out: &mut Outbox<Output>) -> Then {
        let State::Surveying(surveying) = &mut self.state else { return Then::Wait };
        surveying.asked += 1;
        let Some(question) = survey.plan.questions.get(surveying.answers.len()) else { return Then::Wait };
        let before = if again { &survey.again[..] } else { &[] };
        let playing = self.play(before.iter().chain(&question.sounds), out);
        let State::Surveying(surveying) = &mut self.state else { return Then::Wait };
        surveying.playing = playing;
        surveying.until = if playing.is_some() { None } else { Some(now + survey.after.max(WAIT_MIN)) };
        Then::Wait
    }

    /// A question has been heard.
    pub(super) fn survey_prompted(&mut self, now: Time, play: PlayId) {
        let flow = self.flow.clone();
        if let (State::Surveying(surveying), Act::Survey(survey)) =
            (&mut self.state, &flow.step(self.step).act)
            && surveying.playing == Some(play)
        {
            surveying.playing = None;
            surveying.until = Some(now + survey.after.max(WAIT_MIN));
        }
    }

    pub(super) fn mark(&mut self, now: Time, key: char, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let (State::Surveying(surveying), Act::Survey(survey)) = (&mut self.state, &flow.step(self.step).act)
        else {
            return Then::Wait;
        };
        if surveying.playing.is_some() {
            if !survey.barge_in {
                return Then::Wait;
            }
            surveying.playing = None;
            out.push(Output::Stop);
        }
        let marks = survey.plan.lowest..=survey.plan.highest;
        match key.to_digit(10).map(|d| d as u8).filter(|mark| marks.contains(mark)) {
            Some(mark) => {
                surveying.answers.push(Some(mark));
                self.next_question(now, survey, out)
            }
            None => self.not_answered(now, survey, out),
        }
    }

    /// Silence.
    pub(super) fn no_mark(&mut self, now: Time, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let Act::Survey(survey) = &flow.step(self.step).act else { return Then::Wait };
        self.not_answered(now, survey, out)
    }

    fn not_answered(&mut self, now: Time, survey: &Survey, out: &mut Outbox<Output>) -> Then {
        let State::Surveying(surveying) = &mut self.state else { return Then::Wait };
        if surveying.asked < survey.tries {
            return self.question(now, survey, true, out);
        }
        surveying.answers.push(None);
        self.next_question(now, survey, out)
    }

    fn survey_ends(&mut self, survey: &Survey, out: &mut Outbox<Output>) -> Then {
        let State::Surveying(surveying) = &mut self.state else { return Then::Wait };
        let answers = std::mem::take(&mut surveying.answers);
        let given = answers.iter().any(Option::is_some);
        let score = score(&survey.plan, &answers);
        let low = hand_in(&survey.plan, answers, score, out);
        if let (Some(into), Some(score)) = (survey.into, score) {
            self.assign(into, Value::Number(score), false, out);
        }
        match (given, low) {
            (false, _) => Then::Leave(Exit::Named("none")),
            (true, true) => Then::Leave(Exit::Named("low")),
            (true, false) => NEXT,
        }
    }

    /// The caller hung up: what he said so far counts.
    pub(super) fn survey_breaks_off(&mut self, out: &mut Outbox<Output>) {
        let flow = self.flow.clone();
        let (State::Surveying(surveying), Act::Survey(survey)) = (&mut self.state, &flow.step(self.step).act)
        else {
            return;
        };
        let mut answers = std::mem::take(&mut surveying.answers);
        answers.resize(survey.plan.questions.len(), None);
        let score = score(&survey.plan, &answers);
        hand_in(&survey.plan, answers, score, out);
    }
}

/// Tells the survey; true: its score is low.
fn hand_in(
    plan: &SurveyPlan,
    answers: Vec<Option<u8>>,
    score: Option<i64>,
    out: &mut Outbox<Output>,
) -> bool {
    let low = score.is_some_and(|score| score < plan.low);
    let answers = plan.questions.iter().map(|q| q.name.clone()).zip(answers).collect();
    out.push(Output::Survey { survey: plan.name.clone(), answers, score, low });
    low
}

/// The weighted mean of the marks given, in hundredths of a mark, rounded; None without a mark that weighs.
fn score(plan: &SurveyPlan, answers: &[Option<u8>]) -> Option<i64> {
    let given = plan.questions.iter().zip(answers).filter_map(|(q, mark)| Some((q.weight, (*mark)?)));
    let (mut sum, mut weights) = (0_i64, 0_i64);
    for (weight, mark) in given {
        sum += i64::from(weight) * i64::from(mark) * 100;
        weights += i64::from(weight);
    }
    (weights > 0).then(|| (2 * sum + weights) / (2 * weights))
}

impl std::fmt::Debug for Surveying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surveying")
            .field("answered", &self.answers.len())
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
