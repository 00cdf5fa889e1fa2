//! Moving house, and boxes that are not ours.

use std::time::Duration;

use dtu_setup::serial::Port as _;

use crate::device::Device;
use crate::gm1::{Gm1, Ways};
use crate::program::on;
use crate::scripted::{OnPty, Plays};

impl Plays for Gm1 {
    fn play(&mut self, bytes: &[u8], now: Duration) -> Vec<u8> {
        if !bytes.is_empty() {
            self.write(bytes).unwrap();
        }
        let mut said = Vec::new();
        let mut buffer = [0; 256];
        while let count @ 1.. = self.read(&mut buffer, now).unwrap() {
            said.extend_from_slice(&buffer[..count]);
        }
        said
    }
}

/// Every value of a real box arrives on ours, and nothing of the talk reaches the data center of either.
#[test]
fn the_settings_of_an_old_box_move_to_ours() {
    let old = OnPty::start(Gm1::new(Ways {
        echo: true,
        no_result_codes: true,
        ..Ways::default()
    }));
    let dump = on(old.port(), &["dump", "--toml"]).with(0);
    assert!(dump.err.contains("not read: HTPURL: ERROR"), "{}", dump.err);
    old.look(|old| assert_eq!(old.data, b"", "{}", old.data.escape_ascii()));
    let ours = Device::with_window(1, &[]);
    let file = ours.file("old.toml", &dump.out);
    let applied = on(&ours.port(), &["apply", &file, "--json"]).with(0).json();
    assert_eq!(applied["outcome"], "done", "{applied}");
    assert_eq!(applied["no_counterpart"], serde_json::json!([]));
    let ours_now = on(&ours.port(), &["--baud", "9600", "dump"]).with(0).out;
    for line in [
        "HEAT = 45",
        "ADDRESS = \"meters.example.com\"",
        "PASSWORD = \"s3cret\"",
        "CIPR = 9600",
    ] {
        assert!(ours_now.contains(line), "{line}: {ours_now}");
    }
    let again = on(&ours.port(), &["--baud", "9600", "apply", &file]).with(0);
    assert_eq!(again.out, "nothing to do\n");
}

/// Values of every group, none of them the factory's.
const RICH: &str = r#"
CMEE = 1
CLIP = 1
CIPNUM = "13800138000"
CIMOD = 3
CISOCLINK = 0
HTPTP = "POST"
HTPURL = "/up[3F]a=1&"
HTPHD = "Accept:text/plain||X-Meter:7"
HTPTO = 7
HTPFLT = "OFF"
CINETAT = 1
CIMODID = "水表 7，\"北\""
CMGF = 1
CSCS = "UCS2"
CSTT = { APN = "ctnet", USER = "u", PASSWORD = "p4ss" }
CIPCFG = { HEAT = 45, TIME = 0, RTIME = 600 }
ICF = { FORMAT = 1 }
HTPSV = { SERVER = "https://meters.example.com", PORT = 8443 }
CNMI = { MODE = 1, MT = 2 }
[CIPPACK]
0 = { DATA = "00FF2B2B2B", STA = 1 }
1 = { DATA = "61646D696E2C4154", STA = 1 }
[CIPSCONT]
1 = { PROTOCOL = "UDP", ADDRESS = "::1", PORT = 1, START = 1 }
4 = { ADDRESS = "a.example", PORT = 65535 }
[CINETPT]
2 = 2323
[CIROLE]
2 = "backup:1"
"#;

/// dump A, apply to B, dump B = A; in both directions, so that every value has gone and come back.
#[test]
fn a_dump_makes_any_other_device_equal() {
    let factory = Device::with_window(1, &[]);
    let rich = Device::with_window(1, &[]);
    let dump = |of: &Device| on(&of.port(), &["dump"]).with(0).out;
    let apply = |to: &Device, text: &str| {
        let file = to.file("set.toml", text);
        on(&to.port(), &["apply", &file, "--json"]).with(0).json()
    };
    let before = dump(&factory);
    let done = apply(&rich, RICH);
    assert_eq!(done["outcome"], "done");
    let changes = done["changes"].as_array().unwrap().len();
    let other = dump(&rich);
    let differ = before.lines().zip(other.lines()).filter(|(a, b)| a != b);
    // The number of the service centre is told in UCS2 there, and means the same.
    assert_eq!(differ.count(), changes, "{other}");
    assert!(changes > 30, "{done}");
    assert_eq!(apply(&factory, &other)["outcome"], "done");
    assert_eq!(dump(&factory), other);
    assert_eq!(apply(&rich, &before)["outcome"], "done");
    assert_eq!(dump(&rich), before);
}

/// What is no command would go to the data center: behind an escape that is not answered not one byte of `AT` is sent.
#[test]
fn a_device_that_does_not_answer_the_escape_gets_no_command() {
    let deaf = OnPty::start(Gm1::new(Ways {
        no_escape: true,
        ..Ways::default()
    }));
    for arguments in [&["dump"][..], &["at", "AT+CSQ"], &["save"], &["restart"]] {
        let ended = on(deaf.port(), arguments).with(1);
        assert!(ended.err.contains("nothing answers"), "{}", ended.err);
        assert_eq!(ended.out, "");
    }
    let sent = deaf.look(|deaf| String::from_utf8(deaf.data.clone()).unwrap());
    assert_eq!(sent.replace("+++", ""), "", "{sent}");
    assert!(!sent.is_empty());
}
