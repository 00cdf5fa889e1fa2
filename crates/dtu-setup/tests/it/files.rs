//! Settings in files.

use dtu_setup::charset::Charset;
use dtu_setup::{Schema, file};

use crate::device::key;

fn fault(text: &str) -> String {
    file::read(&Schema::new(), text.as_bytes())
        .unwrap_err()
        .to_string()
}

#[test]
fn faults_have_their_place() {
    let cases = [
        (
            "CIMOD = 0\nCIMOOD = 1\n",
            "2:1: CIMOOD is no setting; dtuctl names lists all of them",
        ),
        (
            "[CIPCFG]\nHEAT = 1\nHEET = 2\n",
            "3:1: CIPCFG.HEET is no setting; there are CIPCFG.AUTO, CIPCFG.HEAT, CIPCFG.RESERVED, CIPCFG.TIME, CIPCFG.LEN, CIPCFG.RTIME",
        ),
        (
            "[CIPCFG]\nHEAT = 70000\n",
            "2:1: CIPCFG: HEAT must be 0..=65535, got 70000",
        ),
        (
            "CIMOD = 1.5\n",
            "1:9: CIMOD must be a number or a text, got a fraction",
        ),
        (
            "CIMOD = \n",
            "1:9: string values must be quoted, expected literal string",
        ),
        (
            "{\"CIMOD\": 9}",
            "1:3: CIMOD: MOD must be 0 (transparent), 1 (serial command), 2 (AT command), 3 (HTTPD) or 4 (SMS), got 9",
        ),
        (
            "{\"CIPCFG\": {\"HEET\": 9}}",
            "1:13: CIPCFG.HEET is no setting; there are CIPCFG.AUTO, CIPCFG.HEAT, CIPCFG.RESERVED, CIPCFG.TIME, CIPCFG.LEN, CIPCFG.RTIME",
        ),
        (
            "AT+CIMOD=0\nAT+CSQ\n",
            "2:1: AT+CSQ sets nothing that is stored",
        ),
        (
            "AT+CIMOD=7\n",
            "1:1: CIMOD: MOD must be 0 (transparent), 1 (serial command), 2 (AT command), 3 (HTTPD) or 4 (SMS), got 7",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(text), expected, "{text}");
    }
}

/// A line that cannot be read may hold a secret anywhere: its command is named, and nothing else of it.
#[test]
fn a_line_that_is_no_set_command_is_not_repeated() {
    let lines = [
        ("AT+CSTT=\"apn\",\"user\",\"s3cret\" # comment", "AT+CSTT: "),
        ("AT+CSTT=\"apn\",\"user\",\"s3cret", "AT+CSTT: "),
        ("at+cipsw=\"s3cret", "at+cipsw: "),
        ("AT+CIPSW=s3cret;+CIMOD=1", "AT+CIPSW: "),
        ("AT+CIPSWW=s3cret", "AT+CIPSWW sets nothing"),
        ("AT+CIPSW s3cret", "AT+CIPSW"),
        ("AT s3cret", "is no AT set command"),
        ("ATs3cretandalotmore", "is no AT set command"),
        ("abc,AT+CIPSW=s3cret", "is no AT set command"),
        ("CIPSW s3cret", "is no AT set command"),
        ("CIPSW=s3cret", "is no AT set command"),
        ("s3cret", "is no AT set command"),
        ("ATW", "ATW sets nothing"),
    ];
    for (line, words) in lines {
        let text = format!("AT+CIMOD=0\n{line}\n");
        let fault = file::read(&Schema::new(), text.as_bytes()).unwrap_err();
        let told = fault.to_string();
        assert!(told.starts_with(&format!("2:1: {words}")), "{line}: {told}");
        assert!(!told.contains("s3cret"), "{told}");
        assert!(!fault.text.chinese().contains("s3cret"), "{fault:?}");
        assert_ne!(fault.text.english(), fault.text.chinese(), "{told}");
    }
}

