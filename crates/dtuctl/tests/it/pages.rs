//! Completions and the man page.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::program::dtuctl;

#[test]
fn every_shell_has_completions_and_there_is_a_man_page() {
    for shell in ["bash", "zsh", "fish"] {
        let text = dtuctl(&["completions", shell]).with(0).out;
        assert!(
            text.contains("dry-run") && text.contains("watch"),
            "{shell}: {text}"
        );
    }
    dtuctl(&["completions", "tcsh"]).with(2);
    let page = dtuctl(&["man"]).with(0).out;
    assert!(
        page.contains(".TH dtuctl 1") && page.contains("password\\-file"),
        "{page}"
    );
    let folder = tempfile::tempdir().unwrap();
    dtuctl(&["man", folder.path().to_str().unwrap()]).with(0);
    let page = std::fs::read_to_string(folder.path().join("dtuctl-apply.1")).unwrap();
    assert!(page.contains("dry\\-run"), "{page}");
}

/// bash itself reads its completions.
#[test]
fn bash_takes_its_completions() {
    let text = dtuctl(&["completions", "bash"]).with(0).out;
    let mut bash = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    bash.stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(bash.wait().unwrap().success());
}
