//! The screen: what passed as hex and text, and the line that is typed.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::app::App;
use super::rows::{self, LINE, Of, hex, text};
use crate::say::{self, said};
use crate::show::plain;

/// Draws all of it; `colours`: NO_COLOR is not set.
pub(super) fn draw(frame: &mut Frame<'_>, app: &App, name: &str, colours: bool) {
    let rows = [
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [head, body, typed, hint, keys] = Layout::vertical(rows).areas(frame.area());
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    frame.render_widget(Paragraph::new(head_of(app, name)).style(reversed), head);
    draw_rows(frame, body, app, colours);
    let (label, content) = if app.is_filtering {
        (said(say::label_filter()), &app.filter)
    } else {
        (said(say::label_send()), &app.prompt.text)
    };
    let shown = Line::from(format!("{label}{}", plain(content)));
    // A Chinese character is as wide as two.
    let column = shown.width();
    frame.render_widget(Paragraph::new(shown), typed);
    let right = typed.x.saturating_add(typed.width.saturating_sub(1));
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    frame.set_cursor_position((typed.x.saturating_add(column).min(right), typed.y));
    frame.render_widget(Paragraph::new(app.prompt.hint()), hint);
    let help = said(say::keys(app.prompt.line_end.name()));
    frame.render_widget(Paragraph::new(help).style(reversed), keys);
}

fn head_of(app: &App, name: &str) -> String {
    let state = if app.is_gone {
        say::state_gone()
    } else if app.is_in_command_state {
        say::state_command()
    } else {
        say::state_open()
    };
    let mut text = said(say::counts(plain(name), state, app.received, app.sent));
    if app.rows.forgotten > 0 {
        text.push_str(&said(say::older_forgotten(app.rows.forgotten)));
    }
    if !app.filter.is_empty() {
        text.push_str(&said(say::filtered_by(plain(&app.filter))));
    }
    if app.scrolled > 0 {
        text.push_str(&said(say::is_scrolled()));
    }
    text
}

fn draw_rows(frame: &mut Frame<'_>, area: Rect, app: &App, colours: bool) {
    let height = usize::from(area.height);
    let all: Vec<rows::Line<'_>> = app
        .rows
        .lines_from_the_end(&app.filter)
        .take(app.scrolled.saturating_add(height))
        .collect();
    // At the beginning it goes no further up.
    let from = app.scrolled.min(all.len().saturating_sub(height));
    let lines: Vec<Line<'_>> = all[from..]
        .iter()
        .rev()
        .map(|line| drawn(line, colours))
        .collect();
    frame.render_widget(Paragraph::new(lines).block(Block::new()), area);
}

fn drawn(line: &rows::Line<'_>, colours: bool) -> Line<'static> {
    let stamp = format!("{:12} ", line.stamp.as_deref().unwrap_or_default());
    let (arrow, colour, bytes) = match line.of {
        Of::FromDevice(bytes) => ("<", Color::Green, bytes),
        Of::ToDevice(bytes) => (">", Color::Cyan, bytes),
        Of::Note(text) => {
            let style = Style::new().add_modifier(Modifier::BOLD);
            return Line::from(vec![
                Span::raw(stamp),
                Span::styled(format!("- {}", plain(text)), style),
            ]);
        }
    };
    let style = if colours {
        Style::new().fg(colour)
    } else {
        Style::new()
    };
    let hex = hex(bytes, " ");
    Line::from(vec![
        Span::raw(format!("{stamp}{arrow} ")),
        Span::styled(format!("{hex:0$}  ", LINE * 3 - 1), style),
        Span::styled(text(bytes), style),
    ])
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::app::Now;
    use super::*;

    fn screen(app: &App) -> String {
        let mut terminal = Terminal::new(TestBackend::new(100, 10)).unwrap();
        terminal
            .draw(|frame| draw(frame, app, "./dtu0", true))
            .unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn hex_and_text_stand_side_by_side_and_an_escape_sequence_is_dots() {
        let mut app = App::default();
        let now = Now {
            runs: Duration::ZERO,
            wall: SystemTime::UNIX_EPOCH,
        };
        app.heard(b"42 kWh\r\n\x1b[31m", now);
        app.prompt.text = "AT+CIMOD".to_owned();
        let screen = screen(&app);
        let row = "00:00:00.000 < 34 32 20 6B 57 68 0D 0A 1B 5B 33 31 6D           42 kWh...[31m";
        assert!(screen.contains(row), "{screen}");
        assert!(
            screen.contains("./dtu0 open | received 13 | sent 0"),
            "{screen}"
        );
        assert!(screen.contains("send: AT+CIMOD"), "{screen}");
        assert!(screen.contains("Working mode"), "{screen}");
    }

    #[test]
    fn scrolling_ends_at_the_first_row() {
        let mut app = App::default();
        for number in 0..20_u64 {
            let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(number);
            let runs = Duration::from_secs(number);
            app.heard(format!("row {number}").as_bytes(), Now { runs, wall });
        }
        assert!(screen(&app).contains("row 19"));
        app.scrolled = 1000;
        let top = screen(&app);
        assert!(top.contains("row 0") && !top.contains("row 19"), "{top}");
    }
}
