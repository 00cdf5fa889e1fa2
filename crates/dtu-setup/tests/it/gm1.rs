//! A box as the manual prints it: its blanks, its missing result codes, its 30 s of a restart, and no command of ours.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use dtu_setup::serial::Port;

/// How a firmware differs from the page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ways {
    /// It sends back what is typed.
    pub(crate) echo: bool,
    /// Empty lines stand between all lines.
    pub(crate) double_ends: bool,
    /// The read forms have no `OK`.
    pub(crate) no_result_codes: bool,
    /// No blanks behind colons and commas.
    pub(crate) no_blanks: bool,
    /// It is set to another rate than the port.
    pub(crate) other_rate: bool,
    /// It carries data and does not know the escape.
    pub(crate) no_escape: bool,
    /// It says nothing at all.
    pub(crate) dead: bool,
    /// It has HTPURL in mode 3 alone.
    pub(crate) http_in_its_mode: bool,
    /// Its dump leaves the last fields of CIPCFG out, which has a read form of its own.
    pub(crate) short_dump: bool,
    /// It refuses to restart.
    pub(crate) no_restart: bool,
    /// It says nothing to a restart, as the manual prints none, and restarts.
    pub(crate) restarts_in_silence: bool,
    /// It says nothing to a restart, does not restart, and tells this later.
    pub(crate) stays_and_says: Option<&'static str>,
    /// It tells what it greets with.
    pub(crate) tells_its_name: bool,
    /// It tells this name, and greets with that.
    pub(crate) named: Option<(&'static str, &'static str)>,
    /// It knows the escape until it restarts.
    pub(crate) loses_escape: bool,
    /// It comes back in its command state, as in mode 2.
    pub(crate) commands_alone: bool,
    /// It knows the escape in its command state, too.
    pub(crate) escapes_anywhere: bool,
    /// It does not come back from a restart.
    pub(crate) dies: bool,
    /// It stores so many times, and is full then.
    pub(crate) most_saves: Option<u32>,
}

/// The real box.
pub(crate) struct Gm1 {
    ways: Ways,
    now: Duration,
    out: VecDeque<(Duration, u8)>,
    state: State,
    typed: Vec<u8>,
    last_byte: Duration,
    /// The lines of its dump, by name and index.
    dump: Vec<(String, Vec<String>)>,
    line: Vec<(String, String)>,
    http: String,
    /// What reached its data center.
    pub(crate) data: Vec<u8>,
    baud: u32,
    pub(crate) restarts: u32,
    pub(crate) saves: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Data,
    Asked,
    Command,
    /// Switched off until then.
    Off(Duration),
    /// The set-up window, until then.
    Window(Duration),
}

const WINDOW: Duration = Duration::from_secs(5);
const BOOT: Duration = Duration::from_secs(30);

impl Gm1 {
    pub(crate) fn new(ways: Ways) -> Self {
        let dump = [
            ("CIPCFG", "1, 45, 0, 100, 10, 1800"),
            ("CIPPACK", "0, \"31313131\",1"),
            ("CIPPACK", "1, \"31303031\" , 0"),
            ("CSTT", "\"uninet\", \"me\", \"s3cret\""),
            ("CIPNUM", "13912345678"),
            ("CIPSTART", "1,\"TCP\", \"meters.example.com\",10101, 1"),
            ("CIPSTART", "2,\"UDP\", \"usrcn.gicp.net\",10102, 1"),
            ("CIPSTART", "3,\"TCP\", \"usrcn.gicp.net\",10103, 0"),
            ("CIPSTART", "4,\"TCP\", \"usrcn.gicp.net\",10104, 0"),
            ("CIMOD", "0"),
            ("CINETAT", "0"),
            ("CICOMAT", "1"),
            ("CINETPT", "1,8234"),
            ("CINETPT", "2,0"),
            ("CINETPT", "3,0"),
            ("CINETPT", "4,0"),
        ];
        let split = |text: &str| text.split(',').map(|part| part.trim().to_owned()).collect();
        Self {
            ways,
            now: Duration::ZERO,
            out: VecDeque::new(),
            state: State::Data,
            typed: Vec::new(),
            last_byte: Duration::ZERO,
            dump: dump
                .into_iter()
                .map(|(name, values)| (name.to_owned(), split(values)))
                .collect(),
            line: vec![("CIPR".into(), "9600".into()), ("ICF".into(), "3,3".into())],
            http: "\"/1.php?\"".to_owned(),
            data: Vec::new(),
            baud: 115_200,
            restarts: 0,
            saves: 0,
        }
    }

