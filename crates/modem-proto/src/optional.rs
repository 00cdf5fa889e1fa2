//! The commands that a modem may refuse: what is tried in turn, and its limitations where nothing helps. The page of
//! modems shows this table, and a test refuses each row's commands.

use crate::limitation::Limitation;

/// A command that a modem may do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalCommand {
    /// How the commands of the row begin: makers have different ones for the same.
    pub commands: &'static [&'static str],
    /// What is tried where it is refused, or how it goes without.
    pub tries: &'static str,
    /// What is said where nothing helps. None = nobody misses it.
    pub limitations: &'static [Limitation],
}

const fn row(
    commands: &'static [&'static str],
    tries: &'static str,
    limitations: &'static [Limitation],
) -> OptionalCommand {
    OptionalCommand {
        commands,
        tries,
        limitations,
    }
}

/// All commands but `AT`, in the order in which a modem gets them.
pub const OPTIONAL_COMMANDS: &[OptionalCommand] = &[
    row(&["ATE0"], "echo is passed over", &[]),
    row(
        &["AT+CMEE"],
        "a refusal without a number counts as \"no such command\"",
        &[],
    ),
    row(&["AT+CSCS"], "`IRA`, then `GSM`", &[]),
    row(&["AT+CGMI", "AT+CGMM"], "dialect `generic`", &[]),
    row(&["AT+CGSN"], "", &[Limitation::Imei]),
    row(
        &["AT+CTZU", "AT+CTZR", "AT+CLTS"],
        "the modem's clock is taken as it is",
        &[],
    ),
    row(
        &["AT+CMGF=0"],
        "again after 2 s, 4 s … 5 min, and at `SMS Ready`",
        &[Limitation::Messages],
    ),
    row(&["AT+CMGF?"], "an `OK` to `AT+CMGF=0` is believed", &[]),
    row(
        &["AT+CLCC"],
        "the call's news alone",
        &[Limitation::CallList],
    ),
    row(&["AT+CLIP"], "the number of a caller from `AT+CLCC`", &[]),
    row(&["AT+CLCC", "AT+CLIP"], "", &[Limitation::Calls]),
    row(&["AT+CFUN?"], "the radio counts as on", &[]),
    row(
        &["AT+CPIN?"],
        "again after a second, three times; then the card counts as open",
        &[Limitation::Sim],
    ),
    row(
        &["AT+CPINR", "AT+SPIC", "AT+QPINC"],
        "a PIN is sent once, as if it were the first try",
        &[],
    ),
    row(
        &["AT+CIMI"],
        "again each second for half a minute, while the card is busy",
        &[Limitation::Imsi],
    ),
    row(&["AT+CREG=2"], "`AT+CREG=1`", &[]),
    row(
        &["AT+CREG="],
        "asked for; one that is taken and not shown (`+CREG: 0,…`) is believed to be a restart once",
        &[Limitation::RegistrationUrc],
    ),
    row(
        &["AT+CGREG=", "AT+CEREG="],
        "asked for every 60 s; one that is refused is not asked for",
        &[],
    ),
    row(&["AT+CREG?"], "`AT+CGREG?`, `AT+CEREG?`", &[]),
    row(
        &["AT+CREG?", "AT+CGREG?", "AT+CEREG?"],
        "again after 1 min … 5 min",
        &[Limitation::Registration],
    ),
    row(
        &["AT+CSQ"],
        "again after 30 s … 5 min",
        &[Limitation::Signal],
    ),
    row(&["AT+COPS=3"], "the name or the number, as it comes", &[]),
    row(&["AT+COPS?"], "again after 10 min", &[Limitation::Operator]),
    row(&["AT+CCLK?"], "again after an hour", &[Limitation::Clock]),
    row(&["AT+CSMS"], "as it is", &[]),
    row(&["AT+CPMS?"], "`SM` is read, whatever there is", &[]),
    row(
        &["AT+CPMS="],
        "one value, three values (a bare `OK` is an answer; busy: again in 1 s), then the storage that `AT+CPMS?` shows",
        &[Limitation::Storage],
    ),
    row(
        &["AT+CNMI=2,1,0,1", "AT+CNMI=2,1,0,2"],
        "`ds` 1, `ds` 2 (`+CDSI`), both with `bfr` 1, both after `AT+CSMS=1` (acknowledged by `AT+CNMA`), `ds` 0",
        &[Limitation::Reports],
    ),
    row(
        &["AT+CNMI"],
        "all these, and shorter forms",
        &[Limitation::Announcements, Limitation::Reports],
    ),
    row(
        &["AT+CMGL"],
        "`AT+CMGR` of what is announced",
        &[Limitation::List],
    ),
    row(
        &["AT+CSCA?"],
        "again after 2 s … 5 min, while the card is busy",
        &[Limitation::ServiceCenter],
    ),
    row(
        &["AT+CNUM"],
        "again after 2 s … 5 min, while the card is busy",
        &[Limitation::OwnNumber],
    ),
    row(
        &["AT+CGDCONT?"],
        "the access point is set without a look",
        &[],
    ),
    row(&["AT+CGDCONT=1"], "", &[Limitation::AccessPoint]),
    row(
        &["AT+CGAUTH", "AT+QICSGP", "AT+CSTT"],
        "",
        &[Limitation::Authentication],
    ),
    row(&["AT+CGATT=1"], "`AT+CGACT` alone", &[]),
    row(
        &["AT+CGACT=1"],
        "again after 30 s",
        &[Limitation::Connection],
    ),
    row(
        &["AT+CGACT?"],
        "counts as connected until `+CGEV` or the interface says otherwise",
        &[],
    ),
    row(&["AT+CGPADDR"], "the address of the interface", &[]),
    row(&["AT+CHUP"], "`ATH`", &[]),
];
