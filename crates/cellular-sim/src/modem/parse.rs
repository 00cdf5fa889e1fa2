//! Command lines taken apart: ITU-T V.250 5.2 and 5.4.

/// One command of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// `+CMGS`, `E`, `&F`, `S0`, `D`: upper case.
    pub(super) name: String,
    pub(super) form: Form,
}

/// What is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `AT+X`; for basic commands and `D` with what stands behind the letter.
    Run(String),
    /// `AT+X?`
    Read,
    /// `AT+X=?`
    Test,
    /// `AT+X=…`
    Set(Args),
}

/// Values of a set command, without quotes. A value that is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Args(pub(super) Vec<String>);

impl Args {
    fn parse(text: &str) -> Self {
        Self(
            split(text, ',')
                .map(|value| value.trim().trim_matches('"').to_owned())
                .collect(),
        )
    }

    pub(super) fn text(&self, place: usize) -> &str {
        self.0.get(place).map_or("", String::as_str)
    }

    pub(super) fn has(&self, place: usize) -> bool {
        !self.text(place).is_empty()
    }

    /// The number at that place; `otherwise` where nothing stands; `None` if it is none.
    pub(super) fn number(&self, place: usize, otherwise: u32) -> Option<u32> {
        if self.has(place) {
            self.text(place).parse().ok()
        } else {
            Some(otherwise)
        }
    }

    /// The same, and at most `most`.
    pub(super) fn small(&self, place: usize, otherwise: u8, most: u8) -> Option<u8> {
        let number = self.number(place, otherwise.into())?;
        u8::try_from(number).ok().filter(|number| *number <= most)
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// The commands behind `AT`; `None` where the line is none at all.
pub(super) fn commands(line: &str) -> Option<Vec<Command>> {
    let start = line.to_ascii_uppercase().find("AT")?;
    let mut rest = line.get(start + 2..)?.trim();
    let mut commands = Vec::new();
    while !rest.is_empty() {
        let (command, behind) = if rest.starts_with(['+', '*', '^', '$', '%', '#']) {
            extended(rest)
        } else {
            basic(rest)
        };
        commands.push(command);
        rest = behind.trim_start_matches([';', ' ']);
    }
    Some(commands)
}

fn extended(text: &str) -> (Command, &str) {
    let whole = split(text, ';').next().unwrap_or(text);
    let behind = text.get(whole.len()..).unwrap_or("");
    let at = whole.find(['=', '?']).unwrap_or(whole.len());
    let (name, form) = whole.split_at(at);
    let form = match form.trim_end() {
        "" => Form::Run(String::new()),
        "?" => Form::Read,
        "=?" => Form::Test,
        set => Form::Set(Args::parse(set.get(1..).unwrap_or(""))),
    };
    (
        Command {
            name: name.trim().to_ascii_uppercase(),
            form,
        },
        behind,
    )
}

fn basic(text: &str) -> (Command, &str) {
    let letters = usize::from(text.starts_with(['&', '\\']))
        + text
            .chars()
            .nth(text.starts_with(['&', '\\']).into())
            .map_or(0, char::len_utf8);
    let (name, rest) = text.split_at(letters.min(text.len()));
    let name = name.to_ascii_uppercase();
    if name == "D" {
        let end = rest.find(';').map_or(rest.len(), |at| at + 1);
        let (number, behind) = rest.split_at(end);
        return (
            Command {
                name,
                form: Form::Run(number.to_owned()),
            },
            behind,
        );
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, behind) = rest.split_at(digits);
    if name == "S" {
        return register(number, behind);
    }
    (
        Command {
            name,
            form: Form::Run(number.to_owned()),
        },
        behind,
    )
}

/// `S0=2`, `S0?`.
fn register<'a>(number: &str, behind: &'a str) -> (Command, &'a str) {
    let name = format!("S{number}");
    if let Some(behind) = behind.strip_prefix('?') {
        return (
            Command {
                name,
                form: Form::Read,
            },
            behind,
        );
    }
    let value = behind.strip_prefix('=').unwrap_or(behind);
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (value, behind) = value.split_at(digits);
    (
        Command {
            name,
            form: Form::Set(Args(vec![value.to_owned()])),
        },
        behind,
    )
}

/// Pieces between separators that do not stand in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        let show = |command: Command| match command.form {
            Form::Run(text) => format!("{}{text}", command.name),
            Form::Read => format!("{}?", command.name),
            Form::Test => format!("{}=?", command.name),
            Form::Set(args) => format!("{}={}", command.name, args.0.join("|")),
        };
        commands(line).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn glued_and_joined_commands_come_apart() {
        assert_eq!(
            names("ATQ0 V1 E1 S0=0 &C1"),
            ["Q0", "V1", "E1", "S0=0", "&C1"]
        );
        assert_eq!(names("atE0V1+CMEE=1;X0"), ["E0", "V1", "+CMEE=1", "X0"]);
        assert_eq!(names("AT+COPS=3,2;+COPS?"), ["+COPS=3|2", "+COPS?"]);
        assert_eq!(names("ATD+8613912345678;"), ["D+8613912345678;"]);
        assert_eq!(names("AT+CMGS=\"+86;139\",145"), ["+CMGS=+86;139|145"]);
        assert_eq!(names("AT+CPMS=\"SM\", ,\"ME\""), ["+CPMS=SM||ME"]);
        assert_eq!(names("AT"), [""; 0]);
    }

    #[test]
    fn what_has_no_at_is_no_line() {
        assert_eq!(commands("\u{1b}"), None);
        assert_eq!(commands("+CSQ"), None);
        assert_eq!(names("\u{1b}AT+CSQ=?"), ["+CSQ=?"]);
    }
}
