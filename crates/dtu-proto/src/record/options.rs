//! The options as lines of the header. Durations are microseconds, so that nothing is rounded.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use super::word::{Hex, Words, unknown};
use crate::config::{
    Charset, DropPolicy, Expect, FactoryPassword, LinkOptions, Options, Role, Shutdown,
};
use crate::event::LinkId;
use crate::radio::PhoneNumber;
use crate::time::Duration;

pub(super) fn encode(out: &mut String, options: &Options) {
    // Taken apart by name: a new option does not compile until it is recorded.
    let Options {
        setup_window,
        shutdown,
        recovery,
        factory_password,
        length_enabled,
        escape_gap,
        charset,
        line_holds,
        line_hold,
        http_answer_max,
        sms_allow,
        links,
        modes,
    } = options;
    let _ = writeln!(out, "option setup_window_us {}", setup_window.as_micros());
    let _ = writeln!(out, "option shutdown {}", shutdown_word(*shutdown));
    let _ = writeln!(out, "option recovery {recovery}");
    let _ = writeln!(
        out,
        "option factory_password {}",
        password_word(*factory_password)
    );
    let _ = writeln!(out, "option length_enabled {length_enabled}");
    let _ = writeln!(out, "option escape_gap_us {}", escape_gap.as_micros());
    let _ = writeln!(out, "option charset {}", charset_word(*charset));
    let _ = writeln!(out, "option line_holds {line_holds}");
    let _ = writeln!(out, "option line_hold_us {}", line_hold.as_micros());
    let _ = writeln!(
        out,
        "option http_answer_max_us {}",
        http_answer_max.unwrap_or_default().as_micros()
    );
    for number in sms_allow {
        let _ = writeln!(out, "option sms_allow {number}");
    }
    for link in LinkId::ALL {
        encode_link(out, &format!("link.{link}"), &links[link.index()]);
    }
    encode_link(out, "modes", modes);
}

fn encode_link(out: &mut String, whose: &str, options: &LinkOptions) {
    let LinkOptions {
        cache,
        drop_policy,
        resend,
        spool,
        backoff_max,
        short_link_idle,
        role,
        expect_registration,
        expect_heartbeat,
    } = options;
    let _ = writeln!(out, "option {whose}.cache {cache}");
    let _ = writeln!(
        out,
        "option {whose}.drop_policy {}",
        policy_word(*drop_policy)
    );
    let _ = writeln!(out, "option {whose}.resend {resend}");
    let _ = writeln!(out, "option {whose}.spool {spool}");
    let _ = writeln!(
        out,
        "option {whose}.backoff_max_us {}",
        backoff_max.as_micros()
    );
    let _ = writeln!(
        out,
        "option {whose}.short_link_idle_us {}",
        short_link_idle.as_micros()
    );
    let _ = match role {
        None => Ok(()),
        Some(Role::Always) => writeln!(out, "option {whose}.role always"),
        Some(Role::Backup(of)) => writeln!(out, "option {whose}.role backup:{of}"),
    };
    for (name, expect) in [
        ("registration", expect_registration),
        ("heartbeat", expect_heartbeat),
    ] {
        if let Some(Expect {
            reply,
            within,
            misses,
            pass,
        }) = expect.as_deref()
        {
            let (reply, within) = (Hex(reply), within.as_micros());
            let _ = writeln!(
                out,
                "option {whose}.expect_{name} {reply} {within} {misses} {pass}"
            );
        }
    }
}

pub(super) fn decode(options: &mut Options, words: &mut Words<'_>) -> Result<(), String> {
    let name = words.any("an option")?;
    if let Some(rest) = name.strip_prefix("link.") {
        let (number, key) = rest
            .split_once('.')
            .ok_or("an option of a link is link.N.NAME")?;
        let link = number.parse().ok().and_then(LinkId::from_number);
        let link = link.ok_or_else(|| format!("a link is 1..=4, got {number}"))?;
        return decode_link(&mut options.links[link.index()], key, words);
    }
    if let Some(key) = name.strip_prefix("modes.") {
        return decode_link(&mut options.modes, key, words);
    }
    match name {
        "setup_window_us" => options.setup_window = duration(words)?,
        "shutdown" => {
            options.shutdown = choice(words, &[Shutdown::Restart, Shutdown::Stop], shutdown_word)?
        }
        "recovery" => options.recovery = words.number("true or false")?,
        "factory_password" => options.factory_password = choice(words, &PASSWORDS, password_word)?,
        "length_enabled" => options.length_enabled = words.number("true or false")?,
        "escape_gap_us" => options.escape_gap = duration(words)?,
        "charset" => options.charset = choice(words, &[Charset::Gbk, Charset::Utf8], charset_word)?,
        "line_holds" => options.line_holds = words.number("true or false")?,
        "line_hold_us" => options.line_hold = duration(words)?,
        "http_answer_max_us" => {
            options.http_answer_max = Some(duration(words)?).filter(|within| !within.is_zero())
        }
        "sms_allow" => {
            let number = words.any("a number")?;
            let number =
                PhoneNumber::new(number).ok_or_else(|| format!("`{number}` is no number"))?;
            options.sms_allow.push(number);
        }
        other => return Err(unknown(other, "option", OPTIONS)),
    }
    Ok(())
}

