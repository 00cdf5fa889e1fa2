//! Keys, their values, their faults.

use super::*;

fn fault(text: &str) -> String {
    Settings::parse(Path::new("dtud.toml"), text)
        .unwrap_err()
        .to_string()
}

#[test]
fn an_empty_file_is_the_default_and_gives_the_default_options() {
    assert_eq!(read(""), Settings::default());
    assert_eq!(
        read("[link]\n[link.3]\n[link.expect]").options(),
        Options::default()
    );
}

#[test]
fn every_key_is_taken() {
    let settings = read(EVERY_KEY);
    let expect = Expect {
        reply: vec![0x4f, 0x4b],
        within: Duration::from_secs(7),
        misses: 2,
        pass: false,
    };
    let all = Link {
        cache: 15 * 1024,
        drop_policy: DropPolicy::Block,
        resend: false,
        spool: Some(SpoolSettings {
            size: 1 << 20,
            sync: SpoolSync::Always,
        }),
        backoff_max: Duration::from_secs(60),
        short_link_idle: Duration::from_secs(255),
        role: Some(Role::Always),
        interface: Some("eth0".to_owned()),
        expect_register: Some(expect.clone()),
        expect_heartbeat: Some(Expect {
            reply: vec![0],
            within: Duration::from_secs(5),
            misses: 3,
            pass: false,
        }),
    };
    let serial = Serial {
        line: Some(serial::Address::Tty("/dev/ttyS0".into())),
        flow_control: FlowControl::RtsCts,
        rs485: false,
        hold: Duration::from_secs(9),
        escape_gap: Duration::from_millis(500),
        access: Access {
            mode: 0o660,
            group: Some(0),
        },
        charset: Charset::Utf8,
    };
    let device = Device {
        setup_window: Duration::ZERO,
        shutdown: Shutdown::Stop,
        recovery: false,
        password: Some(Password("a\"b;1".to_owned())),
        factory_password: FactoryPassword::Off,
        sms_allow: vec!["+8613812345678".to_owned(), "10086".to_owned()],
    };
    let modem = Modem {
        device: Some(modem::Address::At("/dev/ttyUSB2".into())),
        pin: Some("1234".to_owned()),
        baud: 921_600,
        init: vec!["AT+QURCCFG=\"urcport\",\"usbat\"".to_owned()],
        interface: Some("wwan0".to_owned()),
        script: Some("radio.txt".into()),
        number: PhoneNumber::new("13800000000"),
        log: None,
    };
    let http = Http {
        extra_root: Some("/etc/our-ca.pem".into()),
        answer_max: Duration::from_secs(90),
    };
    let console = Console {
        addr: ConsoleAddress::parse("0.0.0.0:7201"),
        hosts: vec!["dtu.example.org".to_owned()],
        trusted_proxies: vec!["10.0.0.1".parse().unwrap()],
        base: Some("/dtu".to_owned()),
        certificate: Some("/etc/console.pem".into()),
        key: Some("/etc/console.key".into()),
        tls_self: false,
        insecure: true,
        metrics_token: Some(Token("0123456789abcdef".to_owned())),
    };
    let leds = Leds {
        pow: Some("green:power".to_owned()),
        net: Some("/sys/x".to_owned()),
        data: Some("d".to_owned()),
    };
    let links = [all.clone(), all.clone(), all.clone(), all.clone()];
    let modes = all;
    assert_eq!(
        settings,
        Settings {
            at: Commands(vec!["CIPR=9600".to_owned(), "AT+CIAPPLY".to_owned()]),
            serial,
            device,
            packing: Packing {
                length_enabled: true
            },
            modem,
            http,
            console,
            leds,
            links,
            modes,
            places: Places::default(),
        }
    );
    let options = settings.options();
    assert_eq!(options.links[3].expect_registration, Some(Box::new(expect)));
    assert!(options.links[0].spool && options.length_enabled && !options.recovery);
    assert_eq!(
        (options.shutdown, options.factory_password),
        (Shutdown::Stop, FactoryPassword::Off)
    );
    let lines = settings.start_lines(Path::new("x"));
    let wanted = ["AT+CIPSW=\"a\"\"b;1\"", "AT+CIPR=9600", "AT+CIAPPLY"];
    assert_eq!(
        lines.iter().map(StartLine::text).collect::<Vec<_>>(),
        wanted
    );
    assert_eq!(format!("{:?}", lines[2]), "x:2:20: at[2]: \"AT+CIAPPLY\"");
}

