//! The way to the device: open the port, come into the command state, leave it on every exit.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::{Args, ValueEnum};
use dtu_proto::radio::PhoneNumber;
use dtu_setup::charset::Charset;
use dtu_setup::door::{Door, DoorError};
use dtu_setup::remote::Remote;
use dtu_setup::say::Spoken as _;
use dtu_setup::serial::Serial;
use dtu_setup::sms::Sms;

use crate::password::password;
use crate::port::OpenPort;
use crate::say::{self, MayBeLeft, Usage, tell};
use crate::sms::{self, ModemPort, Texts};
use crate::via::{self, Via, Wire, is_dialled};

/// Which device.
#[derive(Debug, Args)]
pub(crate) struct PortArgs {
    /// The serial port: a device, a pty (`./dtu0`), or `tcp:HOST:PORT`
    #[arg(long, value_name = "PORT", global = true)]
    port: Option<PortName>,
    /// Rate of the port in Bd, or `auto`: tries all; what is sent at a wrong rate may reach the server as noise
    #[arg(long, value_name = "BAUD", default_value = "115200", global = true)]
    baud: Rate,
    /// The charset of the device's serial line, for texts such as CIMODID: `serial.charset` in the settings file of dtud.
    /// --via listen and tcp have the same one; SMS and the web console of dtud need none
    #[arg(long, value_enum, default_value_t = LineCharset::Gbk, value_name = "CHARSET", global = true)]
    charset: LineCharset,
    /// How to come into the command state
    #[arg(long, value_enum, default_value_t = Way::Escape, global = true)]
    enter: Way,
    /// Over one of the device's links instead, by `psw,AT+…`: `listen:ADDR:PORT` (the device dials this), or
    /// `tcp:HOST:PORT` (a relay). The device needs CINETAT = 1, mode 0 and a password of its own. Or by SMS:
    /// `sms:NUMBER`, with --modem
    #[arg(long, value_name = "WAY", global = true, conflicts_with = "port")]
    via: Option<Via>,
    /// With --via sms: the modem on this machine that sends the texts, `at:/dev/ttyUSB2`; --baud is its rate
    #[arg(long, value_name = "MODEM", global = true, requires = "via")]
    modem: Option<ModemPort>,
    /// Does not ask before texts are sent or settings lost
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// With --via: the first line of this is the device's password; else DTUCTL_PASSWORD, or it is asked for
    #[arg(long, value_name = "FILE", global = true)]
    password_file: Option<PathBuf>,
}

/// A device, or `tcp:HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PortName(String);

impl FromStr for PortName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_good = text
            .strip_prefix("tcp:")
            .map_or(!text.is_empty(), is_dialled);
        is_good
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| "must be the path of a device, or tcp:HOST:PORT".to_owned())
    }
}

