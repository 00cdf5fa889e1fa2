//! Oddities of modems in the field, by name: `dtu-sim modem --odd cpms3,creg-0`.

use std::fmt;

use dtu_proto::time::Instant;

/// What a modem does that no specification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each says what it is: `words`")]
pub enum Oddity {
    Cpms3,
    CpmsOk,
    CpmsBusy,
    CmgfLate,
    CardLate,
    TextMode,
    TextOnly,
    Cnmi2,
    Cnmi0,
    CmgsLate,
    Cmgs500,
    Creg0,
    CregBare,
    CeregBlanks,
    CopsLines,
    CclkBare,
    CusdAmid,
    ClccEnds,
    ClccDrops,
    Silent,
    Refuses,
    Restarts,
}

impl Oddity {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Cpms3,
        Self::CpmsOk,
        Self::CpmsBusy,
        Self::CmgfLate,
        Self::CardLate,
        Self::TextMode,
        Self::TextOnly,
        Self::Cnmi2,
        Self::Cnmi0,
        Self::CmgsLate,
        Self::Cmgs500,
        Self::Creg0,
        Self::CregBare,
        Self::CeregBlanks,
        Self::CopsLines,
        Self::CclkBare,
        Self::CusdAmid,
        Self::ClccEnds,
        Self::ClccDrops,
        Self::Silent,
        Self::Refuses,
        Self::Restarts,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// What the modem does.
    #[must_use]
    pub const fn words(self) -> &'static str {
        self.entry().1
    }

    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::Cpms3 => ("cpms3", "AT+CPMS wants all three storages"),
            Self::CpmsOk => ("cpms-ok", "AT+CPMS=… is answered by a bare OK"),
            Self::CpmsBusy => (
                "cpms-515",
                "every other AT+CPMS=… is refused with +CME ERROR: 515",
            ),
            Self::CmgfLate => (
                "cmgf-late",
                "AT+CMGF=0 is refused for 20 s after power-on: ERROR, CME 3, CMS 302",
            ),
            Self::CardLate => (
                "card-late",
                "AT+CSCA? and AT+CNUM say SIM busy (14) for 20 s after power-on",
            ),
            Self::TextMode => (
                "text-mode",
                "text mode at power-on, and again after every fourth AT+CMGD",
            ),
            Self::TextOnly => ("text-only", "AT+CMGF=0 says OK, and text mode stays"),
            Self::Cnmi2 => (
                "cnmi-2",
                "AT+CNMI knows ds 0 and 2 only: reports are stored, +CDSI",
            ),
            Self::Cnmi0 => ("cnmi-0", "AT+CNMI knows ds 0 only: no reports"),
            Self::CmgsLate => (
                "cmgs-late",
                "the first two AT+CMGS after power-on: +CMS ERROR: 302",
            ),
            Self::Cmgs500 => ("cmgs-500", "every AT+CMGS: +CMS ERROR: 500"),
            Self::Creg0 => (
                "creg-0",
                "AT+CREG=2 says OK, AT+CREG? shows 0, and nothing is told",
            ),
            Self::CregBare => ("creg-bare", "area and cell without quotes"),
            Self::CeregBlanks => (
                "cereg-blanks",
                "+CEREG with blanks and a routing area in front of the cell",
            ),
            Self::CopsLines => (
                "cops-crlf",
                "the operator's name has CR CR LF in its quotes",
            ),
            Self::CclkBare => ("cclk-bare", "+CCLK without quotes"),
            Self::CusdAmid => (
                "cusd-amid",
                "a +CUSD of three lines in the middle of AT+CGMI",
            ),
            Self::ClccEnds => (
                "clcc-ends",
                "AT+CLCC ends a call that is being dialled: NO CARRIER",
            ),
            Self::ClccDrops => ("clcc-drops", "the same, without NO CARRIER"),
            Self::Silent => ("silent", "hears nothing from 60 s to 5 min after power-on"),
            Self::Refuses => ("refuses", "ERROR to everything but AT"),
            Self::Restarts => ("restarts", "restarts at every 40th command"),
        }
    }
}

/// Some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities(u32);

impl Oddities {
    /// Reads names with commas between them.
    ///
    /// # Errors
    /// A text for the user with all the names.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut odd = Self::default();
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            let named = Oddity::ALL.into_iter().find(|oddity| oddity.name() == name);
            odd =
                odd.with(named.ok_or_else(|| {
                    format!("\"{name}\" is no oddity; there are:\n{}", Self::list())
                })?);
        }
        Ok(odd)
    }

    /// Names and words, one a line.
    #[must_use]
    pub fn list() -> String {
        let line = |oddity: Oddity| format!("  {:<13} {}", oddity.name(), oddity.words());
        Oddity::ALL.map(line).join("\n")
    }

    /// These and that one.
    #[must_use]
    pub const fn with(self, oddity: Oddity) -> Self {
        Self(self.0 | 1 << oddity as u32)
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn has(self, oddity: Oddity) -> bool {
        self.0 >> oddity as u32 & 1 == 1
    }
}

impl fmt::Display for Oddities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Oddity::ALL
            .into_iter()
            .filter(|odd| self.has(*odd))
            .map(Oddity::name)
            .collect();
        f.write_str(&names.join(","))
    }
}

/// What has happened since power-on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OddState {
    pub(super) since: Option<Instant>,
    pub(super) commands: u32,
    pub(super) deleted: u32,
    pub(super) storages: u32,
    pub(super) sent: u32,
    pub(super) modes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oddities_have_names_and_a_wrong_one_lists_them_all() {
        let odd = Oddities::parse("cpms3, creg-0").unwrap();
        assert!(odd.has(Oddity::Cpms3) && odd.has(Oddity::Creg0) && !odd.has(Oddity::Silent));
        assert_eq!(odd.to_string(), "cpms3,creg-0");
        let wrong = Oddities::parse("cpms3,nonsense").unwrap_err();
        assert!(wrong.starts_with("\"nonsense\" is no oddity"), "{wrong}");
        assert!(
            Oddity::ALL
                .iter()
                .all(|oddity| wrong.contains(oddity.name())),
            "{wrong}"
        );
    }

    #[test]
    fn m_the_page_lists_each_oddity() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/radio.md");
        let page = std::fs::read_to_string(page).unwrap();
        let row = |oddity: Oddity| format!("| `{}` | {} |\n", oddity.name(), oddity.words());
        let table: String = Oddity::ALL.map(row).concat();
        assert!(
            page.contains(&table),
            "docs/radio.md has no table as this:\n{table}"
        );
    }
}
