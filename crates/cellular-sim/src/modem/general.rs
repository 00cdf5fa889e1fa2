//! Which command is whose; V.250, identity, PIN, power, clock.

use dtu_proto::radio::{ModemOutput, NetworkTime, Registration};
use dtu_proto::time::{Duration, Instant};

use super::at_modem::{AtModem, Lock, PIN_TRIES};
use super::parse::{Args, Command, Form};
use super::reply::{End, Reply};
use super::settings::{Charset, Settings};
use super::setup::Dialect;
use crate::radio::{civil, seconds_of};

/// What needs a SIM that is open.
const NEEDS_SIM: [&str; 22] = [
    "+CIMI", "+CNUM", "+CCID", "+QCCID", "+CRSM", "+COPS", "+CGATT", "+CGACT", "+CMGF", "+CMGS",
    "+CMGL", "+CMGR", "+CMGD", "+CMGW", "+CMSS", "+CPMS", "+CNMI", "+CSCA", "+CSMP", "+CNMA",
    "+CSMS", "D",
];

impl AtModem {
    pub(super) fn execute(&mut self, command: &Command, now: Instant) -> Reply {
        let Command { name, form } = command;
        if let Some(refused) = self.refuse_without_sim(name) {
            return refused;
        }
        if let Some(reply) = self.odd_reply(command, now) {
            return reply;
        }
        match name.as_str() {
            "D" => self.dial(form, now),
            "A" => self.answer(now),
            "H" | "+CHUP" => self.hang_up(now),
            // 27.007 7.13: of one call, releasing it is all there is to do.
            "+CHLD" if *form == Form::Test => Reply::line("+CHLD: (0,1,1x)"),
            "+CHLD" => self.hang_up(now),
            "+CLCC" => self.list_calls(form),
            "+CFUN" => self.functionality_command(form, now),
            "+CPIN" => self.pin(form, now),
            "+CPINR" | "+SPIC" | "+QPINC" => self.pin_tries(name),
            "+CCLK" => self.clock_command(form, now),
            "+CRESET" | "+QRST" => self.restart(now),
            "+CPOWD" if self.setup.dialect == Dialect::Sim800 => self.restart(now),
            "+QPOWD" if self.setup.dialect == Dialect::Ec2x => self.restart(now),
            _ => self
                .basic(name, form)
                .or_else(|| self.identity(name, form))
                .unwrap_or_else(|| {
                    let network = self
                        .network(name, form, now)
                        .or_else(|| self.messages(name, form, now));
                    network
                        .or_else(|| self.remembered(name, form))
                        .unwrap_or_else(Reply::error)
                }),
        }
    }

    fn refuse_without_sim(&self, name: &str) -> Option<Reply> {
        if !NEEDS_SIM.contains(&name) {
            return None;
        }
        let of_messages =
            name.starts_with("+CMG") || ["+CPMS", "+CNMI", "+CSCA", "+CMSS"].contains(&name);
        let (cms, cme) = match self.lock {
            Lock::Open => return None,
            Lock::Pin(_) => (311, Reply::PIN_NEEDED),
            Lock::Puk => (316, Reply::PUK_NEEDED),
        };
        Some(Reply::end(if of_messages {
            End::Cms(cms)
        } else {
            End::Cme(cme)
        }))
    }

    pub(super) fn lock_is_open(&self) -> bool {
        self.lock == Lock::Open
    }

    fn basic(&mut self, name: &str, form: &Form) -> Option<Reply> {
        let number = match form {
            Form::Run(text) => text.parse().unwrap_or(0_u8),
            Form::Set(args) => args.small(0, 0, 255)?,
            Form::Read | Form::Test => 0,
        };
        match (name, form) {
            ("E", _) => self.settings.echo = number == 1,
            ("V", _) => self.settings.verbose = number == 1,
            ("Q", _) => self.settings.quiet = number == 1,
            ("Z" | "&F", _) => self.settings = Settings::new(self.setup.dialect),
            ("S0", Form::Read) => {
                return Some(Reply::line(format!("{:03}", self.settings.answer_after)));
            }
            ("S0", Form::Set(_)) => self.settings.answer_after = number,
            (
                "X" | "L" | "M" | "P" | "T" | "&C" | "&D" | "&S" | "&W" | "&K" | "O" | "S3" | "S4"
                | "S5" | "S6" | "S7" | "S8" | "S10",
                _,
            ) => {}
            ("I", _) => return Some(self.about()),
            _ => return None,
        }
        Some(Reply::ok())
    }

