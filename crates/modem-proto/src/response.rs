//! What lines of the modem mean: final results, and the fields of information texts.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use dtu_proto::radio::{CallEnd, PhoneNumber, SubmitFailure};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Failed(Failure),
    /// `NO CARRIER`, `BUSY`, …: results of `ATD` and `ATA` only.
    Call(CallEnd),
    /// The modem did not say.
    TimedOut,
}

/// An answer with its information text.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) outcome: Outcome,
    pub(crate) lines: Vec<String>,
}

impl Response {
    pub(crate) fn is_ok(&self) -> bool {
        self.outcome == Outcome::Ok
    }

    /// The first line, without `+CMD:` and quotes.
    pub(crate) fn text(&self) -> Option<&str> {
        let line = self.lines.first().filter(|_| self.is_ok())?;
        let text = match line.split_once(':') {
            Some((head, text)) if head.starts_with('+') => text,
            _ => line,
        };
        Some(text.trim().trim_matches('"')).filter(|text| !text.is_empty())
    }

    /// The fields of the first line.
    pub(crate) fn fields(&self) -> Vec<Field<'_>> {
        self.lines
            .first()
            .map(|line| fields(line))
            .unwrap_or_default()
    }

    /// The 15 digits of an IMEI or IMSI (27.007 5.4, 5.6), wherever they stand.
    pub(crate) fn digits(&self) -> String {
        let text = self.text().unwrap_or_default();
        let is_number =
            (14..=17).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            text.into()
        } else {
            String::new()
        }
    }

    pub(crate) const fn failure(&self) -> Option<Failure> {
        match self.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Ok | Outcome::Call(_) | Outcome::TimedOut => None,
        }
    }
}

/// Why the modem refused a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// `ERROR`.
    Plain,
    /// `+CME ERROR`: 27.007 9.2.
    Cme(u16),
    /// `+CMS ERROR`: 27.005 3.2.5.
    Cms(u16),
}

impl Failure {
    /// Whether the SIM is the reason and the same command may succeed soon.
    pub(crate) const fn is_busy(self) -> bool {
        // 515: please wait, of SIMCom.
        matches!(self, Self::Cme(14 | 515) | Self::Cms(314 | 515))
    }

    /// Whether the card is the reason, ready soon or not.
    pub(crate) const fn is_sim_related(self) -> bool {
        self.is_busy() || matches!(self, Self::Cme(10..=13 | 15) | Self::Cms(310..=318))
    }

    /// Whether the modem has no such command (or says so): plain, "not allowed", "not supported", "invalid".
    pub(crate) const fn is_unknown_command(self) -> bool {
        matches!(
            self,
            Self::Plain | Self::Cme(3 | 4 | 50 | 58 | 100) | Self::Cms(302 | 303)
        )
    }

    /// In the numbers of messages: the kinds of 27.007 that have a twin there.
    pub(crate) const fn to_submit_failure(self) -> SubmitFailure {
        match self {
            Self::Cms(code) => SubmitFailure(code),
            Self::Cme(10) => SubmitFailure::NO_SIM,
            Self::Cme(code @ 11..=18) => SubmitFailure(code + 300),
            Self::Cme(30) => SubmitFailure::NO_NETWORK,
            Self::Cme(31) => SubmitFailure::TIMED_OUT,
            Self::Cme(_) | Self::Plain => SubmitFailure::UNKNOWN,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("ERROR"),
            Self::Cme(code) => write!(f, "+CME ERROR: {code}"),
            Self::Cms(code) => write!(f, "+CMS ERROR: {code}"),
        }
    }
}

