//! The escape, and commands amid the data.

use super::*;

fn phase(dev: &Bench) -> Phase {
    dev.dtu.status(dev.now).phase
}

/// `+++` by these reads (gap in ms before each, bytes), the first after a second of silence.
fn types(dev: &mut Bench, reads: &[(u64, &str)]) {
    let mut now = dev.millis() + 1000;
    for (gap, bytes) in reads {
        now += gap;
        dev.at(now).serial(bytes);
    }
}

#[test]
fn plus_signs_in_a_payload_are_data() {
    for payload in [
        "+", "++", "+x", "++x", "+++x", "+++abc", "x+", "x++", "x+++", "x+++y", "++++", "+++++",
        "+++a", "+++a\r",
    ] {
        let mut dev = up(one_link());
        dev.at(2000)
            .serial(payload)
            .at(6000)
            .sends(LINK1, payload)
            .sends_nothing(LINK1)
            .prints_nothing();
        assert_eq!(phase(&dev), Phase::Data, "{payload}");
    }
}

#[test]
fn the_escape_works_however_it_is_cut_into_reads() {
    let cuts: [&[(u64, &str)]; 5] = [
        &[(0, "+++")],
        &[(0, "++"), (30, "+")],
        &[(0, "+"), (30, "++")],
        &[(0, "+"), (30, "+"), (30, "+")],
        &[(0, "+"), (49, "+"), (49, "+")],
    ];
    for cut in cuts {
        let mut dev = up(one_link());
        types(&mut dev, cut);
        let now = dev.millis();
        dev.at(now + 19).prints_nothing().at(now + 20).prints("a");
        dev.at(now + 500)
            .serial("a")
            .at(now + 519)
            .prints_nothing()
            .at(now + 520)
            .prints("\r\n+ok\r\n")
            .sends_nothing(LINK1);
        assert_eq!(phase(&dev), Phase::Command, "{cut:?}");
    }
}

#[test]
fn the_leading_gap_is_more_than_200_ms() {
    for (gap, escapes) in [(199, false), (200, false), (201, true)] {
        let mut dev = up(packing(10));
        dev.at(2000)
            .serial("x")
            .at(2000 + gap)
            .serial("+++")
            .at(2300)
            .prints(if escapes { "a" } else { "" });
        dev.at(9000)
            .sends(LINK1, "x")
            .sends(LINK1, "+++")
            .sends_nothing(LINK1);
    }
}

#[test]
fn an_inner_gap_is_less_than_50_ms() {
    for (gap, escapes) in [(49, true), (50, false), (51, false)] {
        for reads in [[(0, "+"), (gap, "++")], [(0, "++"), (gap, "+")]] {
            let mut dev = up(packing(300));
            types(&mut dev, &reads);
            let now = dev.millis();
            dev.at(now + 25).prints(if escapes { "a" } else { "" });
            dev.at(now + 5000).sends(LINK1, "+++").sends_nothing(LINK1);
        }
    }
}

#[test]
fn the_answer_comes_within_3_s() {
    for (after, entered) in [(2990, true), (3010, false)] {
        let mut dev = up(one_link());
        dev.at(2000).serial("+++").at(2020).prints("a");
        dev.at(2020 + after)
            .serial("a")
            .at(6000)
            .prints(if entered { "\r\n+ok\r\n" } else { "" });
        if entered {
            dev.sends_nothing(LINK1);
        } else {
            dev.sends(LINK1, "+++")
                .sends(LINK1, "a")
                .sends_nothing(LINK1);
        }
    }
}

#[test]
fn an_answer_that_does_not_stand_alone_is_data() {
    for (first, second) in [("ab", ""), ("a", "b"), ("aa", ""), ("b", "")] {
        let mut dev = up(one_link());
        dev.at(2000).serial("+++").at(2100).serial(first);
        if !second.is_empty() {
            dev.at(2119).serial(second);
        }
        dev.at(3000)
            .prints("a")
            .sends(LINK1, "+++")
            .sends(LINK1, format!("{first}{second}"))
            .sends_nothing(LINK1);
    }
}

#[test]
fn plus_signs_typed_by_hand_with_line_ends_escape() {
    for end in ["\r", "\n", "\r\n"] {
        let mut dev = up(one_link());
        dev.at(2000)
            .serial(format!("+++{end}"))
            .at(2020)
            .prints("a")
            .at(3000)
            .serial(format!("a{end}"))
            .at(3020);
        dev.prints("\r\n+ok\r\n").sends_nothing(LINK1);
    }
}