    /// Somebody switches it off and on.
    pub(crate) fn power_cycled(mut self) -> Self {
        self.restart();
        self.restarts = 0;
        self
    }

    pub(crate) fn dumped(&self, name: &str) -> Vec<String> {
        let own = self.dump.iter().filter(|(own, _)| own == name);
        own.map(|(_, values)| values.join(",")).collect()
    }

    fn say(&mut self, text: &str, after: Duration) {
        if self.ways.dead {
            return;
        }
        let at = self.now + after;
        for byte in text.bytes() {
            let byte = if self.ways.other_rate {
                byte.wrapping_mul(37) | 0x80
            } else {
                byte
            };
            self.out.push_back((at, byte));
        }
    }

    fn say_line(&mut self, line: &str) {
        let line = if self.ways.no_blanks {
            line.replace(' ', "")
        } else {
            line.to_owned()
        };
        let end = if self.ways.double_ends {
            "\r\n\r\n"
        } else {
            "\r\n"
        };
        self.say(&format!("{end}{line}{end}"), Duration::from_millis(40));
    }

    fn say_ok(&mut self, reads: bool) {
        if !(reads && self.ways.no_result_codes) {
            self.say_line("OK");
        }
    }

    fn restart(&mut self) {
        self.restarts += 1;
        self.ways.no_escape |= self.ways.loses_escape;
        self.state = State::Off(self.now + BOOT);
        let (_, greeting) = self.ways.named.unwrap_or(("", "USR-GPRS232-DTU"));
        if self.ways.dies {
            self.state = State::Off(Duration::MAX);
        } else {
            self.say(&format!("\r\n{greeting}\r\n"), BOOT);
        }
    }

