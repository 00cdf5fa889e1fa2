//! The list of current calls, `AT+CLCC` (27.007 7.18).

use dtu_proto::radio::PhoneNumber;

use crate::response::{fields, phone};

/// One line of `+CLCC: id,dir,stat,mode,mpty[,"number",type]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClccEntry {
    pub(crate) incoming: bool,
    pub(crate) state: u8,
    pub(crate) from: Option<PhoneNumber>,
}

impl ClccEntry {
    pub(crate) fn of(line: &str) -> Option<Self> {
        let fields = fields(line);
        let number = |at: usize| fields.get(at).and_then(|field| field.number::<u8>());
        let is_voice = number(3) == Some(0);
        is_voice.then_some(())?;
        Some(Self {
            incoming: number(1)? == 1,
            state: number(2)?,
            from: phone(&fields, 5),
        })
    }

    /// A waiting caller: there is a call already, an outgoing one or not.
    pub(crate) const fn is_waiting(self, is_outgoing: bool) -> bool {
        self.state == WAITING || (self.incoming && self.state == INCOMING && is_outgoing)
    }
}

/// Whether `AT+CLCC` breaks off a call that is being dialled. No manual says so of its modem; it is found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ListEndsCall {
    #[default]
    No,
    /// A call ended right behind the first list. The next one is dialled without for a moment, and then tried by a list.
    Perhaps,
    /// That one lived until its list came.
    Yes,
}

impl ListEndsCall {
    /// A call ended while it was being dialled, soon after `ATD` or the list that was tried, or not.
    pub(crate) const fn on_end(self, soon_after_dial: bool, soon_after_list: bool) -> Self {
        match self {
            Self::No if soon_after_dial => Self::Perhaps,
            Self::Perhaps if soon_after_list => Self::Yes,
            // It ended without the list as well.
            Self::No | Self::Perhaps => Self::No,
            Self::Yes => Self::Yes,
        }
    }
}

/// 27.007 7.18, `stat`: 0 active, 1 held, 2 dialling, 3 alerting, 4 incoming, 5 waiting.
pub(crate) const ACTIVE: u8 = 0;
pub(crate) const HELD: u8 = 1;
pub(crate) const ALERTING: u8 = 3;
pub(crate) const INCOMING: u8 = 4;
const WAITING: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_voice_calls_count_and_a_waiting_caller_is_one_beside_a_call() {
        let entry = |line: &str| ClccEntry::of(line).unwrap();
        assert!(ClccEntry::of("+CLCC: 1,1,4,1,0").is_none(), "data");
        assert!(ClccEntry::of("+CLCC: 1,1").is_none());
        let outgoing = entry("+CLCC: 1,0,2,0,0,\"10086\",129");
        assert_eq!(outgoing.from, PhoneNumber::new("10086"));
        let seen = |line: &str| {
            let entry = entry(line);
            let waiting = (entry.is_waiting(true), entry.is_waiting(false));
            (entry.incoming, entry.state, waiting)
        };
        assert_eq!(seen("+CLCC: 1,0,2,0,0"), (false, 2, (false, false)));
        assert_eq!(seen("+CLCC: 1,0,4,0,0"), (false, 4, (false, false)));
        assert_eq!(seen("+CLCC: 1,1,4,0,0"), (true, 4, (true, false)));
        assert_eq!(seen("+CLCC: 2,1,5,0,0"), (true, 5, (true, true)));
        assert_eq!(seen("+CLCC: 2,1,0,0,0"), (true, 0, (false, false)));
    }

    #[test]
    fn two_calls_in_a_row_that_end_behind_a_list_are_its_doing() {
        use ListEndsCall::{No, Perhaps, Yes};
        for (was, dialled, listed, then) in [
            (No, false, false, No),
            (No, false, true, No),
            (No, true, false, Perhaps),
            (Perhaps, true, false, No),
            (Perhaps, false, true, Yes),
            (Yes, false, false, Yes),
        ] {
            assert_eq!(was.on_end(dialled, listed), then, "{was:?}");
        }
    }
}
