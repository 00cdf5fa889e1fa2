//! What people read, in Chinese; what programs read stays English.

use std::process::Command;
use std::time::Duration;

use crate::apply::two_settings;
use crate::device::Device;
use crate::program::{Ended, command, dtuctl, on};
use crate::scripted::{OnPty, Plays, Scripted};

fn has_han(text: &str) -> bool {
    text.contains(|char| ('\u{4E00}'..='\u{9FFF}').contains(&char))
}

fn in_locale(name: &str, value: &str, arguments: &[&str]) -> Ended {
    let mut command: Command = command(arguments);
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES");
    command.env("LANG", "en_US.UTF-8").env(name, value);
    command.output().unwrap().into()
}

#[test]
fn the_locale_or_the_option_chooses_it() {
    let wrong = ["set", "CIPCFG.HEAT=99999"];
    let chinese = "dtuctl: CIPCFG:HEAT 必须为 0..=65535，收到 99999\n";
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        let said = in_locale(name, "zh_CN.UTF-8", &wrong).with(2).err;
        assert_eq!(said, chinese, "{name}");
    }
    assert_eq!(dtuctl(&["--lang", "zh", wrong[0], wrong[1]]).err, chinese);
    let english = "dtuctl: CIPCFG: HEAT must be 0..=65535, got 99999\n";
    assert_eq!(in_locale("LANG", "C.UTF-8", &wrong).err, english);
    let english_after_all = in_locale("LANG", "zh_CN.UTF-8", &["set", wrong[1], "--lang=en"]);
    assert_eq!(english_after_all.err, english);
    let names = dtuctl(&["names", "--lang", "zh"]).with(0).out;
    let odd = names.lines().find(|line| !has_han(line));
    assert_eq!(odd, None);
}

#[test]
fn how_an_apply_ends_is_told_in_chinese_and_its_json_in_english() {
    let stubborn = |line: &str| line.starts_with("AT+CIMOD=") || line == "AT+CIPNUM=10086";
    let box_ = Scripted::start(two_settings(stubborn));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.txt");
    std::fs::write(&file, "AT+CIPNUM=10010\nAT+CIMOD=1\n").unwrap();
    let file = file.to_str().unwrap();
    let json = on(box_.port(), &["--lang", "zh", "apply", "--json", file]).with(3);
    assert!(!has_han(&json.out), "{}", json.out);
    assert_eq!(json.json()["outcome"], "failed, old values not back");
    let box_ = Scripted::start(two_settings(stubborn));
    let failed = on(box_.port(), &["--lang", "zh", "apply", file]).with(3);
    assert_eq!(
        failed.err,
        "dtuctl: 设备拒绝 AT+CIMOD=1：ERROR\n以下参数可能已是新值，未能恢复：\n  CIPNUM\n"
    );
}

#[test]
fn what_a_device_tells_is_shown_in_chinese_rows() {
    let device = Device::start(&[]);
    let status = on(&device.port(), &["--lang", "zh", "status"]).with(0).out;
    assert!(status.contains("工作模式   0（透传模式）\n"), "{status}");
    let odd = status.lines().find(|line| !has_han(line));
    assert_eq!(odd, None, "{status}");
    let file = device.file("new.toml", "CIMODID = \"Pump 7\"\nCIPSW = \"pump7\"\n");
    let done = on(&device.port(), &["--lang", "zh", "apply", &file])
        .with(0)
        .out;
    assert!(done.contains("+ CIPSW = ****（新）\n"), "{done}");
    let end = "完成：已设置、保存并读回\n无法核对：CIPSW（没有应答返回该值）\n";
    assert!(done.ends_with(end), "{done}");
}

/// A box that is switched off.
pub(crate) struct Deaf;

impl Plays for Deaf {
    fn play(&mut self, _: &[u8], _: Duration) -> Vec<u8> {
        Vec::new()
    }
}

/// The advice for what goes wrong most often.
#[test]
fn a_line_on_which_nobody_answers_is_told_in_chinese() {
    let silent = OnPty::start(Deaf);
    let told = on(silent.port(), &["--lang", "zh", "at", "AT"]).with(1).err;
    assert!(told.contains("没有任何应答：端口是否正确？"), "{told}");
    assert!(told.contains("请用 --enter none"), "{told}");
    let missing = dtuctl(&["--lang", "zh", "--port", "/nowhere", "at", "AT"]).with(1);
    assert_eq!(
        missing.err,
        "dtuctl: /nowhere：文件或设备不存在 (os error 2)\n"
    );
}
