//! The values of one command, as they were typed and read.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::param::{Param, Value};
use super::parse::Arg;
use super::reply::{Code, Error};
use crate::config::{Charset, Role};
use crate::ids::LinkId;
use crate::sms;

/// What stood behind the name of a command.
pub(super) struct Values {
    /// Of the command.
    pub(super) name: &'static str,
    params: &'static [Param],
    values: Vec<Value>,
    quoted: Vec<bool>,
    /// What text is typed in.
    charset: Charset,
}

impl Values {
    /// Reads a value for each parameter, or says what is wrong with the first that does not fit.
    pub(super) fn read(
        name: &'static str,
        params: &'static [Param],
        args: &[Arg],
        charset: Charset,
    ) -> Result<Self, Error> {
        let wrong = |text: String| {
            Error::new(
                Code::IncorrectParameters,
                format!("{}: {text}", label(name)),
            )
        };
        if args.len() > params.len() {
            return Err(wrong(too_many(params, args.len())));
        }
        let read = |(place, param): (usize, &Param)| param.read(args.get(place)).map_err(wrong);
        Ok(Self {
            name,
            params,
            values: params
                .iter()
                .enumerate()
                .map(read)
                .collect::<Result<_, _>>()?,
            quoted: args.iter().map(|arg| arg.quoted).collect(),
            charset,
        })
    }

    /// The text of a value.
    pub(super) fn typed_text(&self, place: usize) -> Result<String, Error> {
        let (charset, name) = (self.charset, self.params[place].name);
        // mutant: name-charset
        let text = sms::from_serial(&self.bytes(place)?, charset);
        text.ok_or_else(|| {
            let charset = if charset == Charset::Gbk {
                "GBK"
            } else {
                "UTF-8"
            };
            // Good UTF-8 is refused as GBK only.
            let cure = match core::str::from_utf8(&self.bytes(place).unwrap_or_default()) {
                Ok(_) => "; UTF-8 wants serial.charset = \"utf-8\" in the settings file",
                Err(_) => "",
            };
            self.refuse(
                Code::IncorrectParameters,
                &format!("{name} must be text in {charset}{cure}"),
            )
        })
    }

    /// The command is not possible now, for this reason.
    pub(super) fn refuse(&self, code: Code, why: &str) -> Error {
        Error::new(code, format!("{}: {why}", label(self.name)))
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

    /// Table and handler disagree; the test of all factory values finds that.
    fn mismatch(&self, place: usize) -> Error {
        self.refuse(
            Code::NotSupported,
            &format!("the table is wrong about parameter {}", place + 1),
        )
    }
}

/// What people call a command in an error: `CIPCFG`, `ATE`.
pub(super) fn label(name: &str) -> String {
    match name.strip_prefix('+') {
        Some(name) => String::from(name),
        None => String::from("AT") + name,
    }
}

fn too_many(params: &[Param], came: usize) -> String {
    let wanted = params.len();
    let names: Vec<&str> = params.iter().map(|param| param.name).collect();
    let names = names.join(",");
    let plural = if wanted == 1 { "" } else { "s" };
    format!(
        "takes {wanted} parameter{plural} ({names}), got {came}; a value with a comma needs quotes"
    )
}
