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
    let told = on(&device.port(), &["at", "AT+CSQ"]).with(0);
    assert_eq!(told.err, "");
}
