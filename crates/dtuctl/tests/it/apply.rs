//! `apply`, `dump` and `set` against the device, with their exit codes.

use std::sync::Mutex;

use crate::device::Device;
use crate::program::{dtuctl, on};
use crate::scripted::Scripted;

const NEW: &str = "CIMODID = \"Pump 7\"\n[CIPSCONT.1]\nADDRESS = \"data.example.com\"\n";

#[test]
fn a_file_is_applied_and_read_back() {
    let device = Device::with_window(1, &[]);
    let port = device.port();
    let file = device.file("new.toml", NEW);

    let dry = on(&port, &["apply", "--dry-run", &file]).with(0);
    let changes = "- CIMODID = \"USR-GPRS232-DTU\"\n+ CIMODID = \"Pump 7\"\n";
    assert!(dry.out.contains(changes), "{}", dry.out);
    assert!(!dry.out.contains('\x1b'), "no colours in a pipe");
    on(&port, &["apply", "--dry-run", "--exit-code", &file]).with(4);

    let json = on(&port, &["apply", "--json", &file]).with(0).json();
    assert_eq!(json["outcome"], "done");
    assert_eq!(json["changes"].as_array().unwrap().len(), 2, "{json}");
    assert_eq!(json["changes"][0]["name"], "CIPSCONT.1.ADDRESS");
    assert_eq!(json["changes"][0]["to"], "data.example.com");

    on(&port, &["apply", "--dry-run", "--exit-code", &file]).with(0);
    let dump = on(&port, &["dump"]).with(0);
    assert!(
        dump.out.contains("ADDRESS = \"data.example.com\""),
        "{}",
        dump.out
    );
    let file = device.file("dump.toml", &dump.out);
    assert_eq!(on(&port, &["apply", &file]).with(0).out, "nothing to do\n");
    let json = on(&port, &["dump", "--json"]).with(0).json();
    assert_eq!(json["CIPSCONT"]["1"]["ADDRESS"], "data.example.com");
}

/// What a device writes is the new set; a file that names nothing new restarts nothing.
#[test]
fn single_values_are_set_stored_and_told() {
    let device = Device::start(&[]);
    let port = device.port();
    let set = on(&port, &["set", "CIPCFG.HEAT=60", "cimodid=x"]).with(0);
    assert!(set.out.contains("+ CIPCFG.HEAT = \"60\""), "{}", set.out);
    on(&port, &["save"]).with(0);
    let read = on(&port, &["at", "AT+CIPCFG?", "AT+CIMODID?"]).with(0);
    assert!(
        read.out.contains("60") && read.out.contains("\nOK\n"),
        "{}",
        read.out
    );
    let refused = on(&port, &["at", "AT+NOSUCH=1", "AT"]).with(1);
    assert!(
        refused.out.ends_with("OK\n"),
        "the next one is sent: {}",
        refused.out
    );
}

/// A password has no read form, and is shown to nobody.
#[test]
fn a_password_is_set_unseen() {
    let device = Device::with_window(1, &[]);
    let file = device.file(
        "new.toml",
        "CIPSW = \"pump7\"\n[CSTT]\nPASSWORD = \"geheim\"\n",
    );
    let done = on(&device.port(), &["apply", &file]).with(0);
    let said = format!("{}{}", done.out, done.err);
    assert!(said.contains("+ CIPSW = **** (new)"), "{said}");
    assert!(said.contains("+ CSTT.PASSWORD = **** (new)"), "{said}");
    assert!(
        said.contains("not verifiable: CIPSW (no reply tells it)"),
        "{said}"
    );
    assert!(
        !said.contains("pump7") && !said.contains("geheim"),
        "{said}"
    );
    let kept = device.file(
        "kept.toml",
        "CIPSW = \"****\"\n[CSTT]\nPASSWORD = \"****\"\n",
    );
    assert_eq!(
        on(&device.port(), &["apply", &kept]).with(0).out,
        "nothing to do\n"
    );
}

#[test]
fn wrong_usage_ends_with_2_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    let name = file.to_str().unwrap();
    // Nothing serves this port.
    let apply = |text: &str| {
        std::fs::write(&file, text).unwrap();
        dtuctl(&["--port", "/nowhere", "apply", name]).with(2).err
    };
    let unknown = apply("CIMOD = 0\n[CIPSCONT.1]\nADRESS = \"x\"\n");
    assert!(unknown.contains(&format!("{name}:3:1: ")), "{unknown}");
    assert!(unknown.contains("CIPSCONT.1.ADDRESS"), "{unknown}");
    let refused = apply("CIMOD = 9\n");
    assert!(refused.contains(":1:1: "), "{refused}");
    for arguments in [
        &["apply", "/no/such/file"][..],
        &["set", "CIMOD"],
        &["set", "NO.SUCH=1"],
        &["set", "CIMOD=9"],
        &["at", "AT\rAT"],
        &["at"],
        &["at", ""],
        &["at", "AT", " "],
        &["--baud", "fast", "dump"],
        &["apply", "--exit-code", name],
    ] {
        dtuctl(&[&["--port", "/nowhere"], arguments].concat()).with(2);
    }
    for arguments in [&["dump"][..], &["status"], &["save"], &["watch"], &["ui"]] {
        let no_port = dtuctl(arguments).with(2);
        assert!(no_port.err.contains("--port PATH"), "{}", no_port.err);
    }
    for port in ["tcp:bad", "tcp::9000", "tcp:a:0", "tcp:a:web", ""] {
        let wrong = dtuctl(&["--port", port, "dump"]).with(2);
        assert!(wrong.err.contains("tcp:HOST:PORT"), "{port}: {}", wrong.err);
    }
}

