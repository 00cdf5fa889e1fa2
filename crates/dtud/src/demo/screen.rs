//! The picture, for a terminal of 80 x 24: who is there, what happens, what is said.

use std::time::Duration;

use dtu_proto::status::{LinkState, Status, WaitingFor};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

use super::scene::{Scene, Way};
use crate::words::Count;

pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene, now: Duration) {
    let [title, actors, story, frames, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(7),
        Constraint::Length(4),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let network = if scene.story.is_cut() {
        "══╳ cut ╳══".red().bold()
    } else {
        "═══════════".green()
    };
    let way = [
        " dtud demo ".bold().reversed(),
        "  meter ── serial line ── device ".into(),
        network,
    ];
    frame.render_widget(
        Line::from_iter(way.into_iter().chain([" data center".into()])),
        title,
    );
    let [meter, device, center] = Layout::horizontal([
        Constraint::Fill(24),
        Constraint::Fill(30),
        Constraint::Fill(26),
    ])
    .areas(actors);
    frame.render_widget(panel(" Meter ", Color::Yellow, meter_lines(scene)), meter);
    frame.render_widget(panel(" Device ", Color::Green, device_lines(scene)), device);
    frame.render_widget(
        panel(" Data center ", Color::Cyan, center_lines(scene)),
        center,
    );
    let color = if scene.story.is_cut() {
        Color::Red
    } else {
        Color::Blue
    };
    frame.render_widget(
        panel(" What happens ", color, story_lines(scene, now)),
        story,
    );
    draw_frames(frame, scene, frames);
    let help = " c cuts the network, or heals it   q ends   ".dim();
    frame.render_widget(Line::from(vec![help, scene.console.as_str().into()]), keys);
}

/// Link 1, in the words of `AT+CINET?`.
pub(super) fn link_state(scene: &Scene) -> &'static str {
    match scene.link().map(|link| link.state) {
        None | Some(LinkState::Off) => "OFF",
        Some(LinkState::Connecting) => "CONNECTING",
        Some(LinkState::Connected) => "CONNECTED",
        Some(LinkState::Waiting(WaitingFor::Retry)) => "WAITING (retry)",
        Some(LinkState::Waiting(
            WaitingFor::Network | WaitingFor::Data | WaitingFor::Primary | WaitingFor::Mode,
        )) => "WAITING",
    }
}

fn panel<'a>(title: &'a str, color: Color, lines: Vec<Line<'a>>) -> Paragraph<'a> {
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Style::new().fg(color));
    Paragraph::new(lines).block(block.title(title.bold()))
}

fn pair<'a>(name: &'a str, value: impl Into<Span<'a>>) -> Line<'a> {
    Line::from(vec![
        Span::from(format!(" {name:<10} ")).dim(),
        value.into(),
    ])
}

fn meter_lines(scene: &Scene) -> Vec<Line<'_>> {
    let Some(reading) = scene.reading else {
        return vec![pair("", "starts")];
    };
    vec![
        pair("voltage", format!("{:7.1} V", reading.volts)),
        pair("current", format!("{:7.2} A", reading.amperes)),
        pair("power", format!("{:7.0} W", reading.watts)),
        pair("sent", format!("{:5}", scene.account.sent.frames)),
        pair("bytes", format!("{:5}", scene.account.sent.bytes)),
    ]
}

fn device_lines(scene: &Scene) -> Vec<Line<'_>> {
    let (Some(status), Some(link)) = (&scene.status, scene.link()) else {
        return vec![pair("", "starts")];
    };
    let color = if link.state == LinkState::Connected {
        Color::Green
    } else {
        Color::Yellow
    };
    let waiting = Span::from(Count(link.waiting_frames as u64, "frame").to_string());
    vec![
        leds(status),
        pair("link 1", Span::from(link_state(scene)).fg(color)),
        pair(
            "waiting",
            if link.waiting_frames > 0 {
                waiting.yellow().bold()
            } else {
                waiting
            },
        ),
        pair(
            "delivered",
            Count(link.counters.frames_out, "frame").to_string(),
        ),
        pair(
            "sent again",
            Count(link.counters.resent_frames, "frame").to_string(),
        ),
    ]
}

fn leds(status: &Status) -> Line<'static> {
    let led = |name: &'static str, on: bool, color: Color| {
        let sign = if on {
            Span::from("● ").fg(color)
        } else {
            Span::from("○ ").dim()
        };
        [Span::from(" "), sign, Span::from(name)]
    };
    let leds = [
        led("POW", status.leds.pow, Color::Red),
        led("NET", status.leds.net, Color::Green),
        led("DATA", status.leds.data, Color::Yellow),
    ];
    Line::from_iter(leds.into_iter().flatten())
}

fn center_lines(scene: &Scene) -> Vec<Line<'_>> {
    let lost = Span::from(format!("{:5}", scene.account.lost()));
    vec![
        pair("registered", format!("{:5}", scene.registrations)),
        pair("heartbeats", format!("{:5}", scene.heartbeats)),
        pair("arrived", format!("{:5}", scene.account.arrived.frames)),
        pair("bytes", format!("{:5}", scene.account.arrived.bytes)),
        pair(
            "lost",
            if scene.account.lost() > 0 {
                lost.red().bold()
            } else {
                lost.green().bold()
            },
        ),
    ]
}

