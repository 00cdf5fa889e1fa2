//! One command being run: its values, what it answers, and what it asks of the device.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::param::{Param, Value};
use super::parse::{Arg, Form, Piece};
use super::reply::{Code, Error, Shown};
use super::table::{self, Command};
use super::{Context, Effect, Prompt, Rights, SlowCommand};
use crate::config::{Charset, Role};
use crate::event::{LinkId, Origin};
use crate::sms;

/// What a handler works on.
pub(super) struct Call<'c, 'x> {
    pub(super) command: &'static Command,
    pub(super) ctx: &'c mut Context<'x>,
    values: Vec<Value>,
    quoted: Vec<bool>,
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) effects: Vec<Effect>,
    pub(super) slow: Option<SlowCommand>,
    /// The command wants a text.
    pub(super) prompt: Option<Prompt>,
}

impl<'c, 'x> Call<'c, 'x> {
    /// Finds the command, checks form and rights, reads the values and runs it. `Err` means: nothing happened.
    pub(super) fn run(piece: &Piece, ctx: &'c mut Context<'x>) -> Result<Self, Error> {
        let command = lookup(piece)?;
        check_rights(command, piece.form, ctx.rights)?;
        let handler = command
            .handler(piece.form)
            .ok_or_else(|| wrong_form(command))?;
        let values = match piece.form {
            Form::Set => read_values(command, &piece.args)?,
            Form::Run if !command.is_extended() => read_values(command, &piece.args)?,
            Form::Run | Form::Read | Form::Test => Vec::new(),
        };
        let quoted = piece.args.iter().map(|arg| arg.quoted).collect();
        let mut call = Self {
            command,
            ctx,
            values,
            quoted,
            lines: Vec::new(),
            effects: Vec::new(),
            slow: None,
            prompt: None,
        };
        handler(&mut call)?;
        Ok(call)
    }

    /// A line of information text.
    pub(super) fn say(&mut self, line: String) {
        self.lines.push(line.into_bytes());
    }

    pub(super) fn say_all(&mut self, lines: impl IntoIterator<Item = String>) {
        self.lines.extend(lines.into_iter().map(String::into_bytes));
    }

    /// A line with text of people: in the charset of the serial line, but for phones and the console.
    pub(super) fn say_text(&mut self, line: &str) {
        self.lines.push(sms::to_serial(line, self.charset()));
    }

    /// What text is typed in, and shown.
    pub(super) const fn charset(&self) -> Charset {
        match self.ctx.origin {
            Origin::Serial | Origin::SerialFrame | Origin::Link(_) => self.ctx.options.charset,
            Origin::Sms(_) | Origin::Console => Charset::Utf8,
        }
    }

    /// The text of a value.
    pub(super) fn typed_text(&self, place: usize) -> Result<String, Error> {
        let (charset, name) = (self.charset(), self.command.params[place].name);
        // mutant: name-charset
        let text = sms::from_serial(&self.bytes(place)?, charset);
        text.ok_or_else(|| {
            let charset = if charset == Charset::Gbk {
                "GBK"
            } else {
                "UTF-8"
            };
            let cure = match core::str::from_utf8(&self.bytes(place).unwrap_or_default()) {
                Ok(_) if charset == "GBK" => {
                    "; UTF-8 wants serial.charset = \"utf-8\" in the settings file"
                }
                Ok(_) | Err(_) => "",
            };
            self.refuse(
                Code::IncorrectParameters,
                &format!("{name} must be text in {charset}{cure}"),
            )
        })
    }

    /// The command is not possible now, for this reason.
    pub(super) fn refuse(&self, code: Code, why: &str) -> Error {
        Error::new(code, format!("{}: {why}", self.command.label()))
    }

    pub(super) fn number(&self, place: usize) -> Result<u32, Error> {
        match self.values.get(place) {
            Some(Value::Number(number)) => Ok(*number),
            Some(Value::Text(_) | Value::Bytes(_) | Value::Role(_)) | None => {
                Err(self.mismatch(place))
            }
        }
    }

    /// Whether the value was typed between quotes.
    pub(super) fn is_quoted(&self, place: usize) -> bool {
        self.quoted.get(place) == Some(&true)
    }

    pub(super) fn narrow<T: TryFrom<u32>>(&self, place: usize) -> Result<T, Error> {
        T::try_from(self.number(place)?).map_err(|_| self.mismatch(place))
    }

