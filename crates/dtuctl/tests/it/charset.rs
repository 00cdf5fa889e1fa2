//! One charset for both directions: what the page shows, `dtuctl` shows.

use crate::device::Device;
use crate::program::{Ended, command, on};
use crate::scripted::Scripted;
use crate::ui::Page;

/// A dump without the secrets, which the page does not show.
fn lines(dump: &str) -> Vec<&str> {
    let is_secret = |line: &&str| line.starts_with("HTPHD") || line.starts_with("PASSWORD");
    dump.lines().filter(|line| !is_secret(line)).collect()
}

#[test]
fn chinese_is_the_same_text_on_the_line_and_in_the_console() {
    for charset in ["gbk", "utf-8"] {
        let device = Device::with_console(&format!("[serial]\ncharset = \"{charset}\"\n"));
        let (port, page) = (device.port(), Page::at(device.console().to_owned()));
        let with = ["--charset", charset];
        // A new device has it, so nobody says it.
        let with = if charset == "gbk" { &[][..] } else { &with };
        let file = device.file("new.toml", "CIMODID = \"水泵水泵\"\nHTPURL = \"/水泵?\"\n");
        let done = on(&port, &[with, &["apply", &file, "--json"]].concat()).with(0);
        assert_eq!(done.json()["outcome"], "done", "{done:?}");
        let dump = on(&port, &[with, &["dump"]].concat()).with(0).out;
        assert!(dump.contains("CIMODID = \"水泵水泵\""), "{dump}");
        assert_eq!(lines(&dump), lines(&page.dump()), "{charset}");
        let again = on(&port, &[with, &["apply", &file]].concat()).with(0);
        assert_eq!(again.out, "nothing to do\n");
        // Its bytes are text in GBK, too.
        let said = on(&port, &["dump"]).with(0).err;
        let hint = "would be 水泵水泵 in UTF-8; if that is meant, --charset utf-8 reads it";
        assert_eq!(said.contains(hint), charset == "utf-8", "{said}");
    }
}

/// In the wrong charset nothing is made up, and nothing is written over.
#[test]
fn text_in_another_charset_is_named_and_left_alone() {
    let device = Device::start(&[]);
    let port = device.port();
    on(&port, &["set", "CIMODID=水泵"]).with(0);
    let wrong = ["--charset", "utf-8"];
    let dump = on(&port, &[&wrong[..], &["dump"]].concat()).with(0);
    assert!(
        !dump.out.contains("CIMODID") && !dump.out.contains('\u{FFFD}'),
        "{}",
        dump.out
    );
    let words = "not read: CIMODID: what the device tells is no text in the charset of the line";
    assert!(dump.err.contains(words), "{}", dump.err);
    let refused = on(&port, &[&wrong[..], &["set", "CIMODID=泵"]].concat()).with(1);
    assert!(
        refused.err.contains("CIMODID is not known"),
        "{}",
        refused.err
    );
    let told = on(&port, &["at", "AT+CIMODID?"]).with(0).out;
    assert_eq!(told, "+CIMODID:\"水泵\"\nOK\n");
}

/// Before any device is asked.
#[test]
fn a_character_that_the_line_lacks_is_a_fault_of_whoever_wrote_it() {
    let words = "CIMODID: Ä is not in GBK, the charset of the line (--charset)";
    let nowhere = std::path::Path::new("/nowhere");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.toml");
    std::fs::write(&file, "CIMOD = 0\nCIMODID = \"Ä\"\n").unwrap();
    let file = file.to_str().unwrap();
    for more in [&[][..], &["--dry-run"], &["--dry-run", "--json"]] {
        let call = [&["apply", file], more].concat();
        let lacks = on(nowhere, &call).with(2);
        assert_eq!(lacks.err, format!("dtuctl: {file}:2:1: {words}\n"));
        let kind = more
            .contains(&"--json")
            .then(|| lacks.json()["error"]["kind"].clone());
        assert_eq!(kind.unwrap_or_else(|| "file".into()), "file");
        // The next fault is the port.
        let other = on(nowhere, &[&call[..], &["--charset", "utf-8"]].concat()).with(1);
        assert!(other.err.contains("/nowhere: "), "{}", other.err);
    }
    let lacks = on(nowhere, &["set", "CIMOD=0", "CIMODID=Ä"]).with(2);
    assert_eq!(lacks.err, format!("dtuctl: {words}\n"));
    let lacks = on(nowhere, &["at", "AT", "AT+CIMODID=Ä"]).with(2);
    assert!(lacks.err.contains("Ä is not in GBK"), "{}", lacks.err);
    on(nowhere, &["set", "HTPURL=/Ä"]).with(1);
}

/// Over a link the device has the charset of its line, too.
#[test]
fn a_link_has_the_charset_of_the_line() {
    let port = crate::via::free_port();
    let _device = crate::via::device(port);
    let way = format!("listen:127.0.0.1:{port}");
    let set = crate::via::via(&way, "pump7", &["at", "AT+CIMODID=水泵", "AT+CIMODID?"]);
    let told = Ended::from({ set }.output().unwrap()).with(0).out;
    assert_eq!(told, "OK\n+CIMODID:\"水泵\"\nOK\n");
}

#[test]
fn there_are_two_charsets() {
    let device = Scripted::start(|_| "\r\nOK\r\n".to_owned());
    let wrong = on(device.port(), &["--charset", "big5", "at", "AT"]).with(2);
    assert!(wrong.err.contains("gbk, utf-8"), "{}", wrong.err);
    let help = Ended::from(command(&["--help"]).output().unwrap()).out;
    assert!(help.contains("--charset"), "{help}");
    device.look(|device| assert!(device.commands.is_empty()));
}
