//! What the terminal shows: the story on the left, the state on the right, the keys below.

use super::sound::Sound;
use super::{Done, Session};
use crate::failure::Failure;
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, event, execute, queue, style, terminal};
use hotline_core::Time;
use prompts::List;
use rehearsal::{Told, What};
use std::io::Write;
use std::time::Duration;

/// How often the screen follows the clock.
const TICK: Duration = Duration::from_millis(50);
/// Width of the state's column.
const STATE_WIDTH: u16 = 38;
const HELP: &str = "keys 0-9 * # A-D   Space: on to what happens next   p: pause   Backspace: back   h: hang up   r: again   q: quit";

/// Raw mode and the alternate screen, which a panic or an error must not leave on.
struct Terminal;

impl Terminal {
    fn enter() -> Result<Terminal, Failure> {
        terminal::enable_raw_mode()?;
        let terminal = Terminal;
        execute!(std::io::stdout(), EnterAlternateScreen, cursor::Hide)?;
        Ok(terminal)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What cannot be put back cannot be told either.
        let _ = execute!(std::io::stdout(), LeaveAlternateScreen, cursor::Show);
        let _ = terminal::disable_raw_mode();
    }
}

/// Until the person at the keyboard quits. Time runs as it does for a caller, unless paused.
pub(super) fn run(
    session: &mut Session,
    texts: Option<&List>,
    mut sound: Option<Sound>,
) -> Result<(), Failure> {
    let _terminal = Terminal::enter()?;
    let clock = server::Clock::start();
    let (mut looked, mut paused) = (clock.now(), false);
    loop {
        let now = clock.now();
        if !paused && session.stage.end().is_none() {
            let to = session.stage.now() + now.since(looked);
            session.stage.advance_to(to);
        }
        looked = now;
        if let Some(sound) = &mut sound {
            sound.follow(&session.stage, paused);
        }
        draw(session, texts, paused)?;
        if !event::poll(TICK)? {
            continue;
        }
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if control => return Ok(()),
            KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
            KeyCode::Char('h') => session.act(Done::HungUp),
            KeyCode::Char('p') => paused = !paused,
            KeyCode::Char('r') => {
                session.done.clear();
                session.back();
            }
            KeyCode::Char(' ') | KeyCode::Enter | KeyCode::Right => drop(session.stage.advance()),
            KeyCode::Backspace | KeyCode::Left => {
                session.back();
                // To look around before it goes on.
                paused = true;
            }
            // Capitals: the keys A to D; small letters are commands.
            KeyCode::Char(c) if ivr::KEYS.contains(c) => {
                paused = false;
                session.act(Done::Pressed(c));
            }
            _ => {}
        }
    }
}

fn draw(session: &Session, texts: Option<&List>, paused: bool) -> Result<(), Failure> {
    let (width, height) = terminal::size()?;
    let mut out = std::io::stdout().lock();
    let left = usize::from(width.saturating_sub(STATE_WIDTH + 3)).max(20);
    let room = usize::from(height.saturating_sub(2)).max(1);
    let told = session.stage.story().iter().filter_map(|told| line(told, texts, left));
    let lines: Vec<String> = told.collect();
    let shown = &lines[lines.len().saturating_sub(room)..];
    let state = state(session, paused);
    for row in 0..room {
        queue!(out, cursor::MoveTo(0, row as u16), Clear(ClearType::CurrentLine))?;
        if let Some(text) = shown.get(row) {
            queue!(out, style::Print(text))?;
        }
        if let Some(text) = state.get(row) {
            let column = width.saturating_sub(STATE_WIDTH);
            queue!(
                out,
                cursor::MoveTo(column, row as u16),
                style::Print(cut(text, usize::from(STATE_WIDTH)))
            )?;
        }
    }
    let last = height.saturating_sub(1);
    queue!(out, cursor::MoveTo(0, last), Clear(ClearType::CurrentLine))?;
    queue!(out, style::Print(cut(HELP, usize::from(width))))?;
    out.flush()?;
    Ok(())
}

/// One thing that happened, with the words of a prompt where they are known.
fn line(told: &Told, texts: Option<&List>, width: usize) -> Option<String> {
    let plain = rehearsal::way(std::slice::from_ref(told)).pop()?;
    let spoken = match &told.what {
        What::Heard { prompt, language } => {
            texts.and_then(|t| t.prompts.get(&**prompt)?.texts.get(&**language)).map(|t| format!(" “{t}”"))
        }
        _ => None,
    };
    Some(cut(&format!("{plain}{}", spoken.unwrap_or_default()), width))
}

fn state(session: &Session, paused: bool) -> Vec<String> {
    let stage = &session.stage;
    let visit = stage.visit();
    let tenths = stage.now().since(Time::ZERO).as_millis() / 100;
    let mut lines = vec![
        format!("│ {} {}", visit.flow().name, &visit.flow().version),
        format!(
            "│ {}:{:02}.{}{}",
            tenths / 600,
            tenths / 10 % 60,
            tenths % 10,
            if paused { "  paused" } else { "" }
        ),
        "│".into(),
        format!("│ step      {}", visit.step()),
        format!("│ state     {}", if stage.is_talking() { "talking" } else { visit.state() }),
        format!("│ language  {}", visit.language()),
    ];
    if let Some(due) = visit.deadline().filter(|_| stage.end().is_none()) {
        let left = due.at.since(stage.now()).as_secs_f64();
        lines.push(format!("│ waits     {left:.1} s: {}", due.why));
    }
    lines.push("│".into());
    for (name, value) in visit.values() {
        if !value.is_empty() && !matches!(&*name, "language" | "now" | "call" | "entry") {
            lines.push(format!("│ {name} = {value}"));
        }
    }
    lines
}

/// At most so many columns of it; Chinese characters take two.
fn cut(text: &str, columns: usize) -> String {
    let mut taken = 0;
    let mut cut = String::new();
    for c in text.chars() {
        let wide = if (c as u32) >= 0x1100 && !('\u{2000}'..='\u{2fff}').contains(&c) { 2 } else { 1 };
        if taken + wide > columns {
            break;
        }
        taken += wide;
        cut.push(if c.is_control() { '·' } else { c });
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn columns_count_chinese_characters_twice() {
        assert_eq!(cut("welcome", 4), "welc");
        assert_eq!(cut("请选择语言", 5), "请选");
        assert_eq!(cut("│ a\u{7}", 9), "│ a·");
    }
}
