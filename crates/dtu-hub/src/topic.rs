//! Topics of programs: the few shapes that exist, and which filters an account may have.

use crate::ids::DeviceId;

/// Characters of the name of an account, at most.
const NAME_MAX: usize = 64;
const ROOT: &str = "$USR";

/// A topic that a program may send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `$USR/DevRx/<Id>`: bytes for the line of one device.
    Device(DeviceId),
    /// `$USR/App2Dev/<Account>`: bytes for all devices of the account.
    Account(&'a str),
    /// `$USR/DevJsonRx/<Id>`: orders for the cloud about a device.
    Json(DeviceId),
}

/// What a subscription brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `$USR/DevTx/<Id>`: bytes of a device.
    DeviceTx,
    /// `$USR/Dev2App/<Account>/<Id>`: bytes of a device of the account.
    AccountTx,
    /// `$USR/JsonTx/<Account>/<Id>`: status and alarms of a device of the account.
    Status,
    /// `$USR/DevJsonTx/<Id>`: values of a device.
    DeviceJson,
}

/// Which devices a subscription means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// One.
    Device(DeviceId),
    /// All of the account.
    Account,
}

/// A filter that can be granted, if account and rights fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter<'a> {
    /// What it brings.
    pub kind: Kind,
    /// Of which devices.
    pub reach: Reach,
    /// The account that it names.
    pub account: Option<&'a str>,
}

/// Why a filter or a topic is refused (0x80 in 3.1.1). The connection stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No filter at all by the rules of MQTT (0x8F).
    Malformed,
    /// It reaches further than an account (0x87).
    TooWide,
    /// It names another account (0x87).
    OtherAccount,
    /// A shared subscription (0x9E).
    Shared,
    /// Nothing of this name exists here (0x87).
    Unknown,
}

impl Refusal {
    /// The reason code of MQTT 5.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Malformed => 0x8F,
            Self::Shared => 0x9E,
            Self::TooWide | Self::OtherAccount | Self::Unknown => 0x87,
        }
    }
}

/// Whether this can be the name of an account: it has a place in topics.
#[must_use]
pub fn is_account_name(name: &str) -> bool {
    let forbidden = |c: char| matches!(c, '/' | '+' | '#' | '$') || c.is_control();
    (1..=NAME_MAX).contains(&name.len()) && !name.contains(forbidden)
}

/// The topic of a publish.
///
/// # Errors
/// Where it is none of the shapes, or names another account than `own`.
pub fn parse_target<'a>(topic: &'a str, own: &str) -> Result<Target<'a>, Refusal> {
    if topic.is_empty() || topic.contains(['+', '#', '\0']) {
        return Err(Refusal::Malformed);
    }
    let id = |text: &str| DeviceId::new(text.as_bytes()).ok_or(Refusal::Unknown);
    let mut levels = topic.split('/');
    let shape = [levels.next(), levels.next(), levels.next(), levels.next()];
    match shape {
        [Some(ROOT), Some("DevRx"), Some(device), None] => id(device).map(Target::Device),
        [Some(ROOT), Some("DevJsonRx"), Some(device), None] => id(device).map(Target::Json),
        [Some(ROOT), Some("App2Dev"), Some(account), None] if account == own => {
            Ok(Target::Account(account))
        }
        [Some(ROOT), Some("App2Dev"), Some(_), None] => Err(Refusal::OtherAccount),
        _ => Err(Refusal::Unknown),
    }
}