/// The final result that a line is. `call`: the command was `ATD` or `ATA`.
pub(crate) fn final_result(line: &str, call: bool) -> Option<Outcome> {
    let failed = |failure| Some(Outcome::Failed(failure));
    if let Some(code) = line.strip_prefix("+CME ERROR:") {
        return failed(Failure::Cme(error_code(code)));
    }
    if let Some(code) = line.strip_prefix("+CMS ERROR:") {
        return failed(Failure::Cms(error_code(code)));
    }
    match line {
        "OK" => Some(Outcome::Ok),
        "ERROR"
        | "COMMAND NOT SUPPORT"
        | "COMMAND NOT SUPPORTED"
        | "TOO MANY PARAMETERS"
        | "ABORTED" => failed(Failure::Plain),
        _ if !call => None,
        _ if line.starts_with("CONNECT") => Some(Outcome::Ok),
        _ => call_end(line).map(Outcome::Call),
    }
}

/// The end of a call that a line tells, as a result or by itself (V.250 6.3.1).
pub(crate) fn call_end(line: &str) -> Option<CallEnd> {
    match line {
        "NO CARRIER" | "NO DIALTONE" | "NO DIAL TONE" => Some(CallEnd::NoCarrier),
        "BUSY" => Some(CallEnd::Busy),
        "NO ANSWER" => Some(CallEnd::NoAnswer),
        _ => None,
    }
}

/// A number, or one of the words of `+CMEE=2` that matter here.
fn error_code(text: &str) -> u16 {
    let text = text.trim();
    let word = || {
        WORDS
            .iter()
            .find(|(word, _)| text.eq_ignore_ascii_case(word))
            .map(|(_, code)| *code)
    };
    text.parse().ok().or_else(word).unwrap_or(UNKNOWN)
}

/// One value of an information text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) text: &'a str,
    pub(crate) quoted: bool,
}

impl Field<'_> {
    pub(crate) fn number<T: core::str::FromStr>(self) -> Option<T> {
        self.text.parse().ok()
    }

    /// Area codes and cells are hex digits, quoted or not.
    pub(crate) fn hex(self) -> Option<u32> {
        u32::from_str_radix(self.text, 16).ok()
    }
}

/// The values behind the colon. A comma inside quotes belongs to its value.
pub(crate) fn fields(line: &str) -> Vec<Field<'_>> {
    let mut rest = line.split_once(':').map_or(line, |(_, rest)| rest);
    let mut found = Vec::new();
    while found.len() < MAX_FIELDS {
        let (field, behind) = next_field(rest);
        found.push(field);
        let Some(behind) = behind else { break };
        rest = behind;
    }
    found
}

fn next_field(rest: &str) -> (Field<'_>, Option<&str>) {
    let rest = rest.trim_start();
    if let Some((text, behind)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        let behind = behind.split_once(',').map(|(_, behind)| behind);
        return (Field { text, quoted: true }, behind);
    }
    let (text, behind) = match rest.split_once(',') {
        Some((text, behind)) => (text, Some(behind)),
        None => (rest, None),
    };
    (
        Field {
            text: text.trim(),
            quoted: false,
        },
        behind,
    )
}

