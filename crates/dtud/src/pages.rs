//! Gives the pages of the program that only its start needed back to the system.
//!
//! What a start runs once - arguments, settings file, opening - stays mapped for years otherwise: the kernel maps sixteen
//! pages around each that is touched. What is needed again comes back from the page cache with its first use.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use dtu_proto::time::Instant;
use tracing::debug;

use crate::sys;

/// When they are given back.
#[derive(Debug)]
pub(crate) struct StartPages {
    due: Option<Instant>,
}

impl StartPages {
    pub(crate) fn new(powered_on: Instant) -> Self {
        Self {
            due: Some(powered_on + STARTED_WITHIN),
        }
    }

    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.due
    }

    pub(crate) fn tick(&mut self, now: Instant) {
        if self.due.take_if(|at| *at <= now).is_some() {
            give_back();
        }
    }
}

/// Longer than a start takes; before it a page may be needed again at once.
const STARTED_WITHIN: Duration = Duration::from_secs(1);

fn give_back() {
    let program = std::fs::read_link("/proc/self/exe");
    let mappings = std::fs::read_to_string("/proc/self/smaps");
    // A kernel that shows no mappings keeps the pages: nothing else changes.
    let (Ok(program), Ok(mappings)) = (program, mappings) else {
        return;
    };
    let given: usize = as_in_the_file(&mappings, &program)
        .into_iter()
        .filter(|range| sys::give_back_file_pages(range).is_ok())
        .map(|range| range.len())
        .sum();
    debug!(
        "device: {} KiB of the program's pages given back",
        given / 1024
    );
}

/// Mappings of the file `program` that nobody may write and of which no page was changed, as proc(5) tells them: of a
/// changed one - relocated, or with a breakpoint of a debugger - the file has no copy, be it in memory or swapped out.
fn as_in_the_file(smaps: &str, program: &Path) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut range = None;
    for line in smaps.lines() {
        if let Some(changed) = line.strip_prefix("Anonymous:") {
            range = range.filter(|_| is_none(changed));
        } else if let Some(changed_and_out) = line.strip_prefix("Swap:") {
            found.extend(range.take().filter(|_| is_none(changed_and_out)));
        } else if let Some(mapping) = mapping(line) {
            range = mapping.of(program);
        }
    }
    found
}

fn is_none(size: &str) -> bool {
    size.trim() == "0 kB"
}

/// The first line of a mapping.
struct Mapping<'a> {
    range: Range<usize>,
    access: &'a str,
    path: &'a str,
}

impl Mapping<'_> {
    fn of(&self, program: &Path) -> Option<Range<usize>> {
        let read_only = matches!(self.access, "r-xp" | "r--p");
        (read_only && Path::new(self.path) == program).then(|| self.range.clone())
    }
}

/// `START-END ACCESS OFFSET DEVICE INODE PATH`; the path may hold blanks.
fn mapping(line: &str) -> Option<Mapping<'_>> {
    let mut rest = line;
    let mut field = || {
        let (field, behind) = rest.split_once(' ')?;
        rest = behind.trim_start();
        Some(field)
    };
    let (start, end) = field()?.split_once('-')?;
    let address = |hex| usize::from_str_radix(hex, 16).ok();
    let range = address(start)?..address(end)?;
    let access = field()?;
    for _ in ["offset", "device", "inode"] {
        field()?;
    }
    Some(Mapping {
        range,
        access,
        path: rest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
1000-3000 r--p 00000000 fe:00 17 /usr/bin/the program
Size:                  8 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd mr mw me
3000-9000 r-xp 00002000 fe:00 17                         /usr/bin/the program
Anonymous:             0 kB
Swap:                  0 kB
9000-a000 r--p 00008000 fe:00 17                         /usr/bin/the program
Anonymous:             4 kB
Swap:                  0 kB
e000-f000 r--p 00008000 fe:00 17                         /usr/bin/the program
Anonymous:             0 kB
Swap:                  4 kB
a000-b000 rw-p 00009000 fe:00 17                         /usr/bin/the program
Anonymous:             0 kB
Swap:                  0 kB
b000-c000 rw-p 00000000 00:00 0
Anonymous:             0 kB
Swap:                  0 kB
c000-d000 r-xp 00000000 fe:00 18                         /usr/lib/libc.so.6
Anonymous:             0 kB
Swap:                  0 kB
d000-e000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
Swap:                  0 kB
";

    #[test]
    fn only_what_the_file_still_has_is_given_back() {
        let of = |program: &str| as_in_the_file(SMAPS, program.as_ref());
        assert_eq!(of("/usr/bin/the program"), [0x1000..0x3000, 0x3000..0x9000]);
        assert_eq!(of("/usr/bin/the"), []);
        assert_eq!(of(""), []);
    }

    #[test]
    fn text_that_is_none_of_proc_gives_nothing() {
        for text in [
            "",
            "\n\n",
            "Anonymous: 0 kB",
            "1-2 r-xp",
            "1-2 r-xp 0 0 0 ",
            "x-y r-xp 0 0 0 p\nAnonymous: 0 kB\nSwap: 0 kB",
        ] {
            assert_eq!(as_in_the_file(text, "p".as_ref()), [], "{text:?}");
        }
    }

    #[test]
    fn this_program_has_pages_to_give_back_and_runs_on() {
        let program = std::fs::read_link("/proc/self/exe").unwrap();
        let mappings = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let ranges = as_in_the_file(&mappings, &program);
        let here = this_program_has_pages_to_give_back_and_runs_on as *const () as usize;
        assert!(
            ranges.iter().any(|range| range.contains(&here)),
            "{ranges:x?}"
        );
        give_back();
        assert_eq!(std::fs::read_link("/proc/self/exe").unwrap(), program);
    }

    #[test]
    fn they_are_given_back_once() {
        let mut pages = StartPages::new(Instant::ZERO);
        let due = pages.deadline().unwrap();
        pages.tick(Instant::ZERO);
        assert_eq!(pages.deadline(), Some(due));
        pages.tick(due);
        assert_eq!(pages.deadline(), None);
    }
}