/// The filter of a subscription, of an account named `own`. What reaches further is refused, each for itself.
///
/// # Errors
/// Where it is malformed, reaches further than the account, or names nothing that exists.
pub fn parse_filter<'a>(filter: &'a str, own: &str) -> Result<Filter<'a>, Refusal> {
    let mut levels = filter.split('/');
    let shape = [
        levels.next(),
        levels.next(),
        levels.next(),
        levels.next(),
        levels.next(),
    ];
    if !is_well_formed(filter) {
        return Err(Refusal::Malformed);
    }
    let one = |kind, device: &str| match device {
        "+" | "#" => Err(Refusal::TooWide),
        _ => device_of(device).map(|reach| Filter {
            kind,
            reach,
            account: None,
        }),
    };
    let of_account = |kind, account: &'a str, device: &str| {
        let reach = match device {
            "+" | "#" => Reach::Account,
            _ => device_of(device)?,
        };
        match account {
            "+" | "#" => Err(Refusal::TooWide),
            _ if account != own => Err(Refusal::OtherAccount),
            _ => Ok(Filter {
                kind,
                reach,
                account: Some(account),
            }),
        }
    };
    match shape {
        [Some("$share" | "$queue"), ..] => Err(Refusal::Shared),
        [Some("+" | "#" | "$SYS"), ..] | [Some(ROOT), Some("+" | "#"), ..] => Err(Refusal::TooWide),
        [Some(ROOT), Some("DevTx"), Some(device), None, _] => one(Kind::DeviceTx, device),
        [Some(ROOT), Some("DevJsonTx"), Some(device), None, _] => one(Kind::DeviceJson, device),
        [Some(ROOT), Some("Dev2App" | "JsonTx"), Some("+" | "#"), ..] => Err(Refusal::TooWide),
        [
            Some(ROOT),
            Some("Dev2App"),
            Some(account),
            Some(device),
            None,
        ] => of_account(Kind::AccountTx, account, device),
        [
            Some(ROOT),
            Some("JsonTx"),
            Some(account),
            Some(device),
            None,
        ] => of_account(Kind::Status, account, device),
        _ => Err(Refusal::Unknown),
    }
}

fn device_of(text: &str) -> Result<Reach, Refusal> {
    let id = DeviceId::new(text.as_bytes()).ok_or(Refusal::Unknown)?;
    Ok(Reach::Device(id))
}

/// 4.7.1: `+` alone in its level, `#` alone in the last one.
fn is_well_formed(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    let mut fits = !filter.is_empty() && !filter.contains('\0');
    while let Some(level) = levels.next() {
        let is_last = levels.peek().is_none();
        fits &= !level.contains('+') || level == "+";
        fits &= !level.contains('#') || (level == "#" && is_last);
    }
    fits
}

/// What a client id of MQTT means for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientId {
    /// `APP:<account>`: many clean sessions side by side.
    Platform,
    /// Any other: one session, with the normal take-over.
    Own,
    /// `APP:B` by account A: refused.
    OfOther,
}

