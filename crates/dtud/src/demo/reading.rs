//! What the meter says: one numbered line a reading.

use std::fmt;

/// `#0012 230.1 V  5.12 A  1178 W`, and CR LF behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    /// From 1, without a gap: so the data center sees what is missing.
    pub(super) number: u64,
    pub(super) volts: f64,
    pub(super) amperes: f64,
    pub(super) watts: f64,
}

impl Reading {
    /// Reads a line without its CR LF.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix('#')?.split_ascii_whitespace();
        let number = words.next()?.parse().ok()?;
        let mut value = |unit| {
            let value = words.next()?.parse().ok()?;
            (words.next()? == unit).then_some(value)
        };
        let reading = Self {
            number,
            volts: value("V")?,
            amperes: value("A")?,
            watts: value("W")?,
        };
        words.next().is_none().then_some(reading)
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            volts,
            amperes,
            watts,
        } = self;
        write!(f, "#{number:04} {volts:.1} V {amperes:5.2} A {watts:5.0} W")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_meter_writes_the_center_reads() {
        let reading = Reading {
            number: 12,
            volts: 230.1,
            amperes: 5.12,
            watts: 1178.0,
        };
        assert_eq!(reading.to_string(), "#0012 230.1 V  5.12 A  1178 W");
        assert_eq!(Reading::parse(&reading.to_string()), Some(reading));
    }

    #[test]
    fn a_damaged_line_is_no_reading() {
        for line in [
            "",
            "#",
            "0012 230.1 V  5.12 A  1178 W",
            "#0012 230.1 V  5.12 A",
            "#12 1 V 1 A 1 W 1",
        ] {
            assert_eq!(Reading::parse(line), None, "{line}");
        }
    }
}
