//! Where the log goes and how its lines look: on a terminal, in a file, and under journald.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::console;
use crate::words::is_unseen;

/// Starts the log of this process. `level` is what the command line says; it goes before `RUST_LOG`.
///
/// # Errors
/// A text for the user: what is wrong, and what is allowed.
pub(crate) fn start(level: Option<&str>, default: &str) -> Result<(), String> {
    let filter = filter(level, std::env::var("RUST_LOG").ok().as_deref(), default)?;
    let stderr = std::io::stderr();
    let lines = if is_journal(std::env::var("JOURNAL_STREAM").ok().as_deref()) {
        Lines::Journal
    } else {
        Lines::Plain
    };
    let colours = stderr.is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
    // A second start in one process (tests) keeps the first.
    let written = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours && lines == Lines::Plain)
        // It would tell of a log that cannot be written by a macro that panics: a full disk would end the device.
        .log_internal_errors(false)
        .event_format(lines);
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(written)
        .with(console::log::Keeper)
        .try_init();
    Ok(())
}

fn filter(
    level: Option<&str>,
    environment: Option<&str>,
    default: &str,
) -> Result<Targets, String> {
    let environment = environment.filter(|value| !value.is_empty());
    let (from, text) = match (level, environment) {
        (Some(level), _) => ("--log", level),
        (None, Some(environment)) => ("RUST_LOG", environment),
        (None, None) => ("", default),
    };
    check_filter(text).map_err(|why| format!("{from}: {why}"))?;
    text.parse()
        .map_err(|error| format!("{from}: \"{text}\": {error}"))
}

/// Whether a text can be a level, or a list of `TARGET=LEVEL` as `RUST_LOG` has.
///
/// # Errors
/// A text for the user.
pub(crate) fn check_filter(text: &str) -> Result<(), String> {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let wrong = text.split(',').map(str::trim).find(|part| {
        // A word alone would be taken for the name of a part of the program: nothing would be logged.
        part.rsplit_once('=')
            .map_or(!is_level(part), |(_, level)| !is_level(level))
    });
    wrong.map_or(Ok(()), |part| {
        Err(format!(
            "\"{part}\" is not {} or TARGET=LEVEL",
            LEVELS.join(", ")
        ))
    })
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Whether stderr is what journald named in `JOURNAL_STREAM` (`device:inode`), as systemd.exec(5) wants it looked at.
fn is_journal(stream: Option<&str>) -> bool {
    let Some((device, inode)) = stream.and_then(|stream| stream.split_once(':')) else {
        return false;
    };
    let Ok(stat) = rustix::fs::fstat(std::io::stderr()) else {
        return false;
    };
    device.parse() == Ok(stat.st_dev) && inode.parse() == Ok(stat.st_ino)
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    /// `2026-11-29T12:00:00.123456Z  WARN link 1: …`
    Plain,
    /// `<4>link 1: …`: journald has the time, and takes the number off (sd-daemon(3)).
    Journal,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        match self {
            Self::Journal => write!(writer, "<{}>", priority(level))?,
            Self::Plain => {
                SystemTime.format_time(&mut writer)?;
                let (begin, end) = if writer.has_ansi_escapes() {
                    (colour(level), "\x1b[0m")
                } else {
                    ("", "")
                };
                write!(writer, " {begin}{level:>5}{end} ")?;
            }
        }
        let mut text = FormattedFields::<N>::new(String::new());
        context.format_fields(text.as_writer(), event)?;
        writeln!(writer, "{}", OneLine(&text.fields))
    }
}

/// The numbers of syslog(3).
const fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

const fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

/// Names and texts of others can hold line ends and signs that turn the writing about: they must neither make lines of
/// their own nor show a line as what it is not (Unicode TR 36, 3.2).
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, part) in self.0.trim_end().split(is_unseen).enumerate() {
            write!(f, "{}{part}", if count == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{error, info, warn};

    use super::*;
    use crate::journal::captured_by;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(lines: Lines, colours: bool, work: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(colours)
            .event_format(lines)
            .finish();
        captured_by(subscriber, work);
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn h9_under_journald_a_line_has_a_priority_and_no_time() {
        let text = written(Lines::Journal, false, || {
            error!("disk: full");
            warn!("link 1: lost");
            info!("link 1: up\nforged\r");
        });
        assert_eq!(
            text,
            "<3>disk: full\n<4>link 1: lost\n<6>link 1: up forged\n"
        );
    }

    #[test]
    fn k8_no_text_of_others_turns_a_line_about_or_begins_one() {
        let text = written(Lines::Journal, false, || {
            info!("SMS from \u{202E}68001\u{2028}<6>x \u{2066}é 短信")
        });
        assert_eq!(text, "<6>SMS from  68001 <6>x  é 短信\n");
    }

    #[test]
    fn h9_a_plain_line_has_its_time_and_level_and_colours_only_where_they_are_wanted() {
        let plain = written(Lines::Plain, false, || warn!("link 1: lost"));
        let (time, rest) = plain.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.starts_with("20"), "{time}");
        assert_eq!(rest, " WARN link 1: lost\n");
        assert!(written(Lines::Plain, true, || warn!("x")).contains("\x1b[33m"));
    }

    #[test]
    fn h9_the_level_of_the_command_line_goes_before_the_environment_and_both_are_checked() {
        let shown = |level, environment| {
            filter(level, environment, "info").map(|filter| filter.to_string())
        };
        assert_eq!(shown(None, None).unwrap(), "info");
        assert_eq!(shown(None, Some("debug")).unwrap(), "debug");
        assert_eq!(
            shown(Some("WARN"), Some("debug")).unwrap().to_lowercase(),
            "warn"
        );
        assert_eq!(shown(None, Some("")).unwrap(), "info");
        assert_eq!(
            shown(None, Some("dtud=debug,zbus=off")).unwrap(),
            "zbus=off,dtud=debug"
        );
        let wrong = shown(Some("loud"), None).unwrap_err();
        assert_eq!(
            wrong,
            "--log: \"loud\" is not error, warn, info, debug, trace, off or TARGET=LEVEL"
        );
        assert!(
            shown(None, Some("dtud=loud"))
                .unwrap_err()
                .starts_with("RUST_LOG: ")
        );
    }

    #[test]
    fn h9_a_journal_is_one_only_if_stderr_is_it() {
        let stat = rustix::fs::fstat(std::io::stderr()).unwrap();
        assert!(is_journal(Some(&format!(
            "{}:{}",
            stat.st_dev, stat.st_ino
        ))));
        assert!(!is_journal(Some(&format!(
            "{}:{}",
            stat.st_dev,
            stat.st_ino + 1
        ))));
        assert!(!is_journal(Some("x")));
        assert!(!is_journal(None));
    }
}