#[test]
fn with_time_below_the_guard_time_held_bytes_keep_their_borders() {
    let mut dev = up(packing(10));
    dev.at(2000)
        .serial("+")
        .at(2040)
        .serial("x")
        .at(3000)
        .sends(LINK1, "+")
        .sends(LINK1, "x")
        .sends_nothing(LINK1);
    dev.at(4000)
        .serial("+")
        .at(4005)
        .serial("+")
        .at(4045)
        .serial("+")
        .at(4065)
        .prints("a");
    dev.at(5000)
        .serial("no")
        .at(6000)
        .sends(LINK1, "++")
        .sends(LINK1, "+")
        .sends(LINK1, "no")
        .sends_nothing(LINK1);
}

#[test]
fn a_late_host_escapes_all_the_same() {
    let mut dev = up(one_link());
    dev.late = Duration::from_millis(150);
    dev.at(2000)
        .serial("+++")
        .at(2170)
        .prints("a")
        .at(2500)
        .serial("a")
        .at(2670)
        .prints("\r\n+ok\r\n")
        .sends_nothing(LINK1);
}

fn gates() -> Config {
    Config {
        serial_at: true,
        network_at: true,
        password: "secre".into(),
        ..one_link()
    }
}

#[test]
fn only_a_whole_frame_with_the_right_password_is_a_command() {
    for data in [
        "xsecre,AT+CIVER",
        "data secre,AT+CIVER",
        "admin,AT+CIVER",
        "secre,AT+CIVER\r\nmore",
        "secre,AT+CIVER\r\nsecre,AT+CIVER\r\n",
        "secre,CIVER",
        "secre AT+CIVER",
    ] {
        let mut dev = up(gates());
        dev.at(2000)
            .serial(data)
            .at(3000)
            .prints_nothing()
            .sends(LINK1, data);
        dev.at(4000)
            .network(LINK1, data)
            .at(5000)
            .prints(data)
            .sends_nothing(LINK1);
    }
}

#[test]
fn with_the_gate_shut_the_right_password_is_data() {
    let mut dev = up(Config {
        serial_at: false,
        network_at: false,
        ..gates()
    });
    dev.at(2000)
        .serial("secre,AT")
        .at(3000)
        .prints_nothing()
        .sends(LINK1, "secre,AT");
    dev.at(4000)
        .network(LINK1, "secre,AT")
        .at(5000)
        .prints("secre,AT")
        .sends_nothing(LINK1);
}

#[test]
fn a_command_over_two_reads_counts_where_the_frame_is_whole() {
    let mut dev = up(gates());
    dev.at(2000)
        .serial("secre,A")
        .at(2050)
        .serial("T\r\n")
        .at(3000)
        .prints("\r\nOK\r\n")
        .sends_nothing(LINK1);
    dev.at(4000)
        .serial("secre,A")
        .at(4100)
        .serial("T\r\n")
        .at(5000)
        .prints_nothing()
        .sends(LINK1, "secre,A")
        .sends(LINK1, "T\r\n");
    dev.at(6000)
        .network(LINK1, "secre,A")
        .at(6001)
        .network(LINK1, "T")
        .at(7000)
        .prints("secre,AT")
        .sends_nothing(LINK1);
}

#[test]
fn the_reply_goes_back_where_the_command_came_from() {
    let mut dev = up(Config {
        links: four_links().links,
        ..gates()
    });
    dev.at(2000)
        .network(LINK2, "secre,AT")
        .at(3000)
        .prints_nothing()
        .sends(LINK2, "\r\nOK\r\n");
    for link in [LINK1, LINK2, LINK3, LINK4] {
        dev.sends_nothing(link);
    }
}

#[test]
fn wrong_passwords_on_one_link_shut_no_other_door() {
    let mut dev = up(Config {
        links: four_links().links,
        ..gates()
    });
    for guess in 0..20 {
        dev.at(2000 + guess * 100)
            .network(LINK1, format!("no{guess},AT"));
    }
    dev.printed();
    // Nothing is run, and the password does not reach the DTE.
    dev.at(5000)
        .network(LINK1, "secre,AT")
        .at(5500)
        .prints_nothing()
        .sends_nothing(LINK1);
    dev.at(6000)
        .network(LINK2, "secre,AT")
        .at(6500)
        .prints_nothing()
        .sends(LINK2, "\r\nOK\r\n");
    dev.at(7000)
        .serial("secre,AT")
        .at(7500)
        .prints("\r\nOK\r\n");
    dev.at(310_000)
        .network(LINK1, "secre,AT")
        .at(310_500)
        .prints_nothing()
        .sends(LINK1, "\r\nOK\r\n");
}

#[test]
fn replies_over_the_network_hide_secrets() {
    let mut config = gates();
    config.apn.password = "topsecret".into();
    let mut dev = up(config);
    dev.at(2000)
        .network(LINK1, "secre,AT+CSTT?")
        .at(3000)
        .sends(LINK1, "\r\n+CSTT: \"\", \"\", \"****\"\r\n\r\nOK\r\n");
}