#[test]
fn secrets_of_at_lines_are_not_shown() {
    let settings = read("at = ['CIPSW=s3cr', 'HTPHD=\"Authorization: abc\"']");
    let shown = format!("{settings:?}");
    assert!(
        shown.contains("CIPSW") && !shown.contains("s3cr") && !shown.contains("abc"),
        "{shown}"
    );
    let said = fault("at = ['CIPSW=s3cr\\n']\n[serial]\nline = 'com1'");
    assert!(!said.contains("s3cr"), "{said}");
}

#[test]
fn k5_a_password_is_what_cipsw_takes_and_is_never_shown() {
    let settings = read("device.password = \"s3cr!\"");
    let lines = settings.start_lines(Path::new("x"));
    assert_eq!(
        lines,
        [StartLine::of_file("AT+CIPSW=\"s3cr!\"", "x: password")]
    );
    assert!(!format!("{settings:?}").contains("s3cr"), "{settings:?}");
    assert_eq!(read("").start_lines(Path::new("x")), []);
    let allowed =
        "1 to 5 printable ASCII characters without comma or blank, and not the factory password";
    for bad in ["", "s3cret", "s3,cr", "s3 cr", "s3cr\u{e9}", "admin"] {
        let said = fault(&format!("[device]\npassword = \"{bad}\""));
        assert_eq!(said, format!("dtud.toml:2:12: password: must be {allowed}"));
    }
    let said = fault("[device]\npassword = 12345");
    assert_eq!(
        said,
        format!("dtud.toml:2:12: password: must be a text in quotes: {allowed}")
    );
}

#[test]
fn h9_what_block_costs_is_said() {
    let told = |text: &str| read(text).block_warning(Path::new("x"));
    assert_eq!(told("[link]\ndrop_policy = 'oldest'"), None);
    let said = told("[link.2]\ndrop_policy = 'block'\n[link.4]\ndrop_policy = 'block'").unwrap();
    assert!(
        said.starts_with("x: drop_policy = \"block\" (link 2, 4): ") && said.contains("+++"),
        "{said}"
    );
    let said = told("[link]\ndrop_policy = 'block'").unwrap();
    assert!(
        said.contains("(link 1, 2, 3, 4; the working modes beside the links)"),
        "{said}"
    );
}

#[test]
fn a_link_overrides_single_keys_of_all_links() {
    let text = "[link]\ncache = 2048\ninterface = 'eth0'\nspool = 'disk'\nspool_sync = 'never'\n\
        [link.2]\ncache = '4KiB'\ninterface = 'auto'\nrole = 'backup:1'\nspool_size = '1MiB'\n[link.3]\nspool = 'memory'";
    let settings = read(text);
    assert_eq!(
        settings.links.each_ref().map(|link| link.cache),
        [2048, 4096, 2048, 2048]
    );
    let of_links = [1, 2].map(|number| settings.interface_of(link(number).into()));
    assert_eq!(of_links, [Some("eth0"), None]);
    assert_eq!(settings.interface_of(SocketId::AtMode), Some("eth0"));
    let spool = |size| {
        Some(SpoolSettings {
            size,
            sync: SpoolSync::Never,
        })
    };
    assert_eq!(settings.spool_settings(link(1).into()), spool(64 << 20));
    assert_eq!(settings.spool_settings(link(2).into()), spool(1 << 20));
    assert_eq!(settings.spool_settings(link(3).into()), None);
    assert_eq!(
        settings.options().links[1].role,
        Some(Role::Backup(link(1)))
    );
    assert_eq!(settings.options().links[0].role, None);
}

#[test]
fn a_fault_has_its_place_and_says_what_is_allowed() {
    for (text, wanted) in FAULTS {
        assert_eq!(fault(text), format!("dtud.toml:{wanted}"), "for {text:?}");
    }
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let said = fault("[leds]\n\"pow\" = \"é\" # é\nnet = \"é\"; é");
    assert!(said.starts_with("dtud.toml:3:10: "), "{said}");
}

