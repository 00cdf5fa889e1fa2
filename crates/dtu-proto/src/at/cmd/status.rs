//! `AT+CISTAT`: what went through, what waits, what was lost.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::command::Command;
use super::super::outcome::Lines;
use super::super::param::Param;
use super::super::reply::Error;
use super::super::values::Values;
use super::super::view::View;
use super::LINK_NUMBER;
use super::state::{missing_line, state_name};
use crate::ids::LinkId;
use crate::status::{
    AtConnectionStatus, CallState, CallStatus, HttpdStatus, LinkStatus, MessageStatus, Phase,
    SerialCommandStatus, Status,
};

pub(in super::super) const COMMANDS: &[Command] = &[Command::new(
    "+CISTAT",
    "own",
    "Traffic and losses of the serial line and of each link",
    LINK,
)
.example("AT+CISTAT=1", "+CISTAT:1,state=OFF,in=0,in_frames=0…\nOK")
.notes(NOTES)
.asks(read)
.reads(read)
.asks_for(read_link)];

/// `=n`: the line of one link.
const LINK: &[Param] = &[LINK_NUMBER];

const NOTES: &str = "\
A line for the device, one for the serial line, one for each link, one for calls, one for messages, one for each of the working modes with connections of their own; every figure counts from power-on, in bytes where the \
name does not say frames. What was dropped and refused in earlier runs stays counted (and, dropped, is part of `in`), however they ended.

`+CISTAT:DEVICE,uptime=<s>,restarts=<n>,phase=<window|command|data|ending>,mode=<CIMOD>`

`+CISTAT:SERIAL,present=<0|1>,in=<from the DTE>,commands=<of these, commands and escapes>,frames=<data frames cut>,\
frame_bytes=<of these>,out=<to the DTE>,waiting=<to be written>,dropped=<no room in the set-up window, no link \
enabled, or undelivered>,undelivered=<of these, for the DTE: the line was missing or took nothing for too long>,dropped_frames=<n>,heartbeats=<n>,dropped_replies=<to psw,AT+ frames or packets: \
no room>,lost=<of out: the line held it when it broke>,overrun=<from the DTE, in a tty that was not read>,\
dropped_urcs=<such as RING: the line carried data, too many waited, or nobody took them>`

