//! What the device orders, in the words of its log. Secrets are in the record, not here.

use std::fmt::Write as _;

use dtu_proto::event::{
    CallEvent, Connect, Event, Leds, ModemOutput, Output, Power, SerialOutput, SocketOutput,
    StoreOutput,
};

/// One line for an output, bytes escaped.
pub(super) fn describe(output: &Output) -> String {
    match output {
        Output::Serial(order) => serial(order),
        Output::Socket(socket, order) => format!("{socket} {}", connection(order)),
        Output::Modem(order) => format!("modem {}", modem(order)),
        Output::Store(order) => store(order),
        Output::Console(reply) => format!("console \"{}\"", reply.escape_debug()),
        Output::Leds(leds) => led_words(*leds),
        Output::Power(Power::Restarted) => "restarted".to_owned(),
        Output::Power(Power::Stop) => "stop".to_owned(),
        Output::Event(event) => event_words(event),
    }
}

fn serial(order: &SerialOutput) -> String {
    match order {
        SerialOutput::Write(bytes) => format!("serial write \"{}\"", bytes.escape_ascii()),
        SerialOutput::Configure(format) => format!("serial configure {format}"),
        SerialOutput::Discard => "serial discard".to_owned(),
    }
}

fn connection(order: &SocketOutput) -> String {
    match order {
        SocketOutput::Connect(Connect {
            protocol,
            address,
            port,
            local_port,
            tls,
        }) => {
            let mut text = format!("connect {} {address} port {port}", protocol.name());
            if *local_port > 0 {
                let _ = write!(text, " from port {local_port}");
            }
            text + if *tls { " with TLS" } else { "" }
        }
        SocketOutput::Send(payload) if payload.prefix.is_empty() => {
            format!("send \"{}\"", payload.body.escape_ascii())
        }
        SocketOutput::Send(payload) => {
            format!(
                "send \"{}\" \"{}\"",
                payload.prefix.escape_ascii(),
                payload.body.escape_ascii()
            )
        }
        SocketOutput::Close => "close".to_owned(),
    }
}

fn modem(order: &ModemOutput) -> String {
    match order {
        ModemOutput::Reset => "reset".to_owned(),
        ModemOutput::UseApn(apn) if apn.name.is_empty() => "keep its access point".to_owned(),
        ModemOutput::UseApn(apn) => format!("use access point {}", apn.name.escape_debug()),
        ModemOutput::Submit { token, pdu } => {
            format!("submit {token} {}", sms_codec::hex::encode(pdu))
        }
        ModemOutput::Taken(number) => format!("message {number} is taken"),
        ModemOutput::Dial(number) => format!("dial {number}"),
        ModemOutput::Answer => "answer".to_owned(),
        ModemOutput::HangUp => "hang up".to_owned(),
    }
}

fn store(order: &StoreOutput) -> String {
    match order {
        StoreOutput::Save(text) => format!("store parameters, {} bytes", text.len()),
        StoreOutput::Messages { number, text } => {
            format!("store messages, set {number}, {} bytes", text.len())
        }
        StoreOutput::SpoolAppend(queue, number, frame) => {
            format!("spool {queue} append {number}, {} bytes", frame.len())
        }
        StoreOutput::SpoolMove(queue, frames) => {
            let numbers: Vec<_> = frames
                .iter()
                .map(|(number, _)| number.to_string())
                .collect();
            format!("spool {queue} move to {}", numbers.join(" "))
        }
        StoreOutput::SpoolRelease(queue, below) => format!("spool {queue} release below {below}"),
        StoreOutput::SpoolSending(queue, Some(number)) => format!("spool {queue} sending {number}"),
        StoreOutput::SpoolSending(queue, None) => format!("spool {queue} sending none"),
    }
}

fn led_words(Leds { pow, net, data }: Leds) -> String {
    let word = |lit: bool| if lit { "on" } else { "off" };
    format!(
        "lamps POW {} NET {} DATA {}",
        word(pow),
        word(net),
        word(data)
    )
}

fn event_words(event: &Event) -> String {
    match event {
        Event::PowerOn(reason) => format!("power on: {reason}"),
        Event::ModeStarted => "the working mode begins".to_owned(),
        Event::CommandState(true) => "serial: command state".to_owned(),
        Event::CommandState(false) => "serial: the command state ends".to_owned(),
        Event::Connected(socket) => format!("{socket} up"),
        Event::Disconnected {
            socket,
            reason,
            was_up,
        } => {
            format!("{socket} {}: {reason}", end(*was_up))
        }
        Event::FrameDropped { queue, bytes } => {
            format!("{queue}: a frame of {bytes} bytes is dropped")
        }
        Event::LineDropped {
            bytes,
            of: Some(of),
        } => format!("serial: {bytes} bytes of {of} are dropped"),
        Event::LineDropped { bytes, of: None } => format!("serial: {bytes} bytes are dropped"),
        Event::WindowFrameDropped { bytes } => {
            format!("set-up window: a frame of {bytes} bytes is dropped")
        }
        Event::Command {
            origin,
            line,
            outcome: Ok(()),
        } => format!("command of {origin}: {line}"),
        Event::Command {
            origin,
            line,
            outcome: Err(why),
        } => {
            format!("command of {origin} refused: {line}: {why}")
        }
        Event::WrongPassword(origin) => format!("{origin}: wrong password"),
        Event::OriginLocked(origin) => format!("{origin}: shut for five minutes"),
        Event::SerialPresent(true) => "serial: there".to_owned(),
        Event::SerialPresent(false) => "serial: missing".to_owned(),
        Event::LineRefused(why) => format!("serial: the line refuses it: {why}"),
        Event::MessageLost(loss) => format!("SMS: {loss}"),
        Event::MessageToPort { from, port } => format!("SMS: a message of {from} to port {port}"),
        Event::MessagesNotStored(why) => format!("SMS: not stored: {why}"),
        Event::BackupActive {
            backup,
            primary,
            active: true,
        } => {
            format!("link {backup} takes over from link {primary}")
        }
        Event::BackupActive {
            backup,
            primary,
            active: false,
        } => {
            format!("link {backup} hands back to link {primary}")
        }
        Event::Lost(lost) => lost.to_string(),
        Event::Call(event) => call(event),
        Event::Httpd(event) => format!("HTTPD: {event}"),
        Event::Trial(event) => event.to_string(),
    }
}

const fn end(was_up: bool) -> &'static str {
    if was_up { "down" } else { "does not come up" }
}

fn call(event: &CallEvent) -> String {
    let by = |number: &Option<_>| {
        number.as_ref().map_or_else(
            || "somebody".to_owned(),
            |number: &dtu_proto::radio::PhoneNumber| number.to_string(),
        )
    };
    match event {
        CallEvent::Dialled(number) => format!("call: {number} is dialled"),
        CallEvent::NotPlaced(number) => {
            format!("call: {number} is not dialled, there is a call already")
        }
        CallEvent::Incoming(number) => format!("call: {} calls", by(number)),
        CallEvent::Refused(number) => format!("call: {} is refused", by(number)),
        CallEvent::Answered(number) => format!("call: with {} stands", by(number)),
        CallEvent::Ended(why) => format!("call: over, {why}"),
    }
}