/// A box that tells two settings, and refuses what `refuses` says.
pub(crate) fn two_settings(
    refuses: impl Fn(&str) -> bool + Send + 'static,
) -> impl FnMut(&str) -> String + Send {
    let values = Mutex::new((String::from("0"), String::from("10086")));
    move |line| {
        let ok = |text: &str| format!("{text}\r\nOK\r\n");
        let mut values = values.lock().unwrap();
        match line.split_once('=') {
            _ if refuses(line) => "\r\nERROR\r\n".to_owned(),
            Some(("AT+CIMOD", value)) => {
                value.clone_into(&mut values.0);
                ok("")
            }
            Some(("AT+CIPNUM", value)) => {
                value.clone_into(&mut values.1);
                ok("")
            }
            _ => match line {
                "AT+CIMOD?" => ok(&format!("\r\n+CIMOD: {}\r\n", values.0)),
                "AT+CIPNUM?" => ok(&format!("\r\n+CIPNUM: {}\r\n", values.1)),
                "AT" | "ATW" => ok(""),
                _ => "\r\nERROR\r\n".to_owned(),
            },
        }
    }
}

#[test]
fn what_the_device_refuses_ends_with_1_and_the_old_values() {
    let device = Scripted::start(two_settings(|line| line.starts_with("AT+CIMOD=")));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.json");
    std::fs::write(&file, r#"{"CIPNUM": "10010", "CIMOD": 1}"#).unwrap();
    let file = file.to_str().unwrap();
    let failed = on(device.port(), &["apply", file]).with(1);
    assert!(failed.err.contains("refused AT+CIMOD=1"), "{}", failed.err);
    assert!(
        failed.err.contains("the old values are back"),
        "{}",
        failed.err
    );
    let sent = device.look(|device| device.commands.clone());
    let at = |line: &str| sent.iter().position(|sent| sent == line);
    assert!(at("AT+CIPNUM=10010") < at("AT+CIPNUM=10086"), "{sent:?}");
    assert_eq!(sent.last().unwrap(), "AT+ENTM");
}

/// Half of the values in force would be told by nobody.
#[test]
fn a_set_that_fails_in_the_middle_puts_the_old_values_back_or_names_the_others() {
    let values = ["CIPNUM=10010", "CIMOD=1"];
    let refuses = |line: &str| line.starts_with("AT+CIMOD=");
    let device = Scripted::start(two_settings(refuses));
    let failed = on(device.port(), &[&["set"], &values[..]].concat()).with(1);
    assert_eq!(
        failed.err,
        "dtuctl: the device refused AT+CIMOD=1: ERROR\nthe old values are back\n"
    );
    let told = on(device.port(), &["at", "AT+CIPNUM?"]).with(0).out;
    assert_eq!(told, "+CIPNUM: 10086\nOK\n");

    let stubborn = move |line: &str| refuses(line) || line == "AT+CIPNUM=10086";
    let device = Scripted::start(two_settings(stubborn));
    let failed = on(device.port(), &[&["set", "--json"], &values[..]].concat()).with(3);
    let told = failed.json();
    assert_eq!(told["outcome"], "failed, old values not back", "{told}");
    assert_eq!(told["not_back"][0], "CIPNUM", "{told}");
    let sent = device.look(|device| device.commands.clone());
    assert!(!sent.contains(&"ATW".to_owned()), "{sent:?}");

    let device = Scripted::start(two_settings(|_| false));
    let done = on(device.port(), &[&["set", "--json"], &values[..]].concat()).with(0);
    assert_eq!(done.json()["outcome"], "done");
}

#[test]
fn what_does_not_go_back_ends_with_3_and_is_named() {
    let stubborn = |line: &str| line.starts_with("AT+CIMOD=") || line == "AT+CIPNUM=10086";
    let device = Scripted::start(two_settings(stubborn));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.txt");
    std::fs::write(&file, "AT+CIPNUM=10010\nAT+CIMOD=1\n").unwrap();
    let file = file.to_str().unwrap();
    let failed = on(device.port(), &["apply", file]).with(3);
    assert!(
        failed.err.contains("are not back:\n  CIPNUM\n"),
        "{}",
        failed.err
    );
    let failed = on(device.port(), &["apply", "--json", file]).with(1).json();
    assert_eq!(failed["outcome"], "failed", "{failed}");
}