    fn tick(&mut self) {
        match self.state {
            State::Off(until) if self.now >= until => self.state = State::Window(until + WINDOW),
            State::Window(until) if self.now >= until => {
                self.state = if self.ways.commands_alone {
                    State::Command
                } else {
                    State::Data
                };
            }
            State::Data | State::Asked | State::Command | State::Off(_) | State::Window(_) => {}
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.tick();
        if self.ways.dead || self.ways.other_rate {
            if self.ways.other_rate {
                self.say("?", Duration::from_millis(10));
            }
            return;
        }
        let silence = self.now - self.last_byte;
        self.last_byte = self.now;
        match self.state {
            State::Off(_) => {}
            State::Data
                if bytes == b"+++"
                    && silence > Duration::from_millis(200)
                    && !self.ways.no_escape =>
            {
                self.state = State::Asked;
                self.say("a", Duration::from_millis(300));
            }
            State::Asked if bytes == b"a" => {
                self.state = State::Command;
                self.say("\r\n+ok\r\n", Duration::from_millis(20));
            }
            State::Data | State::Asked => {
                self.state = State::Data;
                self.data.extend_from_slice(bytes);
            }
            State::Command if bytes == b"+++" && self.ways.escapes_anywhere => {
                self.state = State::Asked;
                self.say("a", Duration::from_millis(300));
            }
            State::Command | State::Window(_) => self.type_in(bytes),
        }
    }

    fn type_in(&mut self, bytes: &[u8]) {
        if self.ways.echo {
            let echo = String::from_utf8_lossy(bytes).into_owned();
            self.say(&echo, Duration::ZERO);
        }
        for byte in bytes {
            if *byte == b'\r' {
                let line = String::from_utf8(std::mem::take(&mut self.typed)).unwrap();
                self.run(line.trim_start_matches('+'));
            } else {
                self.typed.push(*byte);
            }
        }
    }

    fn run(&mut self, line: &str) {
        match line {
            "AT" => self.say_ok(false),
            "ATW" if self.ways.most_saves.is_some_and(|most| self.saves >= most) => {
                self.say_line("ERROR");
            }
            "ATW" => {
                self.saves += 1;
                self.say_ok(false);
            }
            "AT+CIRESET" if self.ways.no_restart => {
                self.say_line("ERROR");
                // A line that has nothing to do with it.
                self.say("\r\n+CIEV: 1\r\n", Duration::from_secs(2));
            }
            "AT+CIRESET" if self.ways.stays_and_says.is_some() => {
                let text = format!("\r\n{}\r\n", self.ways.stays_and_says.unwrap_or_default());
                self.say(&text, Duration::from_secs(7));
            }
            "AT+CIRESET" => {
                if !self.ways.restarts_in_silence {
                    self.say_ok(false);
                }
                self.restart();
            }
            "AT+CIMODID?" if self.ways.named.is_some() => {
                let (name, _) = self.ways.named.unwrap_or_default();
                self.say_line(&format!("+CIMODID:\"{name}\""));
                self.say_ok(true);
            }
            "AT+CIMODID?" if self.ways.tells_its_name => {
                self.say_line("+CIMODID: \"USR-GPRS232-DTU\"");
                self.say_ok(true);
            }
            "AT+ENTM" => {
                self.say_ok(false);
                self.state = State::Data;
            }
            "AT+CIPSCONT?" => {
                for (name, mut values) in self.dump.clone() {
                    if self.ways.short_dump && name == "CIPCFG" {
                        values.truncate(3);
                    }
                    self.say_line(&format!("+{name}: {}", values.join(", ")));
                }
                self.say_ok(true);
            }
            _ => self.run_other(line),
        }
    }

    fn has_http(&self) -> bool {
        self.ways.http_in_its_mode && self.dumped("CIMOD") == ["3"]
    }

    fn run_other(&mut self, line: &str) {
        if let Some(seconds) = line.strip_prefix("AT+CIOPTIME=") {
            let seconds = Duration::from_secs(seconds.parse().unwrap());
            if let State::Window(_) = self.state {
                self.state = State::Window(self.now + seconds);
            }
            return self.say_ok(false);
        }
        let Some(body) = line.strip_prefix("AT+") else {
            return self.say_line("ERROR");
        };
        if body == "HTPURL?" && self.has_http() {
            let text = format!("+HTPURL: {}", self.http);
            self.say_line(&text);
            return self.say_ok(true);
        }
        if body == "CIPCFG?" && self.ways.short_dump {
            let text = format!("+CIPCFG: {}", self.dumped("CIPCFG")[0]);
            self.say_line(&text);
            return self.say_ok(true);
        }
        if let Some(name) = body.strip_suffix('?') {
            return match self.line.iter().find(|(own, _)| own == name) {
                Some((_, value)) => {
                    let text = format!("+{name}: {value}");
                    self.say_line(&text);
                    self.say_ok(true);
                }
                None => self.say_line("ERROR"),
            };
        }
        let Some((name, values)) = body.split_once('=') else {
            return self.say_line("ERROR");
        };
        let values: Vec<String> = values
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        if let Some((_, value)) = self.line.iter_mut().find(|(own, _)| own == name) {
            *value = values.join(",");
            return self.say_ok(false);
        }
        let name = if name == "CIPSCONT" { "CIPSTART" } else { name };
        let is_it = |(own, old): &&mut (String, Vec<String>)| {
            let several = ["CIPPACK", "CIPSTART", "CINETPT"].contains(&name);
            own == name && (!several || old[0] == values[0])
        };
        let has_http = self.has_http();
        let known = self.dump.iter_mut().find(is_it);
        match known {
            Some((_, old)) => {
                *old = values;
                self.say_ok(false);
            }
            None if name == "CIPSW" => self.say_ok(false),
            None if name == "HTPURL" && has_http => {
                self.http = values.join(",");
                self.say_ok(false);
            }
            None => self.say_line("ERROR"),
        }
    }
}

impl Port for Gm1 {
    fn now(&self) -> Duration {
        self.now
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.take(bytes);
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], until: Duration) -> io::Result<usize> {
        if let Some((at, _)) = self.out.front()
            && *at <= until
        {
            self.now = self.now.max(*at);
            self.tick();
            let mut count = 0;
            while count < buffer.len()
                && let Some((at, byte)) = self.out.front()
                && *at <= self.now
            {
                buffer[count] = *byte;
                count += 1;
                self.out.pop_front();
            }
            return Ok(count);
        }
        self.now = self.now.max(until);
        self.tick();
        Ok(0)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.baud = baud;
        Ok(())
    }

    fn baud(&self) -> u32 {
        self.baud
    }
}