`+CISTAT:MODEM,missing=\"<what the modem lacks, in words, with `; ` between>\"`, only where something is missing (the words: [modems](modems.md#modems-with-missing-commands))

`+CISTAT:<link>,state=<as CINET>,in=<given to the link>,in_frames=<n>,out=<delivered: acknowledged, or sent by UDP>,\
out_frames=<n>,waiting=<in the cache>,waiting_frames=<n>,dropped=<left undelivered>,dropped_frames=<n>,resent=<sent \
more than once>,resent_frames=<n>,moved_in=<taken over from another link>,moved_in_frames=<n>,moved_out=<handed to \
another link>,moved_out_frames=<n>,received=<from the peer>,reads=<n>,reconnects=<lost or failed>,heartbeats=<n>,\
dropped_replies=<n>,unread=<of the peer, never read, gone with the connection>,unread_datagrams=<of the peer, no room in the socket>,\
spool_refused=<frames that were in memory only, though `spool = \"disk\"`>`

`+CISTAT:COMMAND,running=<0|1: CIMOD 1 is in force>,in=<good packets, whole: from 55 AA to the sum>,in_packets=<n>,\
out=<delivered>,out_packets=<n>,waiting=<in memory>,waiting_packets=<n>,lobby_packets=<of these, all eight connections are \
busy>,dropped=<left undelivered>,dropped_packets=<n>,bad_packets=<wrong sum, length, name>,garbage=<of these, and what was no \
packet>,unfinished=<of a packet that is being received>,resent_packets=<sent more than once>,received=<from the \
destinations>,reads=<n>,reconnects=<lost or failed>,destinations=<with a connection, now or last>,unread=<as of a link>,unread_datagrams=<n>,\
spool_refused=<as of a link>`

`+CISTAT:CALLS,state=<idle|dialling|alerting|incoming|active>,dialled=<n>,received=<n>,refused=<of these, by CIRINGSTA>,\
answered=<there or here>,unconfirmed=<hung up, and the modem never said that they were over>`

`+CISTAT:SMS,received=<PDUs taken from the modem>,duplicates=<of these, dropped>,unreadable=<left with the modem>,\
reports=<of these, status reports>,commands=<messages that were commands>,printed=<messages written to the line>,\
placed=<put into the storage>,evicted=<read messages that went for new ones>,incomplete=<long ones given up>,\
stored=<in the storage>,parts=<waiting for others>,for_line=<waiting for the line>,not_taken=<no room yet>,turned_away=<no room, left with the modem>,\
sent=<own messages>,outgoing=<on their way>,retried=<n>,refused=<lost>,expired=<lost>,dropped=<lost: no room, too long>,\
cut=<replies shortened>`

`+CISTAT:AT,state=<as CINET>,in=<frames given to CISEND>,in_frames=<n>,out=<of these, SEND OK>,out_frames=<n>,\
dropped=<of these, SEND FAIL, too long or cut short>,dropped_frames=<n>,received=<from the peer>,reads=<n>,opened=<CONNECT OK>,failed=<CONNECT FAIL>,\
lost=<CLOSED>,unread=<as of a link>,unread_datagrams=<n>`

`+CISTAT:HTTPD,state=<as CINET>,in=<given to the HTTPD client>,in_frames=<n>,requests=<that the server may have got>,\
answered=<of these, 2xx>,answered_other=<of these, another status>,failed=<of these, no answer or no whole one>,\
timed_out=<of these, no answer in time>,retried=<never reached the server, sent again>,failed_attempts=<to connect>,\
received=<from the server>,printed=<of these, for the line>,stray=<of these, of no answer: dropped>,\
waiting=<with the one that is answered just now>,waiting_frames=<n>,dropped=<no room, or it may have gone when an \
earlier run ended>,dropped_frames=<n>,unread=<as of a link>,spool_refused=<as of a link>`

Of a link, always: in + moved_in = out + dropped + moved_out + waiting. Of HTTPD: in_frames = answered + \
answered_other + failed + timed_out + dropped_frames + waiting_frames.";

fn read(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let status = view.status;
    let mut lines = Vec::from([device_line(status), serial_line(status)]);
    lines.extend(missing_line("CISTAT", status));
    lines.extend(LinkId::ALL.map(|link| link_line(link, &status.links[link.index()])));
    lines.extend([
        call_line(&status.call),
        message_line(&status.messages),
        serial_command_line(&status.serial_command),
        connection_line(&status.at_connection),
        httpd_line(&status.httpd),
    ]);
    Ok(Lines::from_iter(lines))
}

fn read_link(values: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let link = values.link(0)?;
    Ok(link_line(link, &view.status.links[link.index()]).into())
}

fn device_line(status: &Status) -> String {
    let phase = match status.phase {
        Phase::SetupWindow => "window",
        Phase::Command => "command",
        Phase::Data => "data",
        Phase::Ending => "ending",
    };
    let (uptime, mode) = (status.uptime.as_secs(), status.mode.number());
    format!(
        "+CISTAT:DEVICE,uptime={uptime},restarts={},phase={phase},mode={mode}",
        status.restarts
    )
}

fn serial_line(status: &Status) -> String {
    let counters = &status.serial.counters;
    let figures = [
        ("present", u64::from(status.serial.present)),
        ("in", counters.bytes_in),
        ("commands", counters.command_bytes),
        ("frames", counters.frames_in),
        ("frame_bytes", counters.frame_bytes),
        ("out", counters.bytes_out),
        ("waiting", wide(status.serial.waiting)),
        (
            "dropped",
            counters.dropped_bytes + counters.undelivered_bytes,
        ),
        ("undelivered", counters.undelivered_bytes),
        ("dropped_frames", counters.dropped_frames),
        ("heartbeats", counters.heartbeats),
        ("dropped_replies", counters.dropped_replies),
        ("lost", counters.lost_bytes),
        ("overrun", counters.overrun_bytes),
        ("dropped_urcs", counters.dropped_urcs),
    ];
    format!("+CISTAT:SERIAL{}", joined(&figures))
}

fn serial_command_line(status: &SerialCommandStatus) -> String {
    let counters = &status.counters;
    let figures = [
        ("running", u64::from(status.running)),
        ("in", counters.bytes_in),
        ("in_packets", counters.packets_in),
        ("out", counters.bytes_out),
        ("out_packets", counters.packets_out),
        ("waiting", wide(status.waiting_bytes)),
        ("waiting_packets", wide(status.waiting_packets)),
        ("lobby_packets", wide(status.lobby_packets)),
        ("dropped", counters.dropped_bytes),
        ("dropped_packets", counters.dropped_packets),
        ("bad_packets", counters.bad_packets),
        ("garbage", counters.garbage_bytes),
        ("unfinished", wide(status.unfinished_bytes)),
        ("resent_packets", counters.resent_packets),
        ("received", counters.received_bytes),
        ("reads", counters.received_reads),
        ("reconnects", counters.reconnects),
        ("destinations", wide(status.destinations.len())),
        ("unread", counters.unread_bytes),
        ("unread_datagrams", counters.unread_datagrams),
        ("spool_refused", counters.spool_refused),
    ];
    format!("+CISTAT:COMMAND{}", joined(&figures))
}

fn message_line(status: &MessageStatus) -> String {
    let counters = &status.counters;
    let figures = [
        ("received", counters.received),
        ("duplicates", counters.duplicates),
        ("unreadable", counters.unreadable),
        ("reports", counters.reports),
        ("commands", counters.commands),
        ("printed", counters.printed),
        ("placed", counters.stored),
        ("evicted", counters.evicted),
        ("incomplete", counters.incomplete),
        ("stored", status.stored.into()),
        ("parts", status.parts.into()),
        ("for_line", status.for_line.into()),
        ("not_taken", status.not_taken.into()),
        ("turned_away", counters.turned_away),
        ("sent", counters.sent),
        ("outgoing", status.outgoing.into()),
        ("retried", counters.retried),
        ("refused", counters.refused),
        ("expired", counters.expired),
        ("dropped", counters.dropped),
        ("cut", counters.cut),
    ];
    format!("+CISTAT:SMS{}", joined(&figures))
}

fn link_line(link: LinkId, status: &LinkStatus) -> String {
    let counters = &status.counters;
    let figures = [
        ("in", counters.bytes_in),
        ("in_frames", counters.frames_in),
        ("out", counters.bytes_out),
        ("out_frames", counters.frames_out),
        ("waiting", wide(status.waiting_bytes)),
        ("waiting_frames", wide(status.waiting_frames)),
        ("dropped", counters.dropped_bytes),
        ("dropped_frames", counters.dropped_frames),
        ("resent", counters.resent_bytes),
        ("resent_frames", counters.resent_frames),
        ("moved_in", counters.moved_in_bytes),
        ("moved_in_frames", counters.moved_in_frames),
        ("moved_out", counters.moved_out_bytes),
        ("moved_out_frames", counters.moved_out_frames),
        ("received", counters.received_bytes),
        ("reads", counters.received_reads),
        ("reconnects", counters.reconnects),
        ("heartbeats", counters.heartbeats),
        ("dropped_replies", counters.dropped_replies),
        ("unread", counters.unread_bytes),
        ("unread_datagrams", counters.unread_datagrams),
        ("spool_refused", counters.spool_refused),
    ];
    format!(
        "+CISTAT:{link},state={}{}",
        state_name(status.state),
        joined(&figures)
    )
}

fn httpd_line(status: &HttpdStatus) -> String {
    let counters = &status.counters;
    let figures = [
        ("in", counters.bytes_in),
        ("in_frames", counters.frames_in),
        ("requests", counters.requests),
        ("answered", counters.answered),
        ("answered_other", counters.answered_other),
        ("failed", counters.failed),
        ("timed_out", counters.timed_out),
        ("retried", counters.retried),
        ("failed_attempts", counters.failed_attempts),
        ("received", counters.received_bytes),
        ("printed", counters.printed_bytes),
        ("stray", counters.stray_bytes),
        ("waiting", wide(status.waiting_bytes)),
        ("waiting_frames", wide(status.waiting_frames)),
        ("dropped", counters.dropped_bytes),
        ("dropped_frames", counters.dropped_frames),
        ("unread", counters.unread_bytes),
        ("spool_refused", counters.spool_refused),
    ];
    format!(
        "+CISTAT:HTTPD,state={}{}",
        state_name(status.state),
        joined(&figures)
    )
}

fn connection_line(status: &AtConnectionStatus) -> String {
    let counters = &status.counters;
    let figures = [
        ("in", counters.bytes_in),
        ("in_frames", counters.frames_in),
        ("out", counters.bytes_out),
        ("out_frames", counters.frames_out),
        ("dropped", counters.dropped_bytes),
        ("dropped_frames", counters.dropped_frames),
        ("received", counters.received_bytes),
        ("reads", counters.received_reads),
        ("opened", counters.opened),
        ("failed", counters.failed),
        ("lost", counters.lost),
        ("unread", counters.unread_bytes),
        ("unread_datagrams", counters.unread_datagrams),
    ];
    format!(
        "+CISTAT:AT,state={}{}",
        state_name(status.state),
        joined(&figures)
    )
}

fn call_line(call: &CallStatus) -> String {
    let state = match call.current.map(|current| current.state) {
        None => "idle",
        Some(CallState::Active) => "active",
        Some(CallState::Dialling) => "dialling",
        Some(CallState::Alerting) => "alerting",
        Some(CallState::Incoming) => "incoming",
    };
    let counters = &call.counters;
    let figures = [
        ("dialled", counters.dialled),
        ("received", counters.received),
        ("refused", counters.refused),
        ("answered", counters.answered),
        ("unconfirmed", counters.unconfirmed),
    ];
    format!("+CISTAT:CALLS,state={state}{}", joined(&figures))
}

fn joined(figures: &[(&str, u64)]) -> String {
    figures
        .iter()
        .map(|(name, value)| format!(",{name}={value}"))
        .collect()
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
