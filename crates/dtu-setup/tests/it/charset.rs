//! Texts in the charset of the line, in both directions.

use dtu_proto::config::{Charset, Config, Options};
use dtu_setup::apply::{Outcome, apply, plan};
use dtu_setup::door::Door as _;
use dtu_setup::file::{self, Format};
use dtu_setup::reading::Why;
use dtu_setup::serial::Serial;
use dtu_setup::{Schema, Values};

use crate::device::{Line, key, read};

/// A device that has that charset, with a banner and a target in Chinese, in the hands of who believes it to have `ours`.
fn open(its: Charset, ours: Charset) -> Serial<Line> {
    let config = Config {
        banner: "水泵 7".to_owned(),
        ..Config::default()
    };
    let options = Options {
        charset: its,
        ..Options::default()
    };
    let mut line = Line::with(config, options);
    line.bench.at(10_000).take_printed();
    let Ok(serial) = Serial::enter(line) else {
        panic!("+++ does not lead into the command state");
    };
    serial.in_charset(ours)
}

fn wanted(values: &[(&str, &str)]) -> Values {
    let mut wanted = Values::default();
    for (name, value) in values {
        let _ = wanted.set(key(name), (*value).to_owned());
    }
    wanted
}

#[test]
fn chinese_is_read_set_and_read_back_in_either_charset() {
    let schema = Schema::new();
    for charset in [Charset::Gbk, Charset::Utf8] {
        let mut door = open(charset, charset);
        let before = read(&mut door).unwrap();
        assert_eq!(before.values.get(&key("CIMODID")), Some("水泵 7"));
        // The second is UTF-8 on any line.
        let wanted = wanted(&[("CIMODID", "泵站，北"), ("HTPURL", "/泵?")]);
        let plan = plan(&schema, &before, &wanted, &door).unwrap();
        let outcome = apply(&mut door, &schema, &plan, &mut |_| {});
        let not_verifiable = Vec::new();
        assert_eq!(outcome, Outcome::Done { not_verifiable });
        let after = read(&mut door).unwrap().values;
        assert_eq!(after.get(&key("CIMODID")), Some("泵站，北"));
        assert_eq!(after.get(&key("HTPURL")), Some("/泵?"));
        door.leave().unwrap();
        let line = door.into_port();
        assert_eq!(line.bench.dtu.config().banner, "泵站，北");
    }
}

/// What nobody can read is in no file, and nobody writes over it.
#[test]
fn text_in_another_charset_is_not_read_and_not_written_over() {
    let schema = Schema::new();
    let mut door = open(Charset::Gbk, Charset::Utf8);
    let reading = read(&mut door).unwrap();
    let unread = reading
        .unread
        .iter()
        .find(|it| it.group.label() == "CIMODID");
    assert_eq!(unread.map(|unread| &unread.why), Some(&Why::NoText));
    for format in [Format::Toml, Format::Json] {
        let text = file::write(&schema, &reading.values, format);
        assert!(
            !text.contains("CIMODID") && !text.contains('\u{FFFD}'),
            "{text}"
        );
    }
    let sent = door.port_mut().sent.len();
    let refused = plan(&schema, &reading, &wanted(&[("CIMODID", "x")]), &door).unwrap_err();
    assert!(
        refused.english().contains("CIMODID is not known"),
        "{refused}"
    );
    assert!(refused.english().contains("--charset"), "{refused}");
    assert_eq!(door.port_mut().sent.len(), sent);
    // The rest of the device can be set.
    assert!(plan(&schema, &reading, &wanted(&[("CIPCFG.HEAT", "61")]), &door).is_ok());
}

#[test]
fn what_the_charset_lacks_is_refused_before_anything_is_sent() {
    let schema = Schema::new();
    let mut door = open(Charset::Gbk, Charset::Gbk);
    let reading = read(&mut door).unwrap();
    let sent = door.port_mut().sent.len();
    let refused = plan(&schema, &reading, &wanted(&[("CIMODID", "Zähler")]), &door).unwrap_err();
    assert!(
        refused.english().starts_with("CIMODID: ä is not in GBK"),
        "{refused}"
    );
    let refused = door.command("AT+CIMODID=Zähler").unwrap_err();
    assert!(
        refused.to_string().starts_with("ä is not in GBK"),
        "{refused}"
    );
    assert_eq!(door.port_mut().sent.len(), sent);
}
