//! Registration, operator, signal, cells, packet data: 27.007 7, 8.5, 10.1.

use dtu_proto::radio::Registration;
use dtu_proto::time::{Duration, Instant};

use super::at_modem::AtModem;
use super::parse::{Args, Form};
use super::reply::{End, Reply};
use super::setup::Dialect;

/// How long a scan takes.
const SCAN: Duration = Duration::from_secs(2);

impl AtModem {
    pub(super) fn network(&mut self, name: &str, form: &Form, now: Instant) -> Option<Reply> {
        Some(match name {
            "+CREG" | "+CGREG" | "+CEREG" => self.registration(name, form),
            "+COPS" => self.operator(form, now),
            "+CSQ" => match form {
                Form::Test => Reply::line("+CSQ: (0-31,99),(0-7,99)"),
                Form::Run(_) => {
                    let signal = self.view.signal;
                    Reply::line(format!("+CSQ: {},{}", signal.strength, signal.error_rate))
                }
                Form::Read | Form::Set(_) => Reply::error(),
            },
            "+CGATT" => self.attach(form),
            "+CGDCONT" => self.contexts(form),
            "+CGACT" => self.activate(form),
            "+CGPADDR" => self.addresses(form),
            "+CENG" if self.setup.dialect == Dialect::Sim800 => self.sim800_cell(form),
            "+QENG" if self.setup.dialect == Dialect::Ec2x => self.ec2x_cell(form),
            "+QNWINFO" if self.setup.dialect == Dialect::Ec2x => self.ec2x_network(),
            _ => return None,
        })
    }

    /// Area and cell in hex, and the technology where the dialect has one.
    pub(super) fn cell_text(&self, name: &str) -> Option<String> {
        let cell = self.view.cell?;
        let technology = self.setup.dialect.technology();
        let last = if technology > 0 || name == "+CEREG" {
            format!(",{technology}")
        } else {
            String::new()
        };
        Some(format!("\"{:04X}\",\"{:04X}\"{last}", cell.area, cell.id))
    }

    fn registration(&mut self, name: &str, form: &Form) -> Reply {
        let cell = self.cell_text(name);
        let shown = if self.lock_is_open() {
            self.view.registration
        } else {
            Registration::NotRegistered
        };
        let mode = match name {
            "+CREG" => &mut self.settings.creg,
            "+CGREG" => &mut self.settings.cgreg,
            _ => &mut self.settings.cereg,
        };
        match form {
            Form::Test => Reply::line(format!("{name}: (0-2)")),
            Form::Run(_) => Reply::error(),
            Form::Set(args) => match args.small(0, 0, 2) {
                Some(wanted) => {
                    *mode = wanted;
                    Reply::ok()
                }
                None => Reply::end(End::Cme(50)),
            },
            Form::Read => {
                let line = format!("{name}: {mode},{}", shown.number());
                match cell.filter(|_| *mode == 2 && shown.is_registered()) {
                    Some(cell) => Reply::line(format!("{line},{cell}")),
                    None => Reply::line(line),
                }
            }
        }
    }

    fn operator(&mut self, form: &Form, _now: Instant) -> Reply {
        match form {
            Form::Read => Reply::line(self.operator_line()),
            Form::Test => {
                let list = self
                    .view
                    .operator
                    .as_ref()
                    .map_or(String::new(), |operator| {
                        format!(
                            "(2,\"{}\",\"{}\",\"{}\"),",
                            operator.name,
                            short(&operator.name),
                            operator.code
                        )
                    });
                let lines = vec![format!("+COPS: {list},(0,1,2,3,4),(0,1,2)")];
                Reply {
                    lines,
                    end: End::After(SCAN),
                }
            }
            Form::Run(_) => Reply::error(),
            Form::Set(args) => self.select_operator(args),
        }
    }

    fn select_operator(&mut self, args: &Args) -> Reply {
        let (Some(mode), Some(format)) = (
            args.small(0, 0, 4),
            args.small(1, self.settings.operator_format, 2),
        ) else {
            return Reply::end(End::Cme(50));
        };
        self.settings.operator_format = format;
        let wanted = args.text(2);
        match (mode, &self.view.operator) {
            (3, _) | (0 | 2 | 4, _) => Reply::ok(),
            (_, Some(operator)) if wanted == operator.name || wanted == operator.code => {
                Reply::ok()
            }
            _ => Reply::end(End::Cme(Reply::NO_NETWORK)),
        }
    }

    fn operator_line(&self) -> String {
        let format = self.settings.operator_format;
        let Some(operator) = self.view.operator.as_ref().filter(|_| self.is_registered()) else {
            return "+COPS: 0".to_owned();
        };
        let name = match format {
            0 => operator.name.clone(),
            1 => short(&operator.name),
            _ => operator.code.clone(),
        };
        let technology = match self.setup.dialect.technology() {
            0 => String::new(),
            technology => format!(",{technology}"),
        };
        format!("+COPS: 0,{format},\"{name}\"{technology}")
    }

