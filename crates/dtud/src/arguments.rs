//! Secrets on the command line, and the file that keeps them off it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tracing::warn;

use crate::at_lines::{self, StartLine};
use crate::sys;

/// Takes the secrets of `--at` out of the list of processes. They stood there since the program began; `--at-file`
/// keeps them out of it altogether.
pub(crate) fn hide_secrets() {
    sys::edit_arguments(|arguments| {
        let mut value = false;
        for argument in arguments.split_mut(|byte| *byte == 0) {
            if value {
                hide(argument);
            } else if argument.starts_with(AT_IS) {
                hide(argument.get_mut(AT_IS.len()..).unwrap_or_default());
            }
            value = !value && argument == b"--at";
        }
    });
}

const AT_IS: &[u8] = b"--at=";

/// What stands behind the first `=` of a command with a secret in it.
fn hide(command: &mut [u8]) {
    if at_lines::sets_a_secret(&String::from_utf8_lossy(command))
        && let Some(at) = command.iter().position(|byte| *byte == b'=')
    {
        command
            .iter_mut()
            .skip(at + 1)
            .for_each(|byte| *byte = b'*');
    }
}

/// The lines of `--at-file`.
///
/// # Errors
/// A text for the user.
pub(crate) fn read_at_file(path: &Path) -> Result<Vec<StartLine>, String> {
    let is_stdin = path.as_os_str() == "-";
    let shown = if is_stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let mut bytes = Vec::new();
    let read = if is_stdin {
        std::io::stdin()
            .lock()
            .take(AT_FILE_MAX + 1)
            .read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| {
            if file.metadata()?.mode() & READABLE_BY_OTHERS != 0 {
                warn!(
                    "console: {shown} may hold passwords and can be read by everybody: chmod o-r"
                );
            }
            file.take(AT_FILE_MAX + 1).read_to_end(&mut bytes)
        })
    };
    read.map_err(|error| format!("--at-file {shown}: {error}"))?;
    if bytes.len() as u64 > AT_FILE_MAX {
        return Err(format!("--at-file {shown}: at most {AT_FILE_MAX} bytes"));
    }
    lines_of(&shown, &bytes)
}

/// `shown`: the file, for a person. A mark of the byte order, which editors put in front, is passed over.
fn lines_of(shown: &str, bytes: &[u8]) -> Result<Vec<StartLine>, String> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = str::from_utf8(line).map_err(|error| {
            let byte = line.get(error.valid_up_to()).unwrap_or(&0);
            format!(
                "{shown}:{number}: byte 0x{byte:02X} is not UTF-8; a file of AT lines is UTF-8 text"
            )
        })?;
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            lines.push(StartLine::of_file(line, format_args!("{shown}:{number}")));
        }
    }
    Ok(lines)
}

const READABLE_BY_OTHERS: u32 = 0o004;
const AT_FILE_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k10_what_is_behind_the_equals_sign_of_a_secret_is_hidden() {
        let hidden = |command: &str| {
            let mut bytes = command.as_bytes().to_vec();
            hide(&mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(hidden("CIPSW=abcde"), "CIPSW=*****");
        assert_eq!(hidden("at+cipsw=abcde"), "at+cipsw=*****");
        assert_eq!(hidden("+CIPR=9600;+CIPSW=ab"), "+CIPR=**************");
        assert_eq!(
            hidden("CIPSCONT=1,\"TCP\",\"h\",1,1"),
            "CIPSCONT=1,\"TCP\",\"h\",1,1"
        );
    }

    #[test]
    fn k10_a_file_of_at_lines_has_one_a_line_and_comments() {
        let lines = lines_of("x", b"# ours\nCIPR=9600\n\n  ATW \r\n").unwrap();
        let wanted = [
            StartLine::of_file("CIPR=9600", "x:2"),
            StartLine::of_file("ATW", "x:4"),
        ];
        assert_eq!(lines, wanted);
        let error = read_at_file("/nosuch/file".as_ref()).unwrap_err();
        assert!(
            error.starts_with("--at-file /nosuch/file: No such file"),
            "{error}"
        );
    }

    #[test]
    fn h9_a_mark_of_the_byte_order_is_passed_over_and_a_line_that_is_no_text_is_named() {
        let marked = lines_of("x", b"\xEF\xBB\xBF# ours\nATW").unwrap();
        assert_eq!(marked, [StartLine::of_file("ATW", "x:2")]);
        let error = lines_of("x", b"ATW\nCIMODID=\xB2\xE2\n").unwrap_err();
        assert_eq!(
            error,
            "x:2: byte 0xB2 is not UTF-8; a file of AT lines is UTF-8 text"
        );
    }
}
