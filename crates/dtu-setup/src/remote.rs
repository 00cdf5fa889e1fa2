//! A device that is reached over one of its links: `psw,AT+…`, each as one write (manual 2.8.4).

use std::io;
use std::time::Duration;

use crate::charset::{Charset, decode_line, encode_line};
use crate::door::{Door, DoorError, End, Reply};
use crate::say::Sentence;
use crate::serial::Port;
use crate::talk::{REPLY_MOST, Waits, clear, drain, reply};

/// A connection that a device has made, or a relay to one.
pub trait Connection: Port {
    /// Waits until it is made again.
    ///
    /// # Errors
    /// It was not, in that time. [`io::ErrorKind::Interrupted`]: somebody wants this to stop.
    fn renew(&mut self, within: Duration) -> io::Result<()>;

    /// Does nothing for so long.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`]: somebody wants this to stop.
    fn pause(&mut self, time: Duration) -> io::Result<()>;
}

/// A device at the other end of a connection.
pub struct Remote<C> {
    connection: C,
    charset: Charset,
    password: String,
    /// What the device said when it came, the registration packet as a rule. It may stand in front of replies, too.
    packet: Vec<u8>,
    behind: Vec<u8>,
}

/// The registration packet comes at once when the device comes.
const PACKET: Duration = Duration::from_millis(700);
/// What goes on is data.
const PACKET_MOST: Duration = Duration::from_secs(5);
/// Over a slow network, with retries.
const REPLY: Duration = Duration::from_secs(15);
/// A reply comes in one piece, but for packets that were lost. Data of the serial line may stand in front.
const GAP: Duration = Duration::from_secs(5);
/// The device has let go of its old connection by then.
const LETS_GO: Duration = Duration::from_secs(10);
/// A real box registers, and connects with back-off.
const RESTART: Duration = Duration::from_secs(180);
/// Between two tries to make a connection again.
const AGAIN: Duration = Duration::from_secs(1);
/// So long each try to be heard behind a restart may take.
const TRY: Duration = Duration::from_secs(8);

impl<C: Connection> Remote<C> {
    /// Takes the registration packet off, and proves that commands are heard.
    ///
    /// # Errors
    /// [`DoorError::NotHeard`]: the password is another one, or the device hears no commands from the network.
    pub fn enter(connection: C, password: String) -> Result<Self, DoorError> {
        let mut this = Self {
            connection,
            charset: Charset::Gbk,
            password,
            packet: Vec::new(),
            behind: Vec::new(),
        };
        // Once: after five wrong passwords the device is deaf for minutes.
        this.greet(REPLY)?;
        Ok(this)
    }

    /// That of the device's serial line; without it that of a new device.
    #[must_use]
    pub fn in_charset(mut self, charset: Charset) -> Self {
        self.charset = charset;
        self
    }

    /// What the device said of itself when it came.
    #[must_use]
    pub fn packet(&self) -> String {
        decode_line(self.charset, self.packet.trim_ascii())
    }

    /// Whether the connection stands, as far as one can know without a word.
    pub fn stands(&mut self) -> bool {
        clear(&mut self.connection).is_ok()
    }

    /// Waits until the connection is made again, and proves that commands are heard.
    ///
    /// # Errors
    /// It was not, in that time, or nobody hears.
    pub fn renew(&mut self, within: Duration) -> Result<(), DoorError> {
        self.connection.renew(within)?;
        self.greet(REPLY)
    }

    /// The connection, for other uses.
    pub fn into_connection(self) -> C {
        self.connection
    }

    fn greet(&mut self, within: Duration) -> Result<(), DoorError> {
        let packet = drain(&mut self.connection, PACKET, PACKET_MOST)?;
        if !packet.is_empty() {
            self.packet = packet;
        }
        // On a line that is never silent, too.
        match self.exchange_within("AT", within, within) {
            Ok(reply) if reply.end == End::Ok => Ok(()),
            Ok(_) | Err(DoorError::NoReply { .. }) => Err(DoorError::NotHeard),
            Err(error) => Err(error),
        }
    }

    fn exchange(&mut self, line: &str, first: Duration) -> Result<Reply, DoorError> {
        self.exchange_within(line, first, REPLY_MOST.max(first))
    }