    fn attach(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => Reply::line(format!("+CGATT: {}", u8::from(self.is_registered()))),
            Form::Test => Reply::line("+CGATT: (0,1)"),
            Form::Set(args) if args.small(0, 1, 1) == Some(1) && !self.is_registered() => {
                Reply::end(End::Cme(Reply::NO_NETWORK))
            }
            Form::Set(args) if args.small(0, 1, 1).is_some() => Reply::ok(),
            Form::Set(_) | Form::Run(_) => Reply::error(),
        }
    }

    fn contexts(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => {
                let all = self.settings.contexts.iter();
                let line = |(number, (kind, apn)): (&u8, &(String, String))| {
                    format!("+CGDCONT: {number},\"{kind}\",\"{apn}\",\"\",0,0")
                };
                Reply::lines(all.map(line).collect())
            }
            Form::Test => Reply::lines(
                ["IP", "IPV6", "IPV4V6"]
                    .map(|kind| format!("+CGDCONT: (1-15),\"{kind}\",,,(0,1),(0,1)"))
                    .to_vec(),
            ),
            Form::Run(_) => Reply::error(),
            Form::Set(args) => self.set_context(args),
        }
    }

    fn set_context(&mut self, args: &Args) -> Reply {
        let Some(number @ 1..) = args.small(0, 1, 15) else {
            return Reply::end(End::Cme(50));
        };
        if args.len() == 1 {
            self.settings.contexts.remove(&number);
            return Reply::ok();
        }
        if !["IP", "IPV6", "IPV4V6"].contains(&args.text(1)) {
            return Reply::end(End::Cme(50));
        }
        let context = (args.text(1).to_owned(), args.text(2).to_owned());
        self.settings.contexts.insert(number, context);
        Reply::ok()
    }

    fn activate(&mut self, form: &Form) -> Reply {
        match form {
            Form::Read => {
                let active = &self.settings.active;
                let line =
                    |number: &u8| format!("+CGACT: {number},{}", u8::from(active.contains(number)));
                Reply::lines(self.settings.contexts.keys().map(line).collect())
            }
            Form::Test => Reply::line("+CGACT: (0,1)"),
            Form::Run(_) => Reply::error(),
            Form::Set(args) => self.set_active(args),
        }
    }

    fn set_active(&mut self, args: &Args) -> Reply {
        let (Some(on), Some(number)) = (args.small(0, 1, 1), args.small(1, 1, 15)) else {
            return Reply::end(End::Cme(50));
        };
        self.settings.active.retain(|active| *active != number);
        if on == 0 {
            return Reply::ok();
        }
        if !self.is_registered() || !self.settings.contexts.contains_key(&number) {
            return Reply::end(End::Cme(Reply::NO_NETWORK));
        }
        self.settings.active.push(number);
        Reply::ok()
    }

    fn addresses(&self, form: &Form) -> Reply {
        let wanted = match form {
            Form::Set(args) => args.small(0, 0, 15),
            Form::Run(_) => Some(0),
            Form::Test => return Reply::line("+CGPADDR: (1-15)"),
            Form::Read => return Reply::error(),
        };
        let Some(wanted) = wanted else {
            return Reply::end(End::Cme(50));
        };
        let asked = self
            .settings
            .contexts
            .keys()
            .filter(|number| wanted == 0 || **number == wanted);
        let line = |number: &u8| {
            let active = self.settings.active.contains(number);
            format!(
                "+CGPADDR: {number},\"{}\"",
                if active {
                    format!("10.64.0.{}", number + 1)
                } else {
                    "0.0.0.0".into()
                }
            )
        };
        Reply::lines(asked.map(line).collect())
    }

    fn sim800_cell(&self, form: &Form) -> Reply {
        match (form, self.view.cell) {
            (Form::Set(_), _) => Reply::ok(),
            (Form::Read, Some(cell)) => {
                let strength = self.view.signal.strength;
                let code = self.code();
                let (mcc, mnc) = code.split_at(3.min(code.len()));
                Reply::lines(vec![
                    "+CENG: 3,0".to_owned(),
                    format!(
                        "+CENG: 0,\"{mcc},{mnc},{:04x},{:04x},26,{strength}\"",
                        cell.area, cell.id
                    ),
                ])
            }
            (Form::Read, None) => Reply::line("+CENG: 3,0"),
            (Form::Run(_) | Form::Test, _) => Reply::error(),
        }
    }

    fn ec2x_cell(&self, form: &Form) -> Reply {
        let Form::Set(args) = form else {
            return Reply::error();
        };
        if args.text(0) != "servingcell" {
            return Reply::end(End::Cme(50));
        }
        let Some(cell) = self.view.cell else {
            return Reply::line("+QENG: \"servingcell\",\"SEARCH\"");
        };
        let code = self.code();
        let (mcc, mnc) = code.split_at(3.min(code.len()));
        Reply::line(format!(
            "+QENG: \"servingcell\",\"NOCONN\",\"LTE\",\"FDD\",{mcc},{mnc},{:X},187,1650,3,5,5,{:X},-91,-10,-61,15,27",
            cell.id, cell.area
        ))
    }

    fn ec2x_network(&self) -> Reply {
        if !self.is_registered() {
            return Reply::line("+QNWINFO: No Service");
        }
        Reply::line(format!(
            "+QNWINFO: \"FDD LTE\",\"{}\",\"LTE BAND 3\",1650",
            self.code()
        ))
    }

    fn code(&self) -> String {
        self.view
            .operator
            .as_ref()
            .map_or_else(|| "00000".to_owned(), |operator| operator.code.clone())
    }
}

/// `China Mobile` is `CHN MOBI` on a phone; here its first eight letters.
fn short(name: &str) -> String {
    name.chars().filter(|c| *c != ' ').take(8).collect()
}
