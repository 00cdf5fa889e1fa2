//! Where modems differ from 27.007, as small tables. From the makers' public AT command manuals.

use dtu_proto::time::Duration;

/// One family of modems.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) name: &'static str,
    /// Sent at each start. What a model does not know it refuses, and nothing is lost.
    pub(crate) init: &'static [&'static str],
    /// How many tries the PIN has left: the command, how its answer begins, and in which value it says so.
    pub(crate) pin_tries: (&'static str, &'static str, usize),
    pub(crate) authentication: Authentication,
    pub(crate) reset: &'static str,
    /// A modem that was told to restart is left alone so long.
    pub(crate) boot: Duration,
}

/// How user and password of the access point are set for context 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// 27.007 10.1.31: `AT+CGAUTH=1,1,"user","password"`; 1 = PAP.
    Standard,
    /// SIM7600 manual, 8.2.30 (`+CGAUTH`): the password comes first.
    PasswordFirst,
    /// EC2x TCP/IP manual, 2.1.1: `AT+QICSGP=1,1,"apn","user","password",3`; 3 = PAP or CHAP.
    Quectel,
    /// SIM800 manual, 8.2.6: `AT+CSTT="apn","user","password"`.
    Cstt,
}

impl Dialect {
    /// The dialect of that maker and model.
    pub(crate) fn of(maker: &str, model: &str) -> &'static Self {
        let has = |text: &str, word: &str| text.to_ascii_uppercase().contains(word);
        if has(maker, "QUECTEL") {
            &EC2X
        } else if has(model, "SIM7") || has(model, "A76") {
            &SIM7600
        } else if has(maker, "SIMCOM") || has(model, "SIM8") || has(model, "SIM9") {
            &SIM800
        } else {
            &GENERIC
        }
    }
}

/// 27.005 and 27.007.
pub(crate) static GENERIC: Dialect = Dialect {
    name: "generic",
    // Time zone: set the modem's clock from the network, and tell of a change.
    init: &["AT+CTZU=1", "AT+CTZR=1"],
    pin_tries: ("AT+CPINR=\"SIM PIN\"", "+CPINR:", 1),
    authentication: Authentication::Standard,
    reset: "AT+CFUN=1,1",
    boot: Duration::from_secs(3),
};

/// SIM800, SIM900: GSM.
static SIM800: Dialect = Dialect {
    name: "SIM800",
    init: &["AT+CLTS=1"],
    pin_tries: ("AT+SPIC", "+SPIC:", 0),
    authentication: Authentication::Cstt,
    ..GENERIC
};

/// SIM7500, SIM7600, A7600: LTE.
static SIM7600: Dialect = Dialect {
    name: "SIM7600",
    pin_tries: ("AT+SPIC", "+SPIC:", 0),
    authentication: Authentication::PasswordFirst,
    reset: "AT+CRESET",
    ..GENERIC
};

/// Quectel EC20, EC21, EC25, EG25: LTE.
static EC2X: Dialect = Dialect {
    name: "EC2x",
    // 3 = local time.
    init: &["AT+CTZU=3", "AT+CTZR=1"],
    pin_tries: ("AT+QPINC=\"SC\"", "+QPINC:", 1),
    authentication: Authentication::Quectel,
    ..GENERIC
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maker_and_model_choose_the_dialect() {
        for (maker, model, name) in [
            ("SIMCOM_Ltd", "SIMCOM_SIM800L", "SIM800"),
            ("SIMCOM INCORPORATED", "SIM7600E-H", "SIM7600"),
            ("SIMCOM INCORPORATED", "A7670E-FASE", "SIM7600"),
            ("Quectel", "EC25", "EC2x"),
            ("", "SIM800L", "SIM800"),
            ("", "SIM900A", "SIM800"),
            ("SIMCOM_Ltd", "S2", "SIM800"),
            ("", "SIM7600CE", "SIM7600"),
            ("", "A7600C", "SIM7600"),
            ("huawei", "E3372", "generic"),
            ("", "", "generic"),
        ] {
            assert_eq!(Dialect::of(maker, model).name, name, "{maker} {model}");
        }
    }
}
