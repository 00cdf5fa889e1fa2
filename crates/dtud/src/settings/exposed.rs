//! Settings files hold passwords: whether others may read them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Settings;

/// Says so where a file with a secret in it is open to every user of this machine.
#[must_use]
pub fn exposed(path: &Path, settings: &Settings) -> Option<String> {
    let secret = match (&settings.device.password, &settings.modem.pin) {
        (Some(_), _) => "the password of commands",
        (None, Some(_)) => "the PIN of the SIM card",
        (None, None) if settings.at.hold_a_secret() => "an AT line with a password",
        (None, None) if settings.console.metrics_token.is_some() => {
            "the token of the console's metrics"
        }
        (None, None) => return None,
    };
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let others = match mode & 0o006 {
        0 => return None,
        0o004 => "read",
        _ => "change",
    };
    let path = path.display();
    Some(format!(
        "{path}: it holds {secret}, and every user may {others} it (mode {mode:04o}); chmod 0600, or 0640"
    ))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn k5_a_file_with_a_secret_that_everybody_may_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dtud.toml");
        let told = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            exposed(&path, &Settings::load(&path).unwrap())
        };
        for (text, secret) in [
            ("device.password = 'abcde'", "the password of commands"),
            ("modem.pin = '1234'", "the PIN of the SIM card"),
            (
                "at = ['CIPR=9600', 'CIPSW=abcde']",
                "an AT line with a password",
            ),
        ] {
            let said = told(text, 0o644).unwrap();
            assert!(
                said.contains(secret) && said.contains("may read it (mode 0644)"),
                "{said}"
            );
            assert!(!said.contains("abcde") && !said.contains("1234"), "{said}");
            assert!(told(text, 0o666).unwrap().contains("may change it"));
            assert_eq!((told(text, 0o600), told(text, 0o640)), (None, None));
        }
        assert_eq!(told("device.recovery = false", 0o644), None);
        assert_eq!(told("at = ['CIPR=9600']", 0o644), None);
    }
}
