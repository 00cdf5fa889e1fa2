//! One number over all outputs of a device, in words of its own: it stays as it is when a type of the core gets another
//! name, and changes when a byte, an order or a time does.

use std::fmt::{self, Write as _};

use dtu_proto::config::Parity;
use dtu_proto::event::{
    CallEvent, Event, MessageLoss, Output, Power, SerialOutput, SocketId, SocketOutput, StoreOutput,
};
use dtu_proto::radio::ModemOutput;

use crate::trace::Fnv;

/// Mixes one output of the time `at`, in µs.
pub(super) fn mix(hash: &mut Fnv, at: u64, output: &Output) {
    hash.mix(&at.to_le_bytes());
    let mut words = Words(hash);
    // Writing into a hash does not fail.
    let _ = output_words(&mut words, output);
    hash.mix(b"\n");
}

/// What is written goes into the hash.
struct Words<'a>(&'a mut Fnv);

impl fmt::Write for Words<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.mix(text.as_bytes());
        Ok(())
    }
}

impl Words<'_> {
    fn bytes(&mut self, word: &str, bytes: &[u8]) -> fmt::Result {
        write!(self, "{word} {} ", bytes.len())?;
        self.0.mix(bytes);
        Ok(())
    }
}

fn output_words(out: &mut Words<'_>, output: &Output) -> fmt::Result {
    match output {
        Output::Serial(SerialOutput::Write(bytes)) => out.bytes("serial", bytes),
        Output::Serial(SerialOutput::Configure(format)) => {
            let (baud, data, stop) = (format.baud, format.data_bits, format.stop_bits);
            let parity = match format.parity {
                Parity::Odd => 'O',
                Parity::Even => 'E',
                Parity::None => 'N',
            };
            write!(out, "line {baud} {data} {stop} {parity}")
        }
        Output::Serial(SerialOutput::Discard) => out.write_str("discard"),
        Output::Socket(SocketId::Link(link), order) => {
            write!(out, "{link} ")?;
            socket_words(out, order)
        }
        Output::Socket(socket, order) => {
            write!(out, "{socket} ")?;
            socket_words(out, order)
        }
        Output::Modem(order) => modem_words(out, order),
        Output::Store(order) => store_words(out, order),
        Output::Console(reply) => out.bytes("console", reply.as_bytes()),
        Output::Leds(leds) => write!(out, "leds {} {} {}", leds.pow, leds.net, leds.data),
        Output::Power(Power::Restarted) => out.write_str("restarted"),
        Output::Power(Power::Stop) => out.write_str("stop"),
        Output::Event(event) => event_words(out, event),
    }
}

fn socket_words(out: &mut Words<'_>, order: &SocketOutput) -> fmt::Result {
    match order {
        SocketOutput::Connect(to) => {
            let (protocol, address) = (to.protocol.name(), &to.address);
            write!(
                out,
                "connect {protocol} {address} {} {} {}",
                to.port, to.local_port, to.tls
            )
        }
        SocketOutput::Send(payload) => {
            out.bytes("send", &payload.prefix)?;
            out.bytes("", &payload.body)
        }
        SocketOutput::Close => out.write_str("close"),
    }
}

fn modem_words(out: &mut Words<'_>, order: &ModemOutput) -> fmt::Result {
    match order {
        ModemOutput::Reset => out.write_str("modem reset"),
        ModemOutput::UseApn(apn) => out.bytes("apn", apn.name.as_bytes()),
        ModemOutput::Submit { token, pdu } => {
            write!(out, "submit {token}")?;
            out.bytes("", pdu)
        }
        ModemOutput::Taken(number) => write!(out, "taken {number}"),
        ModemOutput::Dial(number) => write!(out, "dial {number}"),
        ModemOutput::Answer => out.write_str("answer"),
        ModemOutput::HangUp => out.write_str("hang up"),
    }
}

fn store_words(out: &mut Words<'_>, order: &StoreOutput) -> fmt::Result {
    match order {
        StoreOutput::Save(text) => out.bytes("save", text.as_bytes()),
        StoreOutput::Messages { number, text } => {
            write!(out, "messages {number}")?;
            out.bytes("", text.as_bytes())
        }
        StoreOutput::SpoolAppend(queue, number, frame) => {
            write!(out, "append {} {number}", queue.word())?;
            out.bytes("", frame)
        }
        StoreOutput::SpoolMove(queue, frames) => {
            write!(out, "move {}", queue.word())?;
            frames.iter().try_for_each(|(number, frame)| {
                write!(out, " {number}")?;
                out.bytes("", frame)
            })
        }
        StoreOutput::SpoolRelease(queue, below) => write!(out, "release {} {below}", queue.word()),
        StoreOutput::SpoolSending(queue, number) => {
            write!(out, "sending {} ", queue.word())?;
            number.map_or(Ok(()), |number| write!(out, "{number}"))
        }
    }
}