#[test]
fn a_file_lies_beside_the_one_that_names_it_and_a_pin_is_not_shown() {
    let text = "[modem]\nscript = 'radio.txt'\npin = '1234'\n[http]\nextra_root = 'ca.pem'";
    let settings = Settings::parse(Path::new("/etc/dtud/dtud.toml"), text).unwrap();
    assert_eq!(
        settings.modem.script.as_deref(),
        Some(Path::new("/etc/dtud/radio.txt"))
    );
    assert_eq!(
        settings.http.extra_root.as_deref(),
        Some(Path::new("/etc/dtud/ca.pem"))
    );
    assert!(!format!("{settings:?}").contains("1234"), "{settings:?}");
    let absolute =
        Settings::parse(Path::new("/etc/dtud.toml"), "[modem]\nscript = '/a/b'").unwrap();
    assert_eq!(absolute.modem.script.as_deref(), Some(Path::new("/a/b")));
}

#[test]
fn a_chain_of_backups_is_allowed_and_a_circle_is_not() {
    read("[link]\n1.role='backup:2'\n2.role='backup:3'\n3.role='backup:4'");
    let said =
        fault("[link]\n1.role='backup:2'\n2.role='backup:3'\n3.role='backup:4'\n4.role='backup:2'");
    assert!(said.contains("in a circle"), "{said}");
}

#[test]
fn a_file_that_is_missing_or_no_text_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.toml");
    let said = check(&path).unwrap_err().to_string();
    assert!(
        said.starts_with(&format!("{}: cannot be read: ", path.display())),
        "{said}"
    );
    std::fs::write(&path, b"[serial]\n# \xB2\xE2").unwrap();
    let said = check(&path).unwrap_err().to_string();
    assert_eq!(
        said,
        format!(
            "{}:2:3: byte 0xB2 is not UTF-8; a settings file is UTF-8 text",
            path.display()
        )
    );
    std::fs::write(&path, EVERY_KEY).unwrap();
    assert_eq!(check(&path), Ok(()));
}