/// Whose client id this is.
#[must_use]
pub fn client_id(client_id: &str, own: &str) -> ClientId {
    match client_id.strip_prefix("APP:") {
        Some(account) if account == own => ClientId::Platform,
        Some(_) => ClientId::OfOther,
        None => ClientId::Own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "00000000000000001234";

    /// "receive `$USR/DevTx/<Id>`, `$USR/Dev2App/<Account>/<Id>` (subscribe with `+`, or `#` at its end),
    /// `$USR/JsonTx/<Account>/<Id>`, `$USR/DevJsonTx/<Id>`"
    #[test]
    fn the_filters_of_the_platform_are_known() {
        let device = Reach::Device(DeviceId::new(ID.as_bytes()).unwrap());
        for (filter, kind, reach) in [
            ("$USR/DevTx/00000000000000001234", Kind::DeviceTx, device),
            (
                "$USR/Dev2App/alice/00000000000000001234",
                Kind::AccountTx,
                device,
            ),
            ("$USR/Dev2App/alice/+", Kind::AccountTx, Reach::Account),
            ("$USR/Dev2App/alice/#", Kind::AccountTx, Reach::Account),
            ("$USR/JsonTx/alice/+", Kind::Status, Reach::Account),
            (
                "$USR/JsonTx/alice/00000000000000001234",
                Kind::Status,
                device,
            ),
            (
                "$USR/DevJsonTx/00000000000000001234",
                Kind::DeviceJson,
                device,
            ),
        ] {
            let parsed = parse_filter(filter, "alice").unwrap();
            assert_eq!((parsed.kind, parsed.reach), (kind, reach), "{filter}");
        }
    }

    /// "Filters that reach further (`#`, `$SYS/#`, a leading `+`, `$share`) are refused **each**"
    #[test]
    fn filters_that_reach_further_are_refused_each() {
        use Refusal::{Malformed, OtherAccount, Shared, TooWide, Unknown};
        for (filter, refusal) in [
            ("#", TooWide),
            ("$SYS/#", TooWide),
            ("+/DevTx/00000000000000001234", TooWide),
            ("+", TooWide),
            ("$USR/#", TooWide),
            ("$USR/+/alice/+", TooWide),
            ("$USR/Dev2App/#", TooWide),
            ("$USR/Dev2App/+/00000000000000001234", TooWide),
            ("$USR/DevTx/+", TooWide),
            ("$USR/DevTx/#", TooWide),
            ("$share/g/$USR/Dev2App/alice/+", Shared),
            ("$USR/Dev2App/bob/+", OtherAccount),
            ("$USR/JsonTx/bob/00000000000000001234", OtherAccount),
            ("$USR/Dev2App/alice", Unknown),
            ("$USR/Dev2App/alice/1234", Unknown),
            ("$USR/Dev2App/alice/00000000000000001234/", Unknown),
            ("$USR/DevRx/00000000000000001234", Unknown),
            ("home/kitchen", Unknown),
            ("", Malformed),
            ("$USR/Dev2App/alice/#/x", Malformed),
            ("$USR/Dev2App/alice/1+", Malformed),
        ] {
            assert_eq!(parse_filter(filter, "alice"), Err(refusal), "{filter}");
        }
    }

    /// "send `$USR/DevRx/<Id>`, `$USR/App2Dev/<Account>`, `$USR/DevJsonRx/<Id>`"
    #[test]
    fn the_targets_of_the_platform_are_known() {
        let id = DeviceId::new(ID.as_bytes()).unwrap();
        for (topic, target) in [
            ("$USR/DevRx/00000000000000001234", Ok(Target::Device(id))),
            ("$USR/DevJsonRx/00000000000000001234", Ok(Target::Json(id))),
            ("$USR/App2Dev/alice", Ok(Target::Account("alice"))),
            ("$USR/App2Dev/bob", Err(Refusal::OtherAccount)),
            ("$USR/DevTx/00000000000000001234", Err(Refusal::Unknown)),
            ("$USR/DevRx/1", Err(Refusal::Unknown)),
            ("$USR/DevRx/+", Err(Refusal::Malformed)),
            ("$SYS/broker", Err(Refusal::Unknown)),
            ("", Err(Refusal::Malformed)),
        ] {
            assert_eq!(parse_target(topic, "alice"), target, "{topic}");
        }
    }

    /// "`APP:B` by account A is refused; the one id `APP:<account>` may have many clean sessions side by side"
    #[test]
    fn a_client_id_names_its_own_account() {
        assert_eq!(client_id("APP:alice", "alice"), ClientId::Platform);
        assert_eq!(client_id("APP:bob", "alice"), ClientId::OfOther);
        assert_eq!(client_id("APP:", "alice"), ClientId::OfOther);
        assert_eq!(client_id("phone", "alice"), ClientId::Own);
    }

    #[test]
    fn a_name_fits_into_a_level_of_a_topic() {
        for good in ["alice", "13800531500", "a b", "张三", "a@b.cn"] {
            assert!(is_account_name(good), "{good}");
        }
        for bad in ["", "a/b", "+", "a#", "$x", "a\n", &"x".repeat(65)] {
            assert!(!is_account_name(bad), "{bad}");
        }
    }

    proptest! {
        /// Whatever is granted reaches devices of this account only, by an account that it names or by an id.
        #[test]
        fn no_filter_reaches_further_than_its_account(
            levels in prop::collection::vec(
                prop::sample::select(vec![
                    "$USR", "DevTx", "Dev2App", "JsonTx", "DevJsonTx", "alice", "bob", "+", "#", "", "$share", ID, "x+",
                ]),
                0..6,
            ),
        ) {
            let text = levels.join("/");
            if let Ok(filter) = parse_filter(&text, "alice") {
                prop_assert!(filter.account.is_none_or(|name| name == "alice"));
                prop_assert!(filter.reach != Reach::Account || filter.account.is_some());
                prop_assert!(text.starts_with("$USR/") && !text.contains("bob"));
                prop_assert_eq!(text.matches(['+', '#']).count(), usize::from(filter.reach == Reach::Account));
            }
        }

        #[test]
        fn any_text_is_a_topic_or_is_none(text in "\\PC{0,80}") {
            let _ = parse_filter(&text, "alice");
            let _ = parse_target(&text, "alice");
        }
    }
}