fn event_words(out: &mut Words<'_>, event: &Event) -> fmt::Result {
    let ended = |up: bool| if up { "down" } else { "in vain" };
    match event {
        Event::PowerOn(_) => out.write_str("power on"),
        Event::ModeStarted => out.write_str("mode"),
        Event::CommandState(begins) => write!(out, "command state {begins}"),
        Event::Connected(SocketId::Link(link)) => write!(out, "{link} up"),
        Event::Disconnected {
            socket: SocketId::Link(link),
            reason,
            was_up,
        } => {
            write!(out, "{link} {}: {reason}", ended(*was_up))
        }
        Event::Connected(socket) => write!(out, "{socket} up"),
        Event::Disconnected {
            socket,
            reason,
            was_up,
        } => {
            write!(out, "{socket} {}: {reason}", ended(*was_up))
        }
        Event::FrameDropped { queue, bytes } => write!(out, "{queue} dropped {bytes}"),
        Event::LineDropped { bytes, of } => {
            write!(out, "line dropped {bytes} ")?;
            of.map_or(Ok(()), |of| write!(out, "{of}"))
        }
        Event::WindowFrameDropped { bytes } => write!(out, "window dropped {bytes}"),
        Event::Command { line, outcome, .. } => {
            write!(
                out,
                "command {line} {}",
                outcome.as_ref().err().map_or("OK", String::as_str)
            )
        }
        Event::WrongPassword(_) => out.write_str("wrong password"),
        Event::OriginLocked(_) => out.write_str("shut"),
        Event::SerialPresent(is) => write!(out, "line {is}"),
        Event::LineRefused(why) => write!(out, "line refused {why}"),
        Event::MessageLost(loss) => message_words(out, loss),
        Event::MessageToPort { from, port } => write!(out, "message to port {port} from {from}"),
        Event::MessagesNotStored(why) => write!(out, "messages not stored {why}"),
        Event::BackupActive {
            backup,
            primary,
            active,
        } => {
            write!(out, "backup {backup} {primary} {active}")
        }
        Event::Lost(lost) => write!(out, "{lost}"),
        Event::Call(call) => call_words(out, call),
        Event::Httpd(event) => write!(out, "httpd {event}"),
        Event::Trial(event) => write!(out, "trial {event}"),
    }
}

/// Their texts are for people and may get better.
fn message_words(out: &mut Words<'_>, loss: &MessageLoss) -> fmt::Result {
    out.write_str(match loss {
        MessageLoss::Impossible(_) => "impossible",
        MessageLoss::NoRoom(_) => "no room",
        MessageLoss::Refused(..) => "refused",
        MessageLoss::Expired(_) => "expired",
        MessageLoss::Doubtful(_) => "doubtful",
        MessageLoss::Unreadable(_) => "unreadable",
        MessageLoss::Incomplete(_) => "incomplete",
        MessageLoss::Evicted => "evicted",
    })
}

fn call_words(out: &mut Words<'_>, call: &CallEvent) -> fmt::Result {
    let (word, number) = match call {
        CallEvent::Dialled(number) => ("dialled", Some(number)),
        CallEvent::NotPlaced(number) => ("not placed", Some(number)),
        CallEvent::Incoming(number) => ("incoming", number.as_ref()),
        CallEvent::Refused(number) => ("call refused", number.as_ref()),
        CallEvent::Answered(number) => ("answered", number.as_ref()),
        CallEvent::Ended(_) => ("call over", None),
    };
    out.write_str(word)?;
    number.map_or(Ok(()), |number| write!(out, " {number}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn digest(outputs: &[(u64, Output)]) -> u64 {
        let mut hash = Fnv::default();
        outputs
            .iter()
            .for_each(|(at, output)| mix(&mut hash, *at, output));
        hash.get()
    }

    #[test]
    fn a_byte_a_time_an_order_and_where_a_write_ends_change_it() {
        let write = |text: &'static str| {
            Output::Serial(SerialOutput::Write(Bytes::from_static(text.as_bytes())))
        };
        let first = digest(&[(1, write("ab")), (2, write("c"))]);
        assert_eq!(first, digest(&[(1, write("ab")), (2, write("c"))]));
        for other in [
            [(1, write("ab")), (2, write("d"))],
            [(1, write("ab")), (3, write("c"))],
            [(1, write("a")), (2, write("bc"))],
            [(1, write("c")), (2, write("ab"))],
        ] {
            assert_ne!(first, digest(&other), "{other:?}");
        }
    }
}
