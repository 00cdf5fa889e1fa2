//! The picture: who is there, what they say, what passes through the device.

use dtu_proto::event::LinkId;
use dtu_proto::status::{LinkState, LinkStatus, Phase, Status, WaitingFor};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

use super::scene::{Scene, Way};

pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene) {
    let [title, actors, links, frames, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(8),
        Constraint::Length(6),
        Constraint::Min(4),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let way = "meter ── serial line ── DTU ══ 4 network links ══ data center";
    frame.render_widget(Line::from(vec![" dtud demo ".bold().reversed(), "  ".into(), way.dim()]), title);
    let [meter, device, center] = Layout::horizontal([Constraint::Fill(1); 3]).areas(actors);
    frame.render_widget(panel(" Meter (Modbus RTU) ", Color::Yellow, meter_lines(scene)), meter);
    frame.render_widget(panel(" Device ", Color::Green, device_lines(scene)), device);
    frame.render_widget(panel(" Data center ", Color::Cyan, center_lines(scene)), center);
    frame.render_widget(panel(" Links ", Color::Blue, link_lines(scene)), links);
    draw_frames(frame, scene, frames);
    frame.render_widget(Line::from(" q or Ctrl-C ends".dim()), keys);
}

/// A state in the words of `AT+CINET?`.
pub(super) const fn state(state: LinkState) -> &'static str {
    match state {
        LinkState::Off => "OFF",
        LinkState::Connecting => "CONNECTING",
        LinkState::Connected => "CONNECTED",
        LinkState::Waiting(WaitingFor::Retry) => "WAITING (retry)",
        LinkState::Waiting(WaitingFor::Network) => "WAITING (network)",
        LinkState::Waiting(WaitingFor::Data) => "WAITING (data)",
        LinkState::Waiting(WaitingFor::Duty) => "WAITING (backup)",
        LinkState::Waiting(WaitingFor::Mode) => "WAITING (mode)",
    }
}

fn panel<'a>(title: &'a str, color: Color, lines: Vec<Line<'a>>) -> Paragraph<'a> {
    let block = Block::bordered().border_type(BorderType::Rounded).border_style(Style::new().fg(color));
    Paragraph::new(lines).block(block.title(title.bold()))
}

fn pair<'a>(name: &'a str, value: String) -> Line<'a> {
    Line::from(vec![Span::from(format!(" {name:<11}")).dim(), Span::from(value)])
}

fn meter_lines(scene: &Scene) -> Vec<Line<'_>> {
    let Some(reading) = scene.reading else { return vec![pair("asked", scene.asked.to_string())] };
    vec![
        pair("voltage", format!("{:7.1} V", reading.volts)),
        pair("current", format!("{:7.2} A", reading.amperes)),
        pair("power", format!("{:7.0} W", reading.watts)),
        pair("frequency", format!("{:7.2} Hz", reading.hertz)),
        pair("energy", format!("{:7.3} kWh", reading.kilowatt_hours)),
        pair("asked", format!("{:7}", scene.asked)),
    ]
}

fn device_lines(scene: &Scene) -> Vec<Line<'_>> {
    let Some(status) = &scene.status else { return vec![pair("", "starting".to_owned())] };
    let counters = status.serial.counters;
    vec![
        lamps(status),
        pair("state", phase(status.phase).to_owned()),
        pair("address", status.attached.map_or_else(|| "not attached".to_owned(), |ip| ip.to_string())),
        pair("up", format!("{} s", status.uptime.as_secs())),
        pair("from meter", format!("{} B in {} frames", counters.bytes_in, counters.frames_in)),
        pair("to meter", format!("{} B", counters.bytes_out)),
    ]
}

fn lamps(status: &Status) -> Line<'static> {
    let lamp = |name: &'static str, on: bool, color: Color| {
        let sign = if on { Span::from("● ").fg(color) } else { Span::from("○ ").dim() };
        [Span::from(" "), sign, Span::from(name)]
    };
    let lamps = [
        lamp("POW", status.leds.pow, Color::Red),
        lamp("NET", status.leds.net, Color::Green),
        lamp("DATA", status.leds.data, Color::Yellow),
    ];
    Line::from_iter(lamps.into_iter().flatten())
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::SetupWindow => "set-up window",
        Phase::Command => "command state",
        Phase::Data => "transparent",
        Phase::Ending => "ending",
    }
}

fn center_lines(scene: &Scene) -> Vec<Line<'_>> {
    let bad = Span::from(format!("{}", scene.bad));
    let bad = if scene.bad > 0 { bad.red().bold() } else { bad };
    vec![
        pair("good", scene.good.to_string()),
        Line::from(vec![Span::from(" bad        ").dim(), bad]),
        pair("time-outs", scene.timeouts.to_string()),
        pair("registered", scene.registrations.to_string()),
        pair("heartbeats", scene.heartbeats.to_string()),
        pair("logger", format!("{} datagrams, {} B", scene.datagrams, scene.datagram_bytes)),
    ]
}

fn link_lines(scene: &Scene) -> Vec<Line<'_>> {
    let Some(status) = &scene.status else { return Vec::new() };
    LinkId::ALL.iter().map(|link| link_line(*link, &status.links[link.index()])).collect()
}

fn link_line(link: LinkId, status: &LinkStatus) -> Line<'static> {
    let color = match status.state {
        LinkState::Off => Color::DarkGray,
        LinkState::Connecting | LinkState::Waiting(_) => Color::Yellow,
        LinkState::Connected => Color::Green,
    };
    let counters = status.counters;
    let traffic = format!(
        " out {:>5} frames {:>7} B   in {:>7} B   waiting {:>4}   lost {}",
        counters.frames_out,
        counters.bytes_out,
        counters.received_bytes,
        status.waiting_frames,
        counters.dropped_frames
    );
    Line::from(vec![
        Span::from(format!(" {link}  ")).bold(),
        Span::from(format!("{:<18}", state(status.state))).fg(color),
        Span::from(traffic),
    ])
}

fn draw_frames(frame: &mut Frame<'_>, scene: &Scene, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let first = scene.frames.len().saturating_sub(room);
    let lines = scene.frames.iter().skip(first).map(|frame| {
        let (way, color) = match frame.way {
            Way::ToMeter => ("◄ to meter".to_owned(), Color::Yellow),
            Way::ToLink(link) => (format!("► to link {link}"), Color::Cyan),
            Way::Event => ("• event".to_owned(), Color::Magenta),
        };
        let time = format!(" {:>8.3}  ", frame.at.as_secs_f64());
        Line::from(vec![time.dim(), Span::from(format!("{way:<12} ")).fg(color), frame.text.as_str().into()])
    });
    frame.render_widget(panel(" Frames ", Color::Magenta, lines.collect()), area);
}
