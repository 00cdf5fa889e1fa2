//! Secrets stand in no list of processes.

use std::io::Write as _;
use std::process::Stdio;

use dtu_setup::Schema;

use crate::device::Device;
use crate::program::{Ended, command, dtuctl, on};

#[test]
fn a_secret_is_no_argument() {
    let schema = Schema::new();
    let keys = schema
        .groups()
        .flat_map(|group| schema.keys(&group).collect::<Vec<_>>());
    let secrets: Vec<String> = keys
        .filter(|key| schema.field(key).secret)
        .map(|key| key.to_string())
        .collect();
    for known in ["CIPSW", "CSTT.PASSWORD", "HTPHD"] {
        assert!(secrets.contains(&known.to_owned()), "{secrets:?}");
    }
    for name in &secrets {
        let pair = format!("{name}=s3cr");
        let refused = dtuctl(&["--port", "/nowhere", "set", &pair]).with(2);
        assert!(
            refused.err.contains(&format!("write {name}=@FILE")),
            "{}",
            refused.err
        );
        assert!(!refused.err.contains("s3cr"), "{}", refused.err);
    }
}

#[test]
fn a_secret_comes_from_a_file_or_from_stdin() {
    let device = Device::start(&[]);
    let port = device.port();
    let file = device.file("password", "pump7\n");
    let set = on(
        &port,
        &["set", &format!("CIPSW=@{file}"), "CSTT.APN=uninet"],
    )
    .with(0);
    assert!(
        set.out.contains("+ CIPSW = **** (new)") && !set.out.contains("pump7"),
        "{set:?}"
    );
    let port_text = port.to_str().unwrap();
    let mut call = command(&["--port", port_text, "set", "CSTT.PASSWORD=@-"]);
    let mut call = call.stdin(Stdio::piped()).spawn().unwrap();
    call.stdin.take().unwrap().write_all(b"geheim\n").unwrap();
    Ended::from(call.wait_with_output().unwrap()).with(0);
    let told = on(&port, &["at", "AT+CSTT?"]).with(0).out;
    assert!(
        told.contains("\"uninet\"") && told.contains("\"geheim\""),
        "{told}"
    );
    // Empty is none, and what stands for one changes nothing.
    on(&port, &["set", "CSTT.PASSWORD="]).with(0);
    assert_eq!(
        on(&port, &["set", "CIPSW=****"]).with(0).out,
        "nothing to do\n"
    );
    let missing = on(&port, &["set", "CIPSW=@/no/such/file"]).with(2);
    assert!(missing.err.contains("/no/such/file"), "{}", missing.err);
    let long = device.file("long", "toolong\n");
    let refused = on(&port, &["set", &format!("CIPSW=@{long}")]).with(2);
    assert!(!refused.err.contains("toolong"), "{}", refused.err);
    // What is no secret may begin with the sign.
    on(&port, &["set", "CIMODID=@home"]).with(0);
    let told = on(&port, &["at", "AT+CIMODID?"]).with(0).out;
    assert!(told.contains("@home"), "{told}");
}

/// A mistake in a file, or of a program in front, opens no device to all.
#[test]
fn nothing_is_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let path = file.to_str().unwrap();
    let set = |bytes: &[u8], name: &str| {
        std::fs::write(&file, bytes).unwrap();
        dtuctl(&["--port", "/nowhere", "set", &format!("{name}=@{path}")])
    };
    for empty in ["", "\n", "\r\n", "\u{FEFF}", "\u{FEFF}\n"] {
        let refused = set(empty.as_bytes(), "CIPSW").with(2);
        let words = "dtuctl: CIPSW: nothing was given; CIPSW= makes it empty\n";
        assert_eq!(refused.err, words, "{empty:?}");
    }
    // Five characters are what it may have: the mark of an editor is none.
    let taken = set("\u{FEFF}pump7\r\n".as_bytes(), "CIPSW").with(1);
    assert!(taken.err.contains("/nowhere: "), "{}", taken.err);
    let long = set(&[b'a'; 4097], "CIPSW").with(2);
    assert!(
        long.err.contains("it has more than 4096 bytes"),
        "{}",
        long.err
    );
    let full = set(&[b'a'; 4096], "CIPSW").with(2);
    assert!(full.err.contains("got 4096 bytes"), "{}", full.err);
    let lines = set(b"Accept: a\nX-Meter: s3cr\n", "HTPHD").with(2);
    assert!(lines.err.contains("divided by `||`"), "{}", lines.err);
    assert!(!lines.err.contains("s3cr"), "{}", lines.err);
    let unnamed = dtuctl(&["--port", "/nowhere", "set", "CIPSW=@"]).with(2);
    assert!(
        unnamed.err.contains("CIPSW=@ names no file"),
        "{}",
        unnamed.err
    );
}

#[test]
fn stdin_holds_one_secret() {
    let piped = |pairs: &[&str]| {
        let call = [&["--port", "/nowhere", "set"], pairs].concat();
        let mut call = command(&call).stdin(Stdio::piped()).spawn().unwrap();
        call.stdin.take().unwrap().write_all(b"pump7\n").unwrap();
        Ended::from(call.wait_with_output().unwrap())
    };
    let refused = piped(&["CSTT.PASSWORD=@-", "CIPSW=@-"]).with(2);
    let words = "dtuctl: CIPSW: stdin was read for another secret already";
    assert!(refused.err.starts_with(words), "{}", refused.err);
    let one = piped(&["CIPSW=@-", "CIMODID=@-"]).with(1);
    assert!(one.err.contains("/nowhere: "), "{}", one.err);
}

#[test]
fn a_raw_command_with_a_secret_is_warned_of() {
    let device = Device::start(&[]);
    let told = on(&device.port(), &["at", "AT+CIPSW=pump7"]).with(0);
    assert!(
        told.err
            .contains("AT+CIPSW=****: its secret stands in the list"),
        "{}",
        told.err
    );
    assert!(!told.err.contains("pump7"), "{}", told.err);
    // What stands for another secret, or looks like it, hides none.
    for line in [
        "AT+CIMODID=\"****\";+CIPSW=pw123",
        "AT+CSTT=\"apn\",\"user\",\"a****b\"",
    ] {
        let told = on(&device.port(), &["at", line]).with(0);
        assert!(
            told.err.contains("its secret stands in"),
            "{line}: {}",
            told.err
        );
        let secrets = told.err.contains("pw123") || told.err.contains("a****b");
        assert!(!secrets, "{}", told.err);
    }
    for line in ["AT+CSQ", "AT+CIMODID=\"****\""] {
        assert_eq!(on(&device.port(), &["at", line]).with(0).err, "", "{line}");
    }
    let stands_for_one = dtuctl(&["--port", "/nowhere", "at", "AT+CIPSW=****"]).with(1);
    assert!(
        !stands_for_one.err.contains("secret"),
        "{}",
        stands_for_one.err
    );
}