    fn exchange_within(
        &mut self,
        line: &str,
        first: Duration,
        most: Duration,
    ) -> Result<Reply, DoorError> {
        let line_bytes = encode_line(self.charset, line).map_err(DoorError::Other)?;
        self.behind.clear();
        clear(&mut self.connection)?;
        // One write, one read there: in pieces it would be data.
        let bytes = [self.password.as_bytes(), b",", &line_bytes].concat();
        self.connection.write(&bytes)?;
        let waits = Waits {
            first,
            gap: GAP,
            most,
        };
        let (connection, behind) = (&mut self.connection, &mut self.behind);
        let mut reply = reply(connection, behind, line, self.charset, waits)?;
        self.take_packet_off(&mut reply);
        Ok(reply)
    }

    fn take_packet_off(&self, reply: &mut Reply) {
        let packet = self.packet();
        if packet.is_empty() {
            return;
        }
        for line in &mut reply.lines {
            if let Some(rest) = line.strip_prefix(&packet) {
                *line = rest.trim_start().to_owned();
            }
        }
        reply.lines.retain(|line| !line.is_empty());
    }

    fn wait_for_return(&mut self) -> Result<(), DoorError> {
        let until = self.connection.now() + RESTART;
        let lets_go = self.connection.now() + LETS_GO;
        let mut buffer = [0; 256];
        // A relay keeps its connection, whatever the device does.
        let mut is_gone = loop {
            match self.connection.read(&mut buffer, lets_go) {
                Ok(0) => break false,
                Ok(_) => {}
                Err(error) if is_stop(&error) => return Err(error.into()),
                Err(_) => break true,
            }
        };
        while self.connection.now() < until {
            if is_gone {
                let left = until.saturating_sub(self.connection.now());
                match self.connection.renew(left) {
                    Ok(()) => {}
                    Err(error) if is_stop(&error) => return Err(error.into()),
                    // A relay has nobody behind it while the device restarts.
                    Err(_) => {
                        self.connection.pause(AGAIN.min(left))?;
                        continue;
                    }
                }
            }
            match self.greet(TRY) {
                Ok(()) => return Ok(()),
                Err(error @ DoorError::Stopped(_)) => return Err(error),
                Err(DoorError::Port(_)) => {
                    is_gone = true;
                    self.connection.pause(AGAIN)?;
                }
                // An old connection may be dead and not know it: a new one may wait.
                Err(_) => match self.connection.renew(TRY) {
                    Ok(()) => is_gone = false,
                    Err(error) if is_stop(&error) => return Err(error.into()),
                    Err(error) => is_gone = is_lost(&error),
                },
            }
        }
        Err(DoorError::NoRestart { within: RESTART })
    }
}

fn is_stop(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted
}

fn is_lost(error: &io::Error) -> bool {
    error.kind() != io::ErrorKind::TimedOut
}

impl<C: Connection> Door for Remote<C> {
    fn command(&mut self, line: &str) -> Result<Reply, DoorError> {
        let reply = self.exchange(line, REPLY)?;
        if reply.end == End::Ok
            && let Some(password) = new_password(line)
        {
            self.password = password;
        }
        Ok(reply)
    }

    fn restart(&mut self, command: &str, _: Option<u32>) -> Result<(), DoorError> {
        match self.exchange(command, REPLY) {
            Ok(reply) => reply.taken(command)?,
            // The connection may end with it, before its OK.
            Err(DoorError::NoReply { .. }) => {}
            Err(DoorError::Port(_)) => {}
            Err(error) => return Err(error),
        }
        self.wait_for_return()
    }

    /// It has carried data all the time.
    fn leave(&mut self) -> Result<(), DoorError> {
        Ok(())
    }

    fn shut_by(&self) -> &[&str] {
        &["CIPSW", "CINETAT", "CSTT", "CIPSCONT", "CIMOD"]
    }

    fn is_shut_at_once(&self) -> bool {
        true
    }

    fn fits(&self, line: &str) -> Result<(), Sentence> {
        encode_line(self.charset, line).map(|_| ())
    }
}

/// The password that a line sets.
pub(crate) fn new_password(line: &str) -> Option<String> {
    let upper = line.to_ascii_uppercase();
    let at = upper.find("+CIPSW=")? + "+CIPSW=".len();
    let rest = line.get(at..)?.trim();
    let password = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(';').next(),
    };
    password.map(|password| password.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::new_password;

    #[test]
    fn a_line_that_sets_the_password_is_known() {
        let of = |line| new_password(line).unwrap_or_default();
        assert_eq!(of("AT+CIPSW=pump8"), "pump8");
        assert_eq!(of("AT+CINETAT=1;+cipsw=\"p;8\";W"), "p;8");
        assert_eq!(of("AT+CIPSW=x;W"), "x");
        assert_eq!(new_password("AT+CIPSW?"), None);
    }
}