    fn about(&self) -> Reply {
        let dialect = self.setup.dialect;
        Reply::lines(
            [dialect.maker(), dialect.model(), dialect.revision()]
                .map(str::to_owned)
                .to_vec(),
        )
    }

    fn identity(&mut self, name: &str, form: &Form) -> Option<Reply> {
        if *form == Form::Test
            && [
                "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+CIMI", "+GMI", "+GMM", "+GMR", "+GSN",
                "+CNUM",
            ]
            .contains(&name)
        {
            return Some(Reply::ok());
        }
        let dialect = self.setup.dialect;
        let line = match name {
            "+CGMI" | "+GMI" => dialect.maker().to_owned(),
            "+CGMM" | "+GMM" => dialect.model().to_owned(),
            "+CGMR" | "+GMR" => dialect.revision().to_owned(),
            "+CGSN" | "+GSN" => self.view.identity.imei.clone(),
            "+CIMI" => self.view.identity.imsi.clone(),
            "+CCID" | "+QCCID" => format!("{name}: {ICCID}"),
            "+GCAP" => "+GCAP: +CGSM,+DS,+ES".to_owned(),
            "+CNUM" => {
                let number = self.view.number?;
                format!("+CNUM: \"\",\"{number}\",{}", number.type_of_address())
            }
            "+CLAC" => return Some(Reply::lines(NAMES.map(|name| format!("AT{name}")).to_vec())),
            "+CSCS" => return Some(self.charset(form)),
            "+CMEE" => return Some(self.errors(form)),
            "+CRSM" => return Some(self.sim_file(form)),
            "+CLCK" => return Some(self.locks(form)),
            "+CPAS" => format!("+CPAS: {}", if self.call.is_some() { 4 } else { 0 }),
            _ => return None,
        };
        Some(Reply::line(line))
    }