const FAULTS: &[(&str, &str)] = &[
    (
        "[device]\n  setup_window = 3601",
        "2:18: setup_window: must be 0..=3600, got 3601",
    ),
    (
        "[link]\nshort_link_idle=0",
        "2:17: short_link_idle: must be 1..=255, got 0",
    ),
    (
        "[link.2]\nbackoff_max = -1",
        "2:15: backoff_max: must be 1..=3600, got -1",
    ),
    (
        "[link]\nbackoff_max = \"30\"",
        "2:15: backoff_max: must be a whole number 1..=3600, got \"30\"",
    ),
    (
        "[link.1]\ncache = \"1MB\"",
        "2:9: cache: must be 1KiB to 256MiB, as a number of bytes or text such as \"15KiB\", \"1MiB\", \"1GiB\"; got \"1MB\"",
    ),
    (
        "[link]\ncache = 1023",
        "2:9: cache: must be 1KiB to 256MiB, as a number of bytes or text such as \"15KiB\", \"1MiB\", \"1GiB\"; got 1023",
    ),
    (
        "[serial]\nflow_control = \"xon\"",
        "2:16: flow_control: must be \"none\" or \"rtscts\", got \"xon\"",
    ),
    (
        "[serial]\npty_mode = \"0777\"",
        "2:12: pty_mode: must be an octal mode without execution, 0600 to 0666, such as \"0660\", got \"0777\"",
    ),
    (
        "[serial]\npty_group = \"no such\"",
        "2:13: pty_group: must be the name or number of a group of this machine, got \"no such\"",
    ),
    (
        "[link]\ndrop_policy = \"old\"",
        "2:15: drop_policy: must be \"auto\", \"oldest\", \"newest\" or \"block\", got \"old\"",
    ),
    (
        "[serial]\nbaud = 9600",
        "2:1: there is no key `baud` here; there are `line`, `flow_control`, `rs485`, `hold`, `escape_gap`, `pty_mode`, `pty_group`, `charset`",
    ),
    (
        "[radio]",
        "1:2: there is no key `radio` here; there are `at`, `serial`, `device`, `packing`, `modem`, `http`, `console`, `leds`, `link`",
    ),
    ("[modem]\npin = \"12a4\"", "2:7: pin: must be 4 to 8 digits"),
    (
        "[modem]\npin = 1234",
        "2:7: pin: must be a text in quotes: 4 to 8 digits",
    ),
    (
        "[modem]\nbaud = 200",
        "2:8: baud: must be 300..=4000000, got 200",
    ),
    (
        "[modem]\ninit = [\"ATE0\", \"+CSQ\"]",
        "2:17: init: must be an AT line of 2 to 200 printable ASCII characters that begins with AT, without a PIN: that is \"pin\"",
    ),
    (
        "[modem]\ninit = [\"at+cpin=1234\"]",
        "2:9: init: must be an AT line of 2 to 200 printable ASCII characters that begins with AT, without a PIN: that is \"pin\"",
    ),
    (
        "[http]\nextra_root = \"\"",
        "2:14: extra_root: must be the path of a file, got \"\"",
    ),
    (
        "[modem]\nscript = \"\"",
        "2:10: script: must be the path of a file, got \"\"",
    ),
    (
        "[modem]\nnumber = \"12\"",
        "2:10: number: must be a phone number: 3 to 20 digits, with or without a + in front, got \"12\"",
    ),
    (
        "[link.3]\nrole = \"backup:5\"",
        "2:8: role: must be \"always\" or \"backup:1\" to \"backup:4\", got \"backup:5\"",
    ),
    (
        "[link.3]\nrole = \"backup:3\"",
        "2:8: role: link 3 cannot be the backup of itself",
    ),
    (
        "[link]\nrole = \"backup:1\"",
        "2:8: role: link 1 cannot be the backup of itself",
    ),
    (
        "[link.1]\nrole = \"backup:2\"\n[link.2]\nrole = \"backup:1\"",
        "2:8: role: links 1 and 2 are backups of each other in a circle",
    ),
    (
        "[link.2]\nrole = \"backup:1\"\n[link.3]\nrole = \"backup:1\"",
        "4:8: role: link 1 has link 2 as its backup, and may have one only",
    ),
    (
        "[link.1]\nexpect.register = { reply_hex = \"4f4\" }",
        "2:33: reply_hex: must be 1 to 64 bytes as hex digits, two a byte, got \"4f4\"",
    ),
    (
        "[link.1.expect]\nregister = { reply_hex = \"4f\", within = 0 }",
        "2:41: within: must be 1..=3600, got 0",
    ),
    (
        "[link.1.expect]\nregister = { within = 1 }",
        "2:12: register: `reply_hex` is missing in it",
    ),
    (
        "[link.1]\ninterface = \"a/b\"",
        "2:13: interface: must be \"auto\" or the name of a network interface (1 to 15 characters), got \"a/b\"",
    ),
    (
        "[device]\nsms_allow = [\"+86138\", \"x\"]",
        "2:24: sms_allow: must be a phone number: 3 to 20 digits, with or without a + in front, got \"x\"",
    ),
    (
        "[serial]\nflow_control = \"rtscts\"\nrs485 = true",
        "3:9: rs485: RS-485 switches the transmitter by RTS, so it needs flow_control = \"none\"",
    ),
    (
        "[link]\nspool = \"disk\"\n[link.4]\nspool_size = \"1MiB\"",
        "4:14: spool_size: spool_size of link 4 must be at least 2350KiB for its cache of 1MiB, got 1MiB",
    ),
    (
        "[link]\ndrop_policy = \"block\"\n[link.2]\ncache = \"4KiB\"",
        "4:9: cache: with drop_policy = \"block\" the cache of link 2 must be at least 10KiB, got 4KiB",
    ),
    (
        "[leds]\npow = \"a/b\"",
        "2:7: pow: must be the name of an LED below /sys/class/leds, or the path of its folder, got \"a/b\"",
    ),
    (
        "[device]\nrecovery = true\nrecovery = true",
        "3:1: duplicate key",
    ),
    // H9: an element of a list has its key, a key behind a list has not.
    (
        "at = [\n  \"CIPR=9600\", # ]\n  \"\",\n]",
        "3:3: at: must be an AT command of 1 to 1024 characters on one line, such as \"CIPR=9600\"",
    ),
    (
        "[device]\nsms_allow = [\"10086\"]\nfactory = 1",
        "3:1: there is no key `factory` here; there are `setup_window`, `shutdown`, `recovery`, `password`, `factory_password`, `sms_allow`",
    ),
    // H9: no word of the program.
    (
        "[link.1.expect]\nregister = 5",
        "2:12: register: must be a table such as { reply_hex = \"4f4b\", within = 5 }, got 5",
    ),
    (
        "[device]\nsms_allow = \"x\"",
        "2:13: sms_allow: must be a list in [ ], got \"x\"",
    ),
    (
        "[serial]\nrs485 = \"yes\"",
        "2:9: rs485: must be true or false, got \"yes\"",
    ),
    (
        "[serial]\nflow_control = 5",
        "2:16: flow_control: must be a text in quotes",
    ),
];
