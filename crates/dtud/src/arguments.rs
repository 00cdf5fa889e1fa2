//! Secrets on the command line, and the file that keeps them off it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tracing::warn;

use crate::at_lines;
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
        command.iter_mut().skip(at + 1).for_each(|byte| *byte = b'*');
    }
}

/// The lines of `--at-file`.
///
/// # Errors
/// A text for the user.
pub(crate) fn read_at_file(path: &Path) -> Result<Vec<String>, String> {
    let shown = path.display();
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(AT_FILE_MAX + 1).read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| {
            if file.metadata()?.mode() & READABLE_BY_OTHERS != 0 {
                warn!("console: {shown} may hold passwords and can be read by everybody: chmod o-r");
            }
            file.take(AT_FILE_MAX + 1).read_to_string(&mut text)
        })
    };
    read.map_err(|error| format!("--at-file {shown}: {error}"))?;
    if text.len() as u64 > AT_FILE_MAX {
        return Err(format!("--at-file {shown}: at most {AT_FILE_MAX} bytes"));
    }
    Ok(lines_of(&text))
}

fn lines_of(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
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
        assert_eq!(hidden("CIPSCONT=1,\"TCP\",\"h\",1,1"), "CIPSCONT=1,\"TCP\",\"h\",1,1");
    }

    #[test]
    fn k10_a_file_of_at_lines_has_one_a_line_and_comments() {
        assert_eq!(lines_of("# ours\nCIPSW=abc\n\n  ATW \r\n"), ["CIPSW=abc", "ATW"]);
        let error = read_at_file("/nosuch/file".as_ref()).unwrap_err();
        assert!(error.starts_with("--at-file /nosuch/file: No such file"), "{error}");
    }
}