    pub(super) fn flag(&self, place: usize) -> Result<bool, Error> {
        Ok(self.number(place)? == 1)
    }

    pub(super) fn link(&self, place: usize) -> Result<LinkId, Error> {
        LinkId::from_number(self.narrow(place)?).ok_or_else(|| self.mismatch(place))
    }

    pub(super) fn text(&self, place: usize) -> Result<String, Error> {
        match self.values.get(place) {
            Some(Value::Text(text)) => Ok(text.clone()),
            Some(Value::Number(_) | Value::Bytes(_) | Value::Role(_)) | None => {
                Err(self.mismatch(place))
            }
        }
    }

    pub(super) fn bytes(&self, place: usize) -> Result<Vec<u8>, Error> {
        match self.values.get(place) {
            Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
            Some(Value::Number(_) | Value::Text(_) | Value::Role(_)) | None => {
                Err(self.mismatch(place))
            }
        }
    }

    pub(super) fn role(&self, place: usize) -> Result<Role, Error> {
        match self.values.get(place) {
            Some(Value::Role(role)) => Ok(*role),
            Some(Value::Number(_) | Value::Text(_) | Value::Bytes(_)) | None => {
                Err(self.mismatch(place))
            }
        }
    }

    /// The text, unless it is a secret and the reply goes over a network.
    pub(super) fn secret<'s>(&self, text: &'s str) -> &'s str {
        if matches!(self.ctx.origin, Origin::Link(_) | Origin::Sms(_)) && !text.is_empty() {
            HIDDEN
        } else {
            text
        }
    }

    /// Table and handler disagree; the test of all factory values finds that.
    fn mismatch(&self, place: usize) -> Error {
        self.refuse(
            Code::NotSupported,
            &format!("the table is wrong about parameter {}", place + 1),
        )
    }
}

fn lookup(piece: &Piece) -> Result<&'static Command, Error> {
    let command = table::find(&piece.name).ok_or_else(|| unknown(&piece.name))?;
    match command.missing {
        Some(missing) => Err(Error::new(
            Code::NotSupported,
            format!("{}: {}", command.label(), missing.text()),
        )),
        None => Ok(command),
    }
}

fn unknown(name: &str) -> Error {
    let typed = format!("AT{name}");
    Error::new(
        Code::NotSupported,
        format!(
            "{}: unknown command; AT+HELP lists them",
            Shown(typed.as_bytes())
        ),
    )
}

fn check_rights(command: &Command, form: Form, rights: Rights) -> Result<(), Error> {
    if rights == Rights::Full || command.is_open(form) {
        return Ok(());
    }
    let label = command.label();
    let text =
        format!("{label}: factory password: set a new one at the serial line first (AT+CIPSW)");
    Err(Error::new(Code::NotAllowed, text))
}

fn wrong_form(command: &Command) -> Error {
    let text = format!(
        "{}: must be written {}",
        command.label(),
        command.forms().join(" or ")
    );
    Error::new(Code::NotSupported, text)
}

fn read_values(command: &Command, args: &[Arg]) -> Result<Vec<Value>, Error> {
    let wrong = |text: String| {
        Error::new(
            Code::IncorrectParameters,
            format!("{}: {text}", command.label()),
        )
    };
    if args.len() > command.params.len() {
        return Err(wrong(too_many(command, args.len())));
    }
    let read = |(place, param): (usize, &Param)| param.read(args.get(place)).map_err(wrong);
    command.params.iter().enumerate().map(read).collect()
}

fn too_many(command: &Command, came: usize) -> String {
    let wanted = command.params.len();
    let names = command.parameter_names();
    let plural = if wanted == 1 { "" } else { "s" };
    format!(
        "takes {wanted} parameter{plural} ({names}), got {came}; a value with a comma needs quotes"
    )
}

/// `AT+X=?`
pub(super) fn test_form(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.say_all(test_text(call.command));
    Ok(())
}

/// The range text; a command without parameters only says OK (V.250 5.4.3.2).
pub(super) fn test_text(command: &Command) -> Option<String> {
    if let Some(ranges) = command.ranges {
        return Some(format!("{}: {ranges}", command.name));
    }
    if command.params.is_empty() {
        return None;
    }
    let ranges: Vec<String> = command
        .params
        .iter()
        .map(|param| param.kind.test_text())
        .collect();
    Some(format!("{}: {}", command.name, ranges.join(",")))
}

const HIDDEN: &str = "****";