/// A phone number with its type of address behind it, as `+CSCA`, `+CLIP` and `+CNUM` give it.
pub(crate) fn phone(fields: &[Field<'_>], at: usize) -> Option<PhoneNumber> {
    let text = fields.get(at)?.text;
    let international = fields.get(at + 1).and_then(|field| field.number()) == Some(145u8);
    if international && !text.starts_with('+') {
        let mut with_plus = String::from("+");
        with_plus.push_str(text);
        return PhoneNumber::new(&with_plus);
    }
    PhoneNumber::new(text)
}

const MAX_FIELDS: usize = 32;
/// 27.007 9.2.1: unknown.
const UNKNOWN: u16 = 100;
const WORDS: [(&str, u16); 12] = [
    ("operation not allowed", 3),
    ("operation not supported", 4),
    ("SIM not inserted", 10),
    ("SIM PIN required", 11),
    ("SIM PUK required", 12),
    ("SIM failure", 13),
    ("SIM busy", 14),
    ("SIM wrong", 15),
    ("incorrect password", 16),
    ("memory full", 20),
    ("no network service", 30),
    ("network timeout", 31),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_results_are_told_from_urcs() {
        assert_eq!(final_result("OK", false), Some(Outcome::Ok));
        assert_eq!(
            final_result("+CME ERROR: 14", false),
            Some(Outcome::Failed(Failure::Cme(14)))
        );
        assert_eq!(
            final_result("+CME ERROR: SIM busy", false),
            Some(Outcome::Failed(Failure::Cme(14)))
        );
        assert_eq!(
            final_result("+CMS ERROR:330", false),
            Some(Outcome::Failed(Failure::Cms(330)))
        );
        assert_eq!(
            final_result("BUSY", false),
            None,
            "a URC of a call while another command runs"
        );
        assert_eq!(
            final_result("BUSY", true),
            Some(Outcome::Call(CallEnd::Busy))
        );
    }

    #[test]
    fn commas_inside_quotes_do_not_part_values() {
        let line = r#"+CCLK: "26/11/22,16:40:00+32" , 5,,x"#;
        let texts: Vec<_> = fields(line).iter().map(|field| field.text).collect();
        assert_eq!(texts, ["26/11/22,16:40:00+32", "5", "", "x"]);
    }

    #[test]
    fn a_number_of_type_145_gets_its_plus() {
        let line = r#"+CSCA: "8613800531500", 145"#;
        assert_eq!(phone(&fields(line), 0), PhoneNumber::new("+8613800531500"));
        assert_eq!(
            phone(&fields(r#"+CLIP: "10086",129"#), 0),
            PhoneNumber::new("10086")
        );
        assert_eq!(phone(&fields(r#"+CLIP: "",128"#), 0), None);
    }

    #[test]
    fn a_refusal_of_the_sim_becomes_its_twin_among_messages() {
        assert_eq!(Failure::Cme(10).to_submit_failure(), SubmitFailure::NO_SIM);
        assert_eq!(Failure::Cme(14).to_submit_failure(), SubmitFailure(314));
        assert_eq!(Failure::Plain.to_submit_failure(), SubmitFailure::UNKNOWN);
    }

    /// V.250 5.7.1, 6.3.1, and makers' words for a refusal: which line ends which command.
    #[test]
    fn each_result_code_ends_the_commands_that_it_belongs_to() {
        let refused = Some(Outcome::Failed(Failure::Plain));
        let call = |end| Some(Outcome::Call(end));
        for (line, any, of_call) in [
            ("OK", Some(Outcome::Ok), Some(Outcome::Ok)),
            ("ERROR", refused, refused),
            ("COMMAND NOT SUPPORT", refused, refused),
            ("COMMAND NOT SUPPORTED", refused, refused),
            ("TOO MANY PARAMETERS", refused, refused),
            ("ABORTED", refused, refused),
            ("CONNECT", None, Some(Outcome::Ok)),
            ("CONNECT 9600", None, Some(Outcome::Ok)),
            ("NO CARRIER", None, call(CallEnd::NoCarrier)),
            ("NO DIALTONE", None, call(CallEnd::NoCarrier)),
            ("NO DIAL TONE", None, call(CallEnd::NoCarrier)),
            ("BUSY", None, call(CallEnd::Busy)),
            ("NO ANSWER", None, call(CallEnd::NoAnswer)),
            ("RING", None, None),
        ] {
            assert_eq!(final_result(line, false), any, "{line}");
            assert_eq!(final_result(line, true), of_call, "{line}, ATD");
        }
    }

    /// 27.007 9.2.1: the words of `+CMEE=2` have numbers; what is unknown is 100.
    #[test]
    fn words_of_errors_have_their_numbers() {
        for (text, code) in [
            (" 30", 30),
            ("Operation not allowed", 3),
            ("operation not supported", 4),
            ("SIM not inserted", 10),
            ("SIM PIN required", 11),
            ("SIM PUK required", 12),
            ("SIM failure", 13),
            ("SIM busy", 14),
            ("SIM wrong", 15),
            ("incorrect password", 16),
            ("memory full", 20),
            ("no network service", 30),
            ("network timeout", 31),
            ("of a maker", 100),
        ] {
            assert_eq!(error_code(text), code, "{text}");
        }
    }

    /// 27.007 9.2, 27.005 3.2.5: what a number says decides whether it is asked again, and what is missing.
    #[test]
    fn failures_are_of_the_card_busy_or_of_an_unknown_command() {
        let all = (0..600).flat_map(|code| [Failure::Cme(code), Failure::Cms(code)]);
        let all: Vec<_> = all.chain([Failure::Plain]).collect();
        let which = |is: fn(Failure) -> bool| -> Vec<String> {
            let fitting = all.iter().filter(|failure| is(**failure));
            fitting.map(|failure| alloc::format!("{failure}")).collect()
        };
        let named = |head: &str, codes: &[u16]| -> Vec<String> {
            let names = codes
                .iter()
                .map(|code| alloc::format!("{head} ERROR: {code}"));
            names.collect()
        };
        let mut busy = named("+CMS", &[314]);
        busy.insert(0, "+CME ERROR: 14".into());
        busy.extend(["+CME ERROR: 515".into(), "+CMS ERROR: 515".into()]);
        assert_eq!(which(Failure::is_busy), busy);
        let mut card = named("+CME", &[10, 11, 12, 13, 14, 15]);
        card.extend(named(
            "+CMS",
            &[310, 311, 312, 313, 314, 315, 316, 317, 318],
        ));
        card.extend(["+CME ERROR: 515".into(), "+CMS ERROR: 515".into()]);
        assert_eq!(which(Failure::is_sim_related), card);
        let mut unknown = named("+CME", &[3, 4, 50, 58, 100]);
        unknown.extend(named("+CMS", &[302, 303]));
        unknown.push("ERROR".into());
        assert_eq!(which(Failure::is_unknown_command), unknown);
    }

    /// 27.005 3.2.5: an error of equipment becomes its twin among those of messages.
    #[test]
    fn a_refused_message_has_a_number_of_messages() {
        for (failure, wanted) in [
            (Failure::Cms(38), SubmitFailure(38)),
            (Failure::Cme(11), SubmitFailure(311)),
            (Failure::Cme(18), SubmitFailure(318)),
            (Failure::Cme(19), SubmitFailure::UNKNOWN),
            (Failure::Cme(30), SubmitFailure::NO_NETWORK),
            (Failure::Cme(31), SubmitFailure::TIMED_OUT),
        ] {
            assert_eq!(failure.to_submit_failure(), wanted, "{failure}");
        }
    }

    fn response(line: &str) -> Response {
        Response {
            outcome: Outcome::Ok,
            lines: Vec::from([line.into()]),
        }
    }

    #[test]
    fn the_text_of_a_response_is_without_its_prefix_and_quotes() {
        for (line, text) in [
            ("+CPIN: READY", Some("READY")),
            ("+CGMM: \"M1\"", Some("M1")),
            ("M1: a modem", Some("M1: a modem")),
            ("\"\"", None),
        ] {
            assert_eq!(response(line).text(), text, "{line}");
        }
        let refused = Response {
            outcome: Outcome::TimedOut,
            ..response("M1")
        };
        assert_eq!(refused.text(), None);
    }

    /// 27.007 5.4, 5.6: some give a check digit less or a software version more.
    #[test]
    fn an_imei_has_14_to_17_digits_and_nothing_else() {
        for (line, is_number) in [
            ("1234567890123", false),
            ("12345678901234", true),
            ("+CGSN: 12345678901234567", true),
            ("123456789012345678", false),
            ("12345678901234x", false),
        ] {
            assert_eq!(!response(line).digits().is_empty(), is_number, "{line}");
        }
    }

    #[test]
    fn a_number_that_has_its_plus_gets_no_second_one() {
        let line = "+CSCA: \"+8613800531500\",145";
        assert_eq!(phone(&fields(line), 0), PhoneNumber::new("+8613800531500"));
    }

    #[test]
    fn a_line_has_32_fields_at_most() {
        let line = ["1"; 40].join(",");
        assert_eq!(fields(&line).len(), 32);
        assert_eq!(fields("+X: 00C3")[0].hex(), Some(0xC3));
    }
}