fn of_port(name: &str, error: DoorError) -> anyhow::Error {
    anyhow::Error::from(error).context(name.to_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// `+++`, and where that is not answered the set-up window, once the device is switched off and on
    Escape,
    /// The device is in its command state (mode 2, or left there): `AT` is sent at once
    None,
    /// The set-up window: switch the device off and on now
    Window,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LineCharset {
    /// That of a new device
    Gbk,
    /// For a dtud with `serial.charset = "utf-8"`
    #[value(name = "utf-8")]
    Utf8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rate {
    Auto,
    Baud(u32),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse() {
            Ok(baud) if baud > 0 => Ok(Self::Baud(baud)),
            Ok(_) | Err(_) => Err("must be a number of Bd or auto".to_owned()),
        }
    }
}

/// Those of the device, the likely ones first.
const RATES: [u32; 16] = [
    115_200, 9600, 57_600, 38_400, 19_200, 4800, 2400, 1200, 14_400, 56_000, 230_400, 460_800,
    921_600, 600, 300, 110,
];
/// Of most modems.
const USUAL: u32 = 115_200;
/// Time to find the plug.
const SWITCHED_ON: Duration = Duration::from_secs(90);

impl PortArgs {
    /// Runs `work` with the device in its command state, and lets it go on with its own work whatever comes of that.
    /// `texts` are what it takes at most, where it goes by SMS.
    pub(crate) fn with_device<R>(
        &self,
        texts: &Texts,
        work: impl FnOnce(&mut dyn Door) -> anyhow::Result<R>,
    ) -> anyhow::Result<R> {
        match &self.via {
            Some(Via::Sms(to)) => {
                let mut door = self.write_to(*to, texts)?;
                let result = self.work_and_leave(&mut door, work);
                sms::tell_traffic(&door);
                result
            }
            Some(Via::Listen(_) | Via::Tcp(_)) => self.work_and_leave(&mut self.dial()?, work),
            None => self.work_and_leave(&mut self.enter()?, work),
        }
    }

    /// A failure of the way tells which it was. Who stops this program knows.
    fn named(&self, error: anyhow::Error) -> anyhow::Error {
        match error.downcast_ref::<DoorError>() {
            None | Some(DoorError::Stopped(_)) => error,
            Some(_) => error.context(self.name()),
        }
    }

    fn write_to(&self, to: PhoneNumber, texts: &Texts) -> anyhow::Result<Sms<OpenPort>> {
        let Some(modem) = &self.modem else {
            bail!(Usage(say::which_modem()));
        };
        let password = password(self.password_file.as_deref())?;
        texts.ask(to, self.yes)?;
        let baud = match self.baud {
            Rate::Baud(baud) => baud,
            Rate::Auto => USUAL,
        };
        sms::enter(to, modem, baud, password)
    }

    fn work_and_leave<R>(
        &self,
        door: &mut dyn Door,
        work: impl FnOnce(&mut dyn Door) -> anyhow::Result<R>,
    ) -> anyhow::Result<R> {
        let result = work(door).map_err(|error| self.named(error));
        let left = door.leave();
        let result = result?;
        match left {
            Ok(()) => {}
            Err(error @ DoorError::Lost) => tell(error.spoken()),
            Err(error) => tell(say::may_be_left_in(error.spoken())),
        }
        Ok(result)
    }

    /// Whether it is by SMS, where each command costs money.
    pub(crate) const fn is_sms(&self) -> bool {
        matches!(self.via, Some(Via::Sms(_)))
    }

    /// Whether it is over one of the device's links.
    pub(crate) const fn is_network(&self) -> bool {
        matches!(self.via, Some(Via::Listen(_) | Via::Tcp(_)))
    }

    /// How people call it.
    pub(crate) fn name(&self) -> String {
        match (&self.via, &self.port) {
            (Some(via), _) => via.to_string(),
            (None, Some(port)) => port.0.clone(),
            (None, None) => String::new(),
        }
    }

    /// That of the line, in both directions.
    pub(crate) const fn charset(&self) -> Charset {
        match self.charset {
            LineCharset::Gbk => Charset::Gbk,
            LineCharset::Utf8 => Charset::Utf8,
        }
    }

    /// That of what is sent: texts of a phone network are Unicode.
    pub(crate) const fn charset_of_way(&self) -> Charset {
        if self.is_sms() {
            Charset::Utf8
        } else {
            self.charset()
        }
    }

    /// The device over one of its links.
    pub(crate) fn dial(&self) -> anyhow::Result<Remote<Wire>> {
        let Some(way) = &self.via else {
            bail!(Usage(say::which_way()));
        };
        via::enter(
            way,
            password(self.password_file.as_deref())?,
            self.charset(),
        )
    }

    /// The device once more, at the rate that it has now, without anybody at its switch.
    pub(crate) fn enter_again(&self, baud: u32) -> anyhow::Result<Serial<OpenPort>> {
        let name = self.name();
        let port = OpenPort::open(&name, baud)?;
        let port = if self.enter == Way::None {
            match Serial::in_command_state(port) {
                Ok(serial) => return Ok(serial.in_charset(self.charset())),
                Err((port, _)) => port,
            }
        } else {
            port
        };
        let serial = Serial::enter(port).map_err(|(_, error)| of_port(&name, error))?;
        Ok(serial.in_charset(self.charset()))
    }

    /// The port that is only watched, and its rate.
    pub(crate) fn watched(&self) -> anyhow::Result<(String, u32)> {
        match (&self.port, self.baud) {
            (Some(name), Rate::Baud(baud)) => Ok((name.0.clone(), baud)),
            (Some(_), Rate::Auto) => bail!(Usage(say::watch_finds_no_rate())),
            (None, _) => bail!(Usage(say::which_line())),
        }
    }

    /// Whether somebody looks at what goes on.
    pub(crate) fn is_watched() -> bool {
        std::io::stderr().is_terminal()
    }

    pub(crate) fn enter(&self) -> anyhow::Result<Serial<OpenPort>> {
        let Some(PortName(name)) = &self.port else {
            bail!(Usage(say::which_device()));
        };
        let rates = match self.baud {
            Rate::Baud(baud) => vec![baud],
            Rate::Auto => RATES.to_vec(),
        };
        crate::port::stop_cleanly()?;
        let start = Instant::now();
        let mut last = None;
        for baud in rates {
            // Nobody finds the plug for each rate anew.
            let left = SWITCHED_ON.saturating_sub(start.elapsed());
            if self.enter == Way::Window && left.is_zero() {
                break;
            }
            let port = OpenPort::open(name, baud)?;
            match self.enter_at(port, left) {
                Ok(serial) => {
                    let serial = serial.in_charset(self.charset());
                    if self.baud == Rate::Auto {
                        tell(say::rate_found(baud));
                    }
                    return Ok(serial);
                }
                Err(error @ DoorError::Stopped(_)) => return Err(of_port(name, error)),
                // Text is text at one rate alone.
                Err(error @ DoorError::NoOk { is_text: true }) => return Err(of_port(name, error)),
                Err(error) => last = Some(error),
            }
        }
        let Some(error) = last else {
            bail!(say::about(name, say::no_rate()));
        };
        let may_be_left = matches!(error, DoorError::NotInCommandState | DoorError::Silent);
        Err(if may_be_left && self.enter == Way::Escape {
            anyhow::Error::from(MayBeLeft(error)).context(name.clone())
        } else {
            of_port(name, error)
        })
    }

    fn enter_at(
        &self,
        port: OpenPort,
        switched_on: Duration,
    ) -> Result<Serial<OpenPort>, DoorError> {
        let bare = |(_, error): (OpenPort, DoorError)| error;
        match self.enter {
            Way::None => Serial::in_command_state(port).map_err(bare),
            Way::Window => {
                tell(say::switch_off_and_on());
                Serial::by_window(port, switched_on).map_err(bare)
            }
            Way::Escape => match Serial::enter(port) {
                Ok(serial) => Ok(serial),
                // Only where somebody is there to do it.
                Err((port, error @ (DoorError::NotInCommandState | DoorError::Silent)))
                    if Self::is_watched() && self.baud != Rate::Auto =>
                {
                    tell(error.spoken());
                    tell(say::switch_or_end());
                    Serial::by_window(port, switched_on).map_err(|(_, late)| {
                        if matches!(late, DoorError::Stopped(_)) {
                            late
                        } else {
                            error
                        }
                    })
                }
                Err(fault) => Err(bare(fault)),
            },
        }
    }
}