/// Each says what is wrong, where, and what is allowed.
#[test]
fn what_one_file_cannot_mean_is_named() {
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    };
    let fault = |bytes: &[u8]| {
        let fault = file::read(&Schema::new(), bytes).unwrap_err();
        assert_ne!(fault.text.english(), fault.text.chinese(), "{fault}");
        fault.to_string()
    };
    let toml = "CIMOD = 1\nCIMODID = \"水表\"\n";
    for bytes in [
        utf16(toml, u16::to_le_bytes),
        utf16(toml, u16::to_be_bytes),
        utf16("{\"CIMOD\": 1}", u16::to_le_bytes),
    ] {
        let words = "1:1: is UTF-16 without its mark in front; save it as UTF-8, or";
        assert!(fault(&bytes).starts_with(words), "{}", fault(&bytes));
    }
    let chinese = format!("CIMODID = \"{}\"\n", "水表一二三".repeat(8));
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let told = fault(&utf16(&chinese, unit));
        assert!(
            told.starts_with("1:1: is UTF-16 without its mark"),
            "{told}"
        );
    }
    for unit in [u32::to_le_bytes, u32::to_be_bytes] {
        for text in [toml, &format!("\u{FEFF}{toml}")] {
            let bytes: Vec<u8> = text
                .chars()
                .flat_map(|char| unit(u32::from(char)))
                .collect();
            assert_eq!(fault(&bytes), "1:1: is UTF-32; save it as UTF-8");
        }
    }
    let cases = [
        ("CIMOD = 1\nCI\0MODE = 0\n", "2:3: holds a zero byte"),
        (
            "CMEE = true\n",
            "1:8: CMEE must be 0 (ERROR), 1 (+CME ERROR: and a number) or 2",
        ),
        (
            "CIPNUM = true\n",
            "1:10: CIPNUM must be 1..=20 digits, + in front allowed, got true",
        ),
        ("CIMODID = false\n", "1:11: CIMODID must be "),
        ("{\"CMEE\": true}", "1:2: CMEE must be 0 (ERROR)"),
        (
            "CIMOD = 1\ncimod = 0\n",
            "2:1: CIMOD is given twice; it has one value",
        ),
        (
            "[CIPCFG]\nHEAT = 1\nheat = 2\n",
            "3:1: CIPCFG.HEAT is given twice",
        ),
        (
            "{\"CIMOD\": 1,\n \"CIMOD\": 0}",
            "2:2: CIMOD is given twice; it has one value",
        ),
        ("{\"CIMOD\": 1, \"cimod\": 0}", "1:14: CIMOD is given twice"),
        (
            "{\"CIPCFG\": {\"HEAT\": 1},\n \"CIPCFG\": {\"TIME\": 0}}",
            "2:2: CIPCFG is given twice",
        ),
        (
            "{\"CIPCFG\": {\"HEAT\": 1,\n\"HEAT\": 1}}",
            "2:1: CIPCFG.HEAT is given twice",
        ),
        (
            "AT+CIMOD=0\nAT+CIPNUM=1\nAT+CIMOD=1\n",
            "3:1: CIMOD is given twice; it has one value",
        ),
        (
            "AT+CIPSCONT=1,TCP,a.b,1,1\r\nat+cipscont=1,TCP,a.b,1,1\r\n",
            "2:1: CIPSCONT.1 is given twice",
        ),
        ("ATW\nAT+CIMOD=1\n", "1:1: ATW sets nothing that is stored"),
        ("# all\n\nATZ\n", "3:1: ATZ sets nothing that is stored"),
        ("AT+CIMOD=1\rAT+CSQ\r", "2:1: AT+CSQ sets nothing"),
        ("CIMOD = 1\rCIMOOD = 1\r", "2:1: CIMOOD is no setting"),
        (
            "[]",
            "1:1: JSON of settings must be one object, as {\"CIMOD\": 0}",
        ),
        ("\n [1, 2]", "2:2: JSON of settings must be one object"),
        (
            "[{\"CIMOD\": 1}]\n",
            "1:1: JSON of settings must be one object",
        ),
    ];
    for (text, words) in cases {
        let told = fault(text.as_bytes());
        assert!(told.starts_with(words), "{text:?}: {told}");
    }
}