    fn charset(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => Reply::line(format!("+CSCS: \"{}\"", self.settings.charset.name())),
            Form::Test => Reply::line("+CSCS: (\"GSM\",\"IRA\",\"HEX\",\"UCS2\")"),
            Form::Set(args) => {
                match Charset::ALL
                    .into_iter()
                    .find(|charset| charset.name() == args.text(0))
                {
                    Some(charset) => {
                        self.settings.charset = charset;
                        Reply::ok()
                    }
                    None => Reply::error(),
                }
            }
            Form::Run(_) => Reply::error(),
        }
    }

    fn errors(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => Reply::line(format!("+CMEE: {}", self.settings.errors)),
            Form::Test => Reply::line("+CMEE: (0-2)"),
            Form::Run(_) => Reply::error(),
            Form::Set(args) => match args.small(0, 0, 2) {
                Some(errors) => {
                    self.settings.errors = errors;
                    Reply::ok()
                }
                None => Reply::error(),
            },
        }
    }

    /// 27.007 8.18: the few files that hosts read.
    fn sim_file(&self, form: &Form) -> Reply {
        let Form::Set(args) = form else {
            return Reply::error();
        };
        let digits = match (args.number(0, 0), args.number(1, 0)) {
            (Some(176), Some(12258)) => swapped(ICCID),
            // EF-AD: the network code has two digits.
            (Some(176), Some(28589)) => "00000002".to_owned(),
            (Some(192), Some(28589)) => "0000000000006FAD040000000000000000000000".to_owned(),
            _ => return Reply::line("+CRSM: 106,130,\"\""),
        };
        Reply::line(format!("+CRSM: 144,0,\"{digits}\""))
    }

    fn locks(&self, form: &Form) -> Reply {
        match form {
            Form::Test => Reply::line("+CLCK: (\"SC\")"),
            Form::Set(args) if args.number(1, 0) == Some(2) => Reply::line(format!(
                "+CLCK: {}",
                u8::from(args.text(0) == "SC" && self.setup.pin.is_some())
            )),
            Form::Set(_) | Form::Run(_) | Form::Read => Reply::end(End::Cme(Reply::NOT_ALLOWED)),
        }
    }

    fn pin(&mut self, form: &Form, now: Instant) -> Reply {
        match (form, self.lock) {
            (Form::Test, _) => Reply::ok(),
            (Form::Read, Lock::Open) => Reply::line("+CPIN: READY"),
            (Form::Read, Lock::Pin(_)) => Reply::line("+CPIN: SIM PIN"),
            (Form::Read, Lock::Puk) => Reply::line("+CPIN: SIM PUK"),
            (Form::Set(_), Lock::Pin(_)) if self.quirks.pin_unheeded => Reply::ok(),
            (Form::Set(args), Lock::Pin(left)) => self.try_pin(args, left, now),
            (Form::Set(_), Lock::Open) => Reply::end(End::Cme(Reply::NOT_ALLOWED)),
            (Form::Set(_), Lock::Puk) => Reply::end(End::Cme(Reply::PUK_NEEDED)),
            (Form::Run(_), _) => Reply::error(),
        }
    }

    /// How many wrong PINs the card still forgives, in the words of each maker.
    fn pin_tries(&self, name: &str) -> Reply {
        let left = match self.lock {
            _ if self.quirks.tries_stay => PIN_TRIES,
            Lock::Open => PIN_TRIES,
            Lock::Pin(left) => left,
            Lock::Puk => 0,
        };
        match (name, self.setup.dialect) {
            ("+CPINR", Dialect::Generic) => {
                Reply::line(format!("+CPINR: SIM PIN,{left},{PIN_TRIES}"))
            }
            ("+SPIC", Dialect::Sim800) => Reply::line(format!("+SPIC: {left},3,10,10")),
            ("+QPINC", Dialect::Ec2x) => Reply::line(format!("+QPINC: \"SC\",{left},10")),
            _ => Reply::error(),
        }
    }

    fn try_pin(&mut self, args: &Args, left: u8, now: Instant) -> Reply {
        if self.setup.pin.as_deref() == Some(args.text(0)) {
            self.lock = Lock::Open;
            self.go_on_air(self.functionality == 1, now);
            if self.setup.dialect != Dialect::Generic {
                self.boot_line("+CPIN: READY", now);
                self.say_ready(now);
            }
            return Reply::ok();
        }
        self.lock = if left > 1 {
            Lock::Pin(left - 1)
        } else {
            Lock::Puk
        };
        Reply::end(End::Cme(Reply::WRONG_PASSWORD))
    }

    fn functionality_command(&mut self, form: &Form, now: Instant) -> Reply {
        match form {
            Form::Read => Reply::line(format!("+CFUN: {}", self.functionality)),
            Form::Test => Reply::line("+CFUN: (0,1,4),(0,1)"),
            Form::Run(_) => Reply::error(),
            Form::Set(args) => match (args.small(0, 1, 4), args.small(1, 0, 1)) {
                (Some(1), Some(1)) => self.restart(now),
                (Some(level @ (0 | 1 | 4)), Some(0)) => self.set_functionality(level, now),
                _ => Reply::end(End::Cme(50)),
            },
        }
    }

    fn set_functionality(&mut self, level: u8, now: Instant) -> Reply {
        let was = std::mem::replace(&mut self.functionality, level);
        if self.lock_is_open() && was != level {
            self.go_on_air(level == 1, now);
            return Reply::end(End::After(Duration::from_millis(300)));
        }
        Reply::ok()
    }

    fn restart(&mut self, now: Instant) -> Reply {
        self.emit_order(ModemOutput::Reset, now);
        Reply::ok()
    }

    /// The time that the modem's clock shows.
    pub(super) fn clock(&self, now: Instant) -> NetworkTime {
        let (start, since) = self.clock_set.unwrap_or((self.setup.clock, Instant::ZERO));
        let run = u32::try_from(now.since(since).as_secs()).unwrap_or(u32::MAX);
        NetworkTime {
            seconds: start.seconds.saturating_add(run),
            zone: start.zone,
        }
    }

    fn clock_command(&mut self, form: &Form, now: Instant) -> Reply {
        match form {
            Form::Read => {
                let time = civil(self.clock(now));
                Reply::line(format!(
                    "+CCLK: \"{:02}/{:02}/{:02},{:02}:{:02}:{:02}{:+03}\"",
                    time.year % 100,
                    time.month,
                    time.day,
                    time.hour,
                    time.minute,
                    time.second,
                    time.zone
                ))
            }
            // The comma of the time splits the value in two.
            Form::Set(args) => match parse_clock(&args.0.join(",")) {
                Some(time) => {
                    self.clock_set = Some((time, now));
                    Reply::ok()
                }
                None => Reply::end(End::Cme(50)),
            },
            Form::Test => Reply::ok(),
            Form::Run(_) => Reply::error(),
        }
    }

    /// Commands that set something which has no effect here.
    fn remembered(&mut self, name: &str, form: &Form) -> Option<Reply> {
        let place = REMEMBERED.iter().find(|(there, _)| *there == name)?;
        Some(match form {
            Form::Set(args) => {
                self.settings
                    .others
                    .insert(name.to_owned(), args.0.join(","));
                self.note_switch(name, args);
                Reply::ok()
            }
            Form::Read => {
                let value = self
                    .settings
                    .others
                    .get(name)
                    .map_or(place.1, String::as_str);
                Reply::line(format!("{name}: {value}"))
            }
            Form::Test | Form::Run(_) => Reply::ok(),
        })
    }

    fn note_switch(&mut self, name: &str, args: &Args) {
        let on = args.text(0) == "1";
        match name {
            "+CLIP" => self.settings.clip = on,
            "+COLP" => self.settings.colp = on,
            "+CRC" => self.settings.crc = on,
            "+CTZR" => self.settings.reports_zone = args.text(0) != "0",
            "+CLTS" => self.settings.reports_time = on,
            "+MORING" => self.settings.reports_outgoing = on,
            "^DSCI" => self.settings.reports_calls = on,
            _ => {}
        }
    }

    /// Whether messages and calls are possible.
    pub(super) fn is_registered(&self) -> bool {
        matches!(
            self.view.registration,
            Registration::Home | Registration::Roaming
        )
    }
}

