//! The program as it is called: arguments, stdin, stdout, stderr, exit code.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const MANUAL: &str = "0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301";
const RESERVED: &str = "0043010C910661345542F60008A0050003000301306F3044";

fn dtuctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dtuctl"))
        .args(arguments)
        .output()
        .unwrap()
}

fn dtuctl_reading(arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dtuctl"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn errors(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The only object that a good call printed.
fn encoded(arguments: &[&str]) -> Value {
    let output = dtuctl(&[&["pdu", "encode"], arguments].concat());
    assert_eq!((output.status.code(), errors(&output)), (Some(0), ""));
    let mut objects = objects(&output);
    assert_eq!(objects.len(), 1);
    objects.remove(0)
}

#[test]
fn every_vector_is_printed_in_its_own_field_names() {
    let file: Value = serde_json::from_str(include_str!(
        "../../../sms-codec/tests/it/data/sms_vectors.json"
    ))
    .unwrap();
    let is_pdu = |vector: &&Value| vector["kind"] == "decode" || vector["kind"] == "encode";
    let vectors: Vec<&Value> = file["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_pdu)
        .collect();
    let lines: String = vectors
        .iter()
        .map(|vector| format!("{}\n", vector["pdu"].as_str().unwrap()))
        .collect();
    let output = dtuctl_reading(&["pdu", "decode", "--lenient", "-"], &lines);
    assert_eq!(output.status.code(), Some(0));
    let objects = objects(&output);
    assert_eq!(objects.len(), vectors.len());
    for (object, vector) in objects.iter().zip(vectors) {
        for name in ["pdu", "type", "direction", "tpdu_len"] {
            assert_eq!(object[name], vector[name], "{}", vector["id"]);
        }
        for (name, wanted) in vector["fields"].as_object().unwrap() {
            assert_eq!(object.get(name), Some(wanted), "{} {name}", vector["id"]);
        }
    }
}

#[test]
fn a_bad_pdu_is_exit_1_and_names_the_octet_and_the_others_are_printed() {
    let output = dtuctl(&["pdu", "decode", MANUAL, RESERVED, "00", "0x", MANUAL]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(objects(&output).len(), 2);
    let wanted = "\
dtuctl: PDU 2: octet 1: message type 3 is reserved
dtuctl: PDU 3: octet 1: the PDU ends: the first octet takes 1, 0 left
dtuctl: PDU 4: octet 0: 'x' is no hex digit (character 1)
";
    assert_eq!(errors(&output), wanted);
}

#[test]
fn lines_of_stdin_may_be_blank_or_end_in_cr_and_are_named_by_number() {
    let output = dtuctl_reading(
        &["pdu", "decode", "-"],
        &format!("{MANUAL}\r\n\n{RESERVED}\n{MANUAL}"),
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(objects(&output).len(), 2);
    assert_eq!(
        errors(&output),
        "dtuctl: line 3: octet 1: message type 3 is reserved\n"
    );
}

#[test]
fn h10_a_cut_or_overlong_pdu_is_no_good_one_unless_that_is_asked_for() {
    let cut = &MANUAL[..MANUAL.len() - 4];
    let short = &MANUAL[..MANUAL.len() - 2];
    let output = dtuctl(&["pdu", "decode", short, MANUAL, &format!("{MANUAL}00")]);
    assert_eq!((output.status.code(), objects(&output).len()), (Some(1), 1));
    assert_eq!(
        errors(&output),
        "dtuctl: PDU 1: 1 octet of user data missing at the end; --lenient prints what is there\n\
         dtuctl: PDU 3: 1 octet too many at the end; --lenient prints what is there\n"
    );
    let output = dtuctl(&["pdu", "decode", "--lenient", cut, &format!("{MANUAL}0000")]);
    assert_eq!(output.status.code(), Some(0));
    let objects = objects(&output);
    assert_eq!(
        (&objects[0]["text"], &objects[0]["missing"]),
        (&json!("ttttz"), &json!(2))
    );
    assert_eq!(
        (&objects[1]["text"], &objects[1]["surplus"]),
        (&json!("ttttzgh"), &json!(2))
    );
    assert_eq!(errors(&output).lines().count(), 2);
}

#[test]
fn a_tpdu_without_service_center_is_read_where_asked_for() {
    let output = dtuctl(&["pdu", "decode", "--tpdu", &MANUAL[18..], "04FF"]);
    assert_eq!(output.status.code(), Some(1));
    let objects = objects(&output);
    assert_eq!(
        (&objects[0]["smsc"], &objects[0]["text"]),
        (&Value::Null, &json!("ttttzgh"))
    );
    assert_eq!(
        errors(&output),
        "dtuctl: PDU 2: octet 1: an address length is at most 20, got 255\n"
    );
}

#[test]
fn a_text_becomes_the_pdu_that_other_programs_make() {
    let pdu = |arguments: &[&str]| encoded(arguments)["pdu"].as_str().unwrap().to_owned();
    assert_eq!(
        pdu(&["--to", "+34616585119", "--text", "hola"]),
        "0001000B914316565811F9000004E8373B0C"
    );
    assert_eq!(
        pdu(&["--to", "+34654123456", "--text", "hey yo", "--report"]),
        "0021000B914356143254F6000006E8721E947F03"
    );
    assert_eq!(
        pdu(&[
            "--to",
            "+34616585119",
            "--text",
            "あ叶葉",
            "--smsc",
            "+34646456456"
        ]),
        "07914346466554F601000B914316565811F9000806304253F68449"
    );
    assert_eq!(
        pdu(&[
            "--to",
            "655345678",
            "--text",
            "Русский",
            "--valid-for",
            "4d"
        ]),
        "001100098156355476F80008AA0E0420044304410441043A04380439"
    );
}

#[test]
fn the_coding_can_be_chosen() {
    let to = ["--to", "10086"];
    let coding = |arguments: &[&str]| {
        let object = encoded(&[&to, arguments].concat());
        (object["alphabet"].clone(), object["dcs"].clone())
    };
    assert_eq!(coding(&["--text", "a"]), (json!("gsm7"), json!(0)));
    assert_eq!(
        coding(&["--text", "a", "--ucs2"]),
        (json!("ucs2"), json!(8))
    );
    assert_eq!(
        coding(&["--text", "a", "--8bit", "--class", "1"]),
        (json!("8bit"), json!(0x15))
    );
    let data = encoded(&[&to[..], &["--data", "00ff", "--ports", "5000:5001"]].concat());
    assert_eq!(data["data"], json!("00FF"));
    assert_eq!(data["ports"], json!({ "to": 5000, "from": 5001 }));
    let turkish = encoded(&[&to[..], &["--text", "İyi ğ", "--locking", "turkish"]].concat());
    assert_eq!(
        (&turkish["text"], &turkish["udh"]),
        (&json!("İyi ğ"), &json!("03250101"))
    );
}

#[test]
fn a_long_text_is_one_object_a_part() {
    let text = "a".repeat(161);
    let narrow = dtuctl(&[
        "pdu",
        "encode",
        "--to",
        "1",
        "--text",
        &text,
        "--reference",
        "9",
    ]);
    let parts = objects(&narrow);
    let concat: Vec<&Value> = parts.iter().map(|part| &part["concat"]).collect();
    let wanted = [1, 2].map(|seq| json!({ "ref": 9, "total": 2, "seq": seq }));
    assert_eq!(concat, wanted.iter().collect::<Vec<_>>());
    let wide = dtuctl(&[
        "pdu",
        "encode",
        "--to",
        "1",
        "--text",
        &text,
        "--reference",
        "9",
        "--wide",
    ]);
    assert_eq!(objects(&wide)[0]["udh"], json!("06080400090201"));
    let refused = dtuctl(&[
        "pdu",
        "encode",
        "--to",
        "1",
        "--text",
        &text,
        "--max-parts",
        "1",
    ]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    assert_eq!(
        errors(&refused),
        "dtuctl: the message takes 2 parts, at most 1 are allowed\n"
    );
}

#[test]
fn a_text_that_the_asked_alphabet_lacks_is_exit_1() {
    let output = dtuctl(&["pdu", "encode", "--to", "1", "--text", "a泵", "--gsm7"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert_eq!(
        errors(&output),
        "dtuctl: --text: '泵' (byte 1) is not in the GSM 7-bit alphabet\n"
    );
}

#[test]
fn wrong_usage_is_exit_2_and_prints_nothing() {
    let wrong: [&[&str]; 11] = [
        &[],
        &["pdu"],
        &["pdu", "decode"],
        &["pdu", "encode", "--text", "a"],
        &["pdu", "encode", "--to", "1"],
        &["pdu", "encode", "--to", "eKit", "--text", "a"],
        &[
            "pdu", "encode", "--to", "1", "--text", "a", "--ucs2", "--8bit",
        ],
        &["pdu", "encode", "--to", "1", "--data", "0"],
        &[
            "pdu",
            "encode",
            "--to",
            "1",
            "--text",
            "a",
            "--valid-for",
            "64w",
        ],
        &["pdu", "encode", "--to", "1", "--text", "a", "--class", "4"],
        &[
            "pdu",
            "encode",
            "--to",
            "1",
            "--text",
            "a",
            "--max-parts",
            "0",
        ],
    ];
    for arguments in wrong {
        let output = dtuctl(arguments);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{arguments:?}"
        );
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn help_shows_examples_that_work() {
    for command in ["decode", "encode"] {
        let output = dtuctl(&["pdu", command, "--help"]);
        let help = std::str::from_utf8(&output.stdout).unwrap().to_owned();
        let examples: Vec<&str> = help
            .lines()
            .filter(|line| line.starts_with("  dtuctl "))
            .collect();
        assert!(examples.len() >= 2, "{help}");
        for example in examples
            .into_iter()
            .filter(|example| !example.contains('<'))
        {
            let words: Vec<String> = example
                .split('\'')
                .enumerate()
                .flat_map(|(quoted, piece)| words(quoted % 2 == 1, piece))
                .collect();
            let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
            let output = dtuctl(&words);
            assert_eq!(
                (output.status.code(), errors(&output)),
                (Some(0), ""),
                "{example}"
            );
        }
    }
}

fn words(quoted: bool, piece: &str) -> Vec<String> {
    if quoted {
        vec![piece.to_owned()]
    } else {
        piece.split_whitespace().map(str::to_owned).collect()
    }
}