fn decode_link(options: &mut LinkOptions, key: &str, words: &mut Words<'_>) -> Result<(), String> {
    match key {
        "cache" => options.cache = words.number("bytes")?,
        "drop_policy" => options.drop_policy = choice(words, &POLICIES, policy_word)?,
        "resend" => options.resend = words.number("true or false")?,
        "spool" => options.spool = words.number("true or false")?,
        "backoff_max_us" => options.backoff_max = duration(words)?,
        "short_link_idle_us" => options.short_link_idle = duration(words)?,
        "role" => options.role = Some(role(words.any("a role")?)?),
        "expect_registration" => options.expect_registration = Some(Box::new(expect(words)?)),
        "expect_heartbeat" => options.expect_heartbeat = Some(Box::new(expect(words)?)),
        other => return Err(unknown(other, "option of a link", LINK_OPTIONS)),
    }
    Ok(())
}

fn duration(words: &mut Words<'_>) -> Result<Duration, String> {
    words.number("microseconds").map(Duration::from_micros)
}

fn expect(words: &mut Words<'_>) -> Result<Expect, String> {
    let (reply, within) = (words.hex()?, duration(words)?);
    let (misses, pass) = (
        words.number("misses")?,
        words.number_or("true or false", false)?,
    );
    Ok(Expect {
        reply,
        within,
        misses,
        pass,
    })
}

fn role(word: &str) -> Result<Role, String> {
    if word == "always" {
        return Ok(Role::Always);
    }
    let of = word
        .strip_prefix("backup:")
        .and_then(|number| number.parse().ok())
        .and_then(LinkId::from_number);
    of.map(Role::Backup)
        .ok_or_else(|| unknown(word, "role", "always, backup:1 to backup:4"))
}

fn choice<T: Copy>(
    words: &mut Words<'_>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, String> {
    let word = words.any("a value")?;
    let found = all.iter().find(|value| name(**value) == word).copied();
    found.ok_or_else(|| {
        let allowed: alloc::vec::Vec<_> = all.iter().map(|value| name(*value)).collect();
        unknown(word, "value", &allowed.join(", "))
    })
}

const fn shutdown_word(shutdown: Shutdown) -> &'static str {
    match shutdown {
        Shutdown::Restart => "restart",
        Shutdown::Stop => "stop",
    }
}

const fn password_word(policy: FactoryPassword) -> &'static str {
    match policy {
        FactoryPassword::Query => "query",
        FactoryPassword::Full => "full",
        FactoryPassword::Off => "off",
    }
}

const fn charset_word(charset: Charset) -> &'static str {
    match charset {
        Charset::Gbk => "gbk",
        Charset::Utf8 => "utf-8",
    }
}

const fn policy_word(policy: DropPolicy) -> &'static str {
    match policy {
        DropPolicy::Auto => "auto",
        DropPolicy::Oldest => "oldest",
        DropPolicy::Newest => "newest",
        DropPolicy::Block => "block",
    }
}

const PASSWORDS: [FactoryPassword; 3] = [
    FactoryPassword::Query,
    FactoryPassword::Full,
    FactoryPassword::Off,
];
const POLICIES: [DropPolicy; 4] = [
    DropPolicy::Auto,
    DropPolicy::Oldest,
    DropPolicy::Newest,
    DropPolicy::Block,
];
const OPTIONS: &str = "setup_window_us, shutdown, recovery, factory_password, length_enabled, escape_gap_us, charset, \
    line_holds, line_hold_us, http_answer_max_us, sms_allow, link.N.NAME";
const LINK_OPTIONS: &str = "cache, drop_policy, resend, spool, backoff_max_us, short_link_idle_us, role, \
    expect_registration, expect_heartbeat";