fn story_lines(scene: &Scene, now: Duration) -> Vec<Line<'_>> {
    let said = Span::from(format!(" {}", scene.sentence(now))).bold();
    vec![
        Line::from(if scene.story.is_cut() {
            said.red()
        } else {
            said
        }),
        Line::from(format!(" {}", scene.sum())),
    ]
}

fn draw_frames(frame: &mut Frame<'_>, scene: &Scene, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let first = scene.frames.len().saturating_sub(room);
    let lines = scene.frames.iter().skip(first).map(|frame| {
        let (way, color) = match frame.way {
            Way::FromMeter => ("► from meter", Color::Yellow),
            Way::ToMeter => ("◄ to meter", Color::Yellow),
            Way::ToCenter => ("► to center", Color::Cyan),
            Way::Registration => ("► registration packet", Color::Green),
            Way::Heartbeat => ("► heartbeat", Color::Green),
            Way::Event => ("• event", Color::Magenta),
        };
        let time = format!(" {:>8.3}  ", frame.at.as_secs_f64());
        Line::from(vec![
            time.dim(),
            Span::from(format!("{way:<21}  ")).fg(color),
            frame.text.as_str().into(),
        ])
    });
    frame.render_widget(panel(" Frames ", Color::Magenta, lines.collect()), area);
}

#[cfg(test)]
mod tests {
    use dtu_proto::config::{Config, Options};
    use dtu_proto::time::Instant;
    use dtu_proto::{Dtu, Identity};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::account::Account;
    use super::super::reading::Reading;
    use super::*;

    fn drawn(scene: &Scene, columns: u16, rows: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(frame, scene, SECONDS)).unwrap();
        let cells = terminal.backend().buffer().content();
        cells
            .chunks(usize::from(columns))
            .map(|row| row.iter().map(|cell| cell.symbol()).collect())
            .collect()
    }

    /// In an outage; `sent` readings are on the way, each of the size of the `last`.
    fn scene(state: LinkState, sent: u64, arrived: impl Fn(u64) -> bool, last: Reading) -> Scene {
        let mut scene = Scene::default();
        let mut account = Account::default();
        for number in 1..=sent {
            account.send(32);
            if arrived(number) {
                account.arrive(number, 32);
            }
        }
        let dtu = Dtu::new(
            Config::default(),
            Options::default(),
            Identity::default(),
            1,
            Instant::ZERO,
        );
        let mut status = dtu.status(Instant::ZERO);
        let [link, ..] = &mut status.links;
        link.state = state;
        link.waiting_frames = account.under_way() as usize;
        link.counters.frames_out = account.arrived.frames;
        scene.status = Some(status);
        scene.account = account;
        scene.on_reading(SECONDS, last, 32);
        scene.on_bytes(SECONDS, b"OK 0020\r\n");
        scene.turn(SECONDS);
        scene
    }

    #[test]
    fn nothing_is_cut_off_at_80_x_24() {
        let waits = [
            WaitingFor::Retry,
            WaitingFor::Network,
            WaitingFor::Data,
            WaitingFor::Primary,
            WaitingFor::Mode,
        ];
        let states = [LinkState::Off, LinkState::Connecting, LinkState::Connected];
        for state in states.into_iter().chain(waits.map(LinkState::Waiting)) {
            let last = Reading {
                number: 99_999,
                volts: 232.2,
                amperes: 17.77,
                watts: 10_000.0,
            };
            let mut scene = scene(
                state,
                99_998,
                |number| number % 3 > 0 && number < 90_000,
                last,
            );
            (scene.registrations, scene.heartbeats) = (12_345, 23_456);
            let (small, large) = (drawn(&scene, 80, 24), drawn(&scene, 300, 24));
            for (small, large) in small.iter().zip(&large) {
                assert_eq!(words(small), words(large), "{small}");
            }
        }
    }

    fn words(row: &str) -> Vec<String> {
        let row = row.replace(['│', '─', '╭', '╮', '╰', '╯'], " ");
        row.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_picture_of_an_outage() {
        let last = Reading {
            number: 26,
            volts: 231.2,
            amperes: 5.77,
            watts: 1294.0,
        };
        let retry = LinkState::Waiting(WaitingFor::Retry);
        let mut scene = scene(retry, 25, |number| number <= 20, last);
        (scene.registrations, scene.heartbeats) = (1, 1);
        let drawn = drawn(&scene, 80, 24);
        let drawn: Vec<_> = drawn.iter().map(|row| row.trim_end()).collect();
        assert_eq!(
            drawn.join("\n"),
            include_str!("outage.txt").trim_end(),
            "\n{}",
            drawn.join("\n")
        );
    }

    const SECONDS: Duration = Duration::from_secs(13);
}