/// `yy/MM/dd,hh:mm:ss`, with `±zz` or without.
fn parse_clock(text: &str) -> Option<NetworkTime> {
    let (time, zone) = match text.get(17..) {
        Some("") => (text, None),
        Some(zone) => (
            text.get(..17)?,
            Some(
                zone.parse::<i8>()
                    .ok()
                    .filter(|zone| (-96..=96).contains(zone))?,
            ),
        ),
        None => return None,
    };
    let numbers: Vec<u16> = time
        .split(['/', ',', ':'])
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let [year, month, day, hour, minute, second] = numbers.try_into().ok()?;
    let seconds = seconds_of([2000 + year, month, day, hour, minute, second])?;
    Some(NetworkTime { seconds, zone })
}

/// Digits as the SIM has them: the low one first.
fn swapped(digits: &str) -> String {
    digits
        .as_bytes()
        .chunks(2)
        .flat_map(|pair| pair.iter().rev())
        .map(|digit| char::from(*digit))
        .collect()
}

const ICCID: &str = "89860012345678901234";

/// What `AT+CLAC` lists.
const NAMES: [&str; 56] = [
    "+CCLK", "+CEREG", "+CFUN", "+CGACT", "+CGATT", "+CGDCONT", "+CGMI", "+CGMM", "+CGMR",
    "+CGPADDR", "+CGREG", "+CGSN", "+CHLD", "+CHUP", "+CIMI", "+CLAC", "+CLCC", "+CLCK", "+CLIP",
    "+CMEE", "+CMGD", "+CMGF", "+CMGL", "+CMGR", "+CMGS", "+CMGW", "+CMMS", "+CMSS", "+CNMA",
    "+CNMI", "+CNUM", "+COPS", "+CPAS", "+CPIN", "+CPMS", "+CRC", "+CREG", "+CRSM", "+CSCA",
    "+CSCS", "+CSDH", "+CSMP", "+CSMS", "+CSQ", "+CTZR", "+CTZU", "+CVHU", "+GCAP", "+IPR",
    "+CRESET", "D", "A", "H", "E", "I", "Z",
];

/// Commands that are only remembered, and their first value.
const REMEMBERED: [(&str, &str); 23] = [
    ("+CLIP", "0,1"),
    ("+COLP", "0,0"),
    ("+CRC", "0"),
    ("+CTZR", "0"),
    ("+CTZU", "0"),
    ("+CLTS", "0"),
    ("+MORING", "0"),
    ("^DSCI", "0"),
    ("+CMMS", "0"),
    ("+CVHU", "0"),
    ("+CMOD", "0"),
    ("+IPR", "0"),
    ("+IFC", "2,2"),
    ("+ICF", "3,3"),
    ("+CSTA", "129"),
    ("+CSSN", "0,0"),
    ("+CCWA", "0"),
    ("+CUSD", "0"),
    ("+CMER", "0,0,0,0,0"),
    ("+CGEREP", "0,0"),
    ("+CSCLK", "0"),
    ("+QCFG", ""),
    ("+QURCCFG", "\"urcport\",\"usbat\""),
];