#[test]
fn true_and_false_stand_for_the_values_of_a_switch() {
    let schema = Schema::new();
    for text in [
        "CINETAT = true\n[CIPSCONT.1]\nSTART = false\n",
        "{\"CINETAT\": true, \"CIPSCONT\": {\"1\": {\"START\": false}}}",
    ] {
        let values = file::read(&schema, text.as_bytes()).unwrap();
        assert_eq!(values.get(&key("CINETAT")), Some("1"));
        assert_eq!(values.get(&key("CIPSCONT.1.START")), Some("0"));
    }
    let values = file::read(&schema, b"HTPFLT = true\n").unwrap();
    assert_eq!(values.get(&key("HTPFLT")), Some("ON"));
    // 0 and 1, but of two formats.
    assert!(fault("CMGF = true\n").starts_with("1:8: CMGF must be "));
}

/// The charset of the line that the file is for.
#[test]
fn a_character_that_the_line_lacks_has_its_place() {
    let read = |text: &str, charset| file::read_for(&Schema::new(), text.as_bytes(), charset);
    let files = [
        ("CIMOD = 0\nCIMODID = \"泵 Ä\"\n", "2:1"),
        ("{\"CIMOD\": 0,\n \"CIMODID\": \"Ä\"}", "2:3"),
        ("AT+CIMOD=0\nAT+CIMODID=\"Ä\"\n", "2:1"),
    ];
    for (text, place) in files {
        let fault = read(text, Charset::Gbk).unwrap_err();
        let words = "CIMODID: Ä is not in GBK, the charset of the line (--charset)";
        assert_eq!(fault.to_string(), format!("{place}: {words}"));
        assert!(read(text, Charset::Utf8).is_ok(), "{text}");
    }
    // This one is UTF-8 on any line.
    assert!(read("HTPURL = \"/Ä\"\n", Charset::Gbk).is_ok());
    assert!(read("CIMODID = \"泵\"\n", Charset::Gbk).is_ok());
}

/// Links of a kind are settings of their own; and the names of some settings begin as commands do.
#[test]
fn what_begins_as_a_command_is_read_as_what_it_is() {
    let schema = Schema::new();
    let read = |text: &str| file::read(&schema, text.as_bytes()).unwrap();
    let links = read("AT+CIPSCONT=1,TCP,a.b,1,1\rAT+CIPSCONT=2,TCP,a.c,2,1\r");
    assert_eq!(links.get(&key("CIPSCONT.1.ADDRESS")), Some("a.b"));
    assert_eq!(links.get(&key("CIPSCONT.2.ADDRESS")), Some("a.c"));
    for text in ["ATE = 0\n", "ATE = 0\rCIMOD = 1\r", "ATE0\n", "ate0\r"] {
        assert_eq!(read(text).get(&key("ATE")), Some("0"), "{text:?}");
    }
}

/// Files of Windows editors, and of Chinese ones.
#[test]
fn files_of_all_encodings_are_read() {
    let schema = Schema::new();
    let text = "CIMODID = \"水表\"\n";
    let utf16 = |bytes: fn(u16) -> [u8; 2], mark: &[u8]| -> Vec<u8> {
        mark.iter()
            .copied()
            .chain(text.encode_utf16().flat_map(bytes))
            .collect()
    };
    let files: [Vec<u8>; 5] = [
        text.into(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        utf16(u16::to_le_bytes, b"\xFF\xFE"),
        utf16(u16::to_be_bytes, b"\xFE\xFF"),
        b"CIMODID = \"\xCB\xAE\xB1\xED\"\n".to_vec(),
    ];
    for bytes in files {
        let values = file::read(&schema, &bytes).unwrap();
        assert_eq!(values.get(&key("CIMODID")), Some("水表"));
    }
    let fault = file::read(&schema, b"CIMODID = \"\xFF\x20\"\n").unwrap_err();
    assert_eq!(
        fault.to_string(),
        "1:1: is neither UTF-8 nor GBK; save it as UTF-8"
    );
}
