use super::words::time;
use super::*;

fn problem(text: &str) -> String {
    Script::parse(text)
        .map(|_| String::new())
        .unwrap_or_else(|error| error.to_string())
}

#[test]
fn times_have_units() {
    let millis = |text| time(text).map(|time| time.as_millis());
    assert_eq!(millis("1m30s"), Some(90_000));
    assert_eq!(millis("500ms"), Some(500));
    assert_eq!(millis("2h"), Some(7_200_000));
    for bad in [
        "",
        "10",
        "s",
        "10 s",
        "-1s",
        "31d",
        "99999999999999999999s",
        "1.5s",
    ] {
        assert_eq!(time(bad), None, "{bad}");
    }
    assert_eq!(
        time(&"18446744073709551615ms".repeat(1100)),
        None,
        "longer than any time"
    );
}

#[test]
fn a_fault_is_one_printable_line_whatever_was_found() {
    let said = problem(&format!("\u{1b}[2J{}", "\0".repeat(100_000)));
    assert!(
        said.chars().count() < 450 && !said.contains(char::is_control),
        "{said}"
    );
    assert!(
        said.starts_with("1:1: \"\u{fffd}[2J") && said.ends_with("tries-stay"),
        "{said}"
    );
}

#[test]
fn a_repeat_of_long_texts_does_not_take_all_memory() {
    let line = format!(
        "repeat 10000 every 1s sms from 10086 \"{}\"\n",
        "x".repeat(20_000)
    );
    assert_eq!(
        problem(&line),
        "1:1: more than 16777216 bytes of texts in all"
    );
    assert_eq!(problem(&line.replace("10000", "800")), "");
}

#[test]
fn a_script_is_read_in_the_order_of_time() {
    let text = "# a day\nat 60s registration lost 300s\nat 10s sms from +8613912345678 \"hi # there\\n\" # note\n\n\
                at 20s repeat 2 every 5s modem 2 sms from 10086 to +86138 \"{n}\"";
    let script = Script::parse(text).unwrap();
    let shown: Vec<_> = script
        .steps
        .iter()
        .map(|step| (step.at.as_secs(), step.modem, step.line))
        .collect();
    assert_eq!(shown, [(10, 1, 3), (20, 2, 5), (25, 2, 5), (60, 1, 2)]);
    let Verb::Text { text, to, .. } = &script.steps[2].verb else {
        panic!("{script:?}")
    };
    assert_eq!(
        (text.as_str(), to.map(|to| to.to_string())),
        ("2", Some("+86138".into()))
    );
    let Verb::Text { text, .. } = &script.steps[0].verb else {
        panic!("{script:?}")
    };
    assert_eq!(text, "hi # there\n");
}

#[test]
fn every_verb_can_be_written() {
    let all = [
        "sms from 10086 \"x\"",
        "data from 10086 00ff",
        "pdu 0891683108504405F0240D91688159142058F700004190015160012307743A9DAE3FA301",
        "call from 10086",
        "call from 10086 to 10010",
        "answer 10086",
        "hangup 10086",
        "phone 10086 answers 3s",
        "phone 10086 busy",
        "phone 10086 rings",
        "phone 10086 off",
        "registration denied",
        "registration lost 5m",
        "signal 12",
        "signal 12 3",
        "signal 99 99",
        "signal moves 10s",
        "signal steady",
        "cell 21269 34093",
        "operator \"China Unicom\" 46001",
        "reset",
        "reset 5s",
        "leave",
        "leave 30s",
        "back",
        "faults none",
        "faults lost 1 answer-lost 2 refused 3 doubled 4 overtaken 5",
        "submit 200ms..1s",
        "delivery 1s",
        "silent 60s",
        "slow 300ms",
        "blank-lines on",
        "bare-prompt off",
        "prompt-errors 2",
        "lines-inside on",
        "pin-unheeded on",
        "tries-stay off",
    ];
    for line in all {
        assert!(
            matches!(Script::parse_now(line), Ok(Some((1, _)))),
            "{line}: {:?}",
            Script::parse_now(line)
        );
        assert_eq!(problem(&format!("at 1s modem 3 {line}")), "");
    }
    assert_eq!(Script::parse_now("  # nothing"), Ok(None));
}

#[test]
fn faults_of_a_script_are_told_with_line_column_and_what_is_allowed() {
    let all = [
        (
            "\nat 5s regstration lost",
            "2:7: \"regstration\" is no verb; allowed: sms, data",
        ),
        (
            "at 5 reset",
            "1:4: \"5\" is no time; allowed: a time as 500ms",
        ),
        (
            "sms +8613912345678 \"x\"",
            "1:5: \"+8613912345678\" stands where \"from\" is wanted",
        ),
        (
            "sms from Bob \"x\"",
            "1:10: \"Bob\" is no phone number; allowed: up to 20 digits",
        ),
        ("sms from 10086 x", "1:16: x is no text in quotes"),
        ("sms from 10086 \"x", "1:16: the quote is not closed"),
        ("sms from 10086 \"\\q\"", "1:16: \\q is no escape"),
        (
            "sms from 10086",
            "1:15: a text is missing; allowed: a text in quotes",
        ),
        (
            "signal 32",
            "1:8: \"32\" is no signal; allowed: 0..=31 or 99",
        ),
        (
            "signal 3 8",
            "1:10: \"8\" is no error rate; allowed: 0..=7 or 99",
        ),
        (
            "registration gone",
            "1:14: \"gone\" is no registration; allowed: home, roaming",
        ),
        (
            "faults lost 101",
            "1:13: \"101\" is not allowed for lost; allowed: 0..=100",
        ),
        (
            "faults swapped 1",
            "1:8: \"swapped\" is no fault; allowed: none, lost N",
        ),
        (
            "phone 10086 asleep",
            "1:13: \"asleep\" is nothing a phone does; allowed: answers",
        ),
        (
            "operator \"X\" 46",
            "1:14: \"46\" is no network code; allowed: 5 or 6 digits",
        ),
        ("pdu 00", "1:5: "),
        ("data from 1 0g", "1:13: octet 0: 'g' is no hex digit"),
        ("submit 2s..1s", "1:8: \"2s..1s\" is no span of time"),
        ("back now", "1:6: \"now\" stands behind the end"),
        (
            "blank-lines yes",
            "1:13: \"yes\" is no switch; allowed: on, off",
        ),
        (
            "repeat 3 reset",
            "1:10: \"reset\" stands where \"every\" is wanted",
        ),
        (
            "modem 0 reset",
            "1:7: \"0\" is not allowed for modem; allowed: 1..=1000",
        ),
    ];
    for (text, wanted) in all {
        assert!(
            problem(text).starts_with(wanted),
            "{text:?}: {}",
            problem(text)
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_line_makes_it_panic(text in "\\PC*") {
        let _ = Script::parse(&text);
    }

    #[test]
    fn no_line_of_known_words_makes_it_panic(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "at", "5s", "sms", "from", "10086", "\"x\"", "signal", "faults", "lost", "repeat", "every", "phone", "modem", "call", "to", "\"",
        ]), 0..8)
    ) {
        let _ = Script::parse(&words.join(" "));
    }
}
