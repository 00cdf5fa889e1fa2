//! Arguments, AT lines and settings of a start.

use super::*;

#[test]
fn h9_a_level_that_is_none_is_refused_with_what_is_allowed() {
    let folder = folder();
    for (argument, variable) in [("loud", "info"), ("", "loud")] {
        let mut command = dtud(folder.path());
        command.args(
            [argument]
                .iter()
                .filter(|level| !level.is_empty())
                .flat_map(|level| ["--log", level]),
        );
        let done = command
            .env("RUST_LOG", variable)
            .output()
            .expect("dtud runs");
        assert_eq!(done.status.code(), Some(2));
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(
            said.contains("\"loud\" is not error, warn, info, debug, trace, off"),
            "{said}"
        );
    }
}

#[test]
fn k10_a_settings_file_that_is_a_pipe_or_a_device_is_refused_at_once() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .expect("a pipe");
    for (file, kind) in [
        (pipe.as_path(), "a pipe"),
        (Path::new("/dev/null"), "a device"),
    ] {
        let done = Command::new(env!("CARGO_BIN_EXE_dtud"))
            .arg("check-settings")
            .arg(file)
            .output();
        let done = done.expect("dtud runs");
        assert_eq!(done.status.code(), Some(2), "{kind}");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(
            said,
            format!(
                "{}: is {kind}; a settings file is a plain file\n",
                file.display()
            )
        );
    }
}

#[test]
fn k10_a_file_of_at_lines_is_run_at_the_start_also_from_standard_input() {
    let folder = folder();
    let file = folder.path().join("secrets");
    std::fs::write(&file, "# ours\nCIPSW=geh1m\nNOSUCH\n").expect("a file");
    let done = dtud(folder.path())
        .arg("--at-file")
        .arg(&file)
        .output()
        .expect("dtud runs");
    assert_eq!(done.status.code(), Some(2));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        said.contains("AT+CIPSW=****: OK") && said.contains("AT+NOSUCH"),
        "{said}"
    );
    assert!(!said.contains("geh1m"), "{said}");

    let mut command = dtud(folder.path());
    let mut child = command
        .args(["--at-file", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("dtud runs");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"CIPSCONT?\nNOSUCH\n").expect("it is read");
    drop(input);
    let done = child.wait_with_output().expect("dtud ends");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    // 16.28: a question's answer is printed.
    assert!(said.contains("+CIPSTART:1,"), "{said}");
    assert_eq!(done.status.code(), Some(2), "{said}");
}

#[test]
fn h9_the_answer_to_a_question_of_the_start_is_on_stderr_and_stdout_has_the_ready_line_alone() {
    let folder = folder();
    let mut child = dtud(folder.path())
        .args(["--at", "CIPSCONT?"])
        .spawn()
        .expect("dtud runs");
    let mut ready = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    out.read_line(&mut ready).expect("the ready line");
    kill(&child, rustix::process::Signal::TERM);
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("text");
    let done = child.wait_with_output().expect("dtud ends");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        done.status.success() && ready.starts_with("ready serial="),
        "{ready} {said}"
    );
    assert!(
        said.contains("+CIPSTART:1,") && rest.is_empty(),
        "{said} {rest}"
    );
}

#[test]
fn h9_the_help_fits_a_terminal_of_80_columns() {
    for command in [
        &["--help"][..],
        &["status", "--help"],
        &["check-settings", "--help"],
        &["console-password", "--help"],
        &["demo", "--help"],
    ] {
        let done = Command::new(env!("CARGO_BIN_EXE_dtud"))
            .args(command)
            .env("COLUMNS", "80")
            .output();
        let help = String::from_utf8(done.expect("dtud runs").stdout).expect("text");
        assert!(help.contains("Usage:"), "{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

fn start_fails(folder: &Path, arguments: &[&str]) -> String {
    let done = dtud(folder).args(arguments).output().expect("dtud runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(2), "{said}");
    said
}

#[test]
fn h9_a_restart_among_the_lines_of_the_start_does_not_begin_it() {
    let folder = folder();
    let [lines, settings] = ["lines", "dtud.toml"].map(|name| folder.path().join(name));
    std::fs::write(&lines, "# ours\nCIPR=9600;+CIRESET\n").expect("a file");
    std::fs::write(&settings, "at = ['CIMOD=2', 'CISHUTDOWN']").expect("a file");
    let [lines, settings] = [lines, settings].map(|path| path.display().to_string());
    for (arguments, place) in [
        (
            ["--at", "CIRELOAD"],
            "dtud: --at \"AT+CIRELOAD\": ".to_owned(),
        ),
        (
            ["--at-file", &lines],
            format!("dtud: {lines}:2: \"AT+CIPR=9600;+CIRESET\": "),
        ),
        (
            ["--settings", &settings],
            format!("dtud: {settings}:1:18: at[2]: \"AT+CISHUTDOWN\": "),
        ),
    ] {
        let said = start_fails(folder.path(), &arguments);
        assert!(
            said.contains(&format!("{place}it restarts or ends the device")),
            "{said}"
        );
        assert!(!said.contains("power on"), "{said}");
    }
}

#[test]
fn h9_a_refused_line_of_the_start_is_named_by_its_place_and_nothing_behind_it_is_run() {
    let folder = folder();
    let [lines, settings] = ["lines", "dtud.toml"].map(|name| folder.path().join(name));
    std::fs::write(&lines, "\u{FEFF}CIMOD=2\nCIMOD=2 # text\nCIPR=9600\n").expect("a file");
    std::fs::write(&settings, "at = ['CIMOD=2', 'CIMOD=9', 'CIPR=9600']").expect("a file");
    let [lines, settings] = [lines, settings].map(|path| path.display().to_string());
    for (arguments, place) in [
        (
            ["--at-file", &lines],
            format!("dtud: {lines}:2: \"AT+CIMOD=2 # text\": "),
        ),
        (
            ["--settings", &settings],
            format!("dtud: {settings}:1:18: at[2]: \"AT+CIMOD=9\": "),
        ),
    ] {
        let said = start_fails(folder.path(), &arguments);
        assert!(
            said.contains(&place) && said.contains("AT+CIMOD=2: OK"),
            "{said}"
        );
        assert!(!said.contains("CIPR"), "{said}");
    }
}

#[test]
fn h9_check_settings_tries_the_lines_of_the_start() {
    let folder = folder();
    let file = folder.path().join("dtud.toml");
    for (line, fault) in [
        ("CIMOD=9", Some("CIMOD")),
        ("NOSUCH", Some("NOSUCH")),
        ("CISEND", Some("CISEND")),
        ("CIRESET", Some("restarts or ends the device")),
        ("ATW", None),
    ] {
        std::fs::write(&file, format!("at = ['CIPR=9600',\n'{line}']")).expect("a file");
        let done = Command::new(env!("CARGO_BIN_EXE_dtud"))
            .arg("check-settings")
            .arg(&file)
            .output();
        let done = done.expect("dtud runs");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(
            done.status.code(),
            Some(if fault.is_some() { 2 } else { 0 }),
            "{line}: {said}"
        );
        if let Some(fault) = fault {
            let place = format!("{}:2:1: at[2]: \"AT+{line}\": ", file.display());
            assert!(said.starts_with(&place) && said.contains(fault), "{said}");
        }
    }
}

#[test]
fn h9_check_settings_and_the_start_say_what_block_costs() {
    let folder = folder();
    let file = folder.path().join("dtud.toml");
    let text = "at = ['CIMOD=0']\n[link.1]\ndrop_policy = 'block'";
    std::fs::write(&file, text).expect("a file");
    let done = Command::new(env!("CARGO_BIN_EXE_dtud"))
        .arg("check-settings")
        .arg(&file)
        .output();
    let done = done.expect("dtud runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let costs =
        "(link 1): while a server takes nothing and the cache is full, the serial line is not read";
    assert!(
        done.status.success() && said.lines().count() == 1 && said.contains(costs),
        "{said}"
    );
    let daemon = Setup::new(folder.path()).settings(text).start();
    daemon.says(costs);
}

#[test]
fn h8_without_devpts_the_start_says_what_to_mount() {
    let unshare = |script: &str| {
        Command::new("unshare")
            .args(["-rm", "sh", "-c", script])
            .output()
    };
    if !unshare("mount -t tmpfs none /dev/pts").is_ok_and(|done| done.status.success()) {
        eprintln!("NOT TESTED: this sandbox lets nobody mount anything over /dev/pts");
        return;
    }
    let folder = folder();
    let program = env!("CARGO_BIN_EXE_dtud");
    let (line, state) = (folder.path().join("line"), folder.path().join("state"));
    let start = format!(
        "{program} --console off --serial pty:{} --state {}",
        line.display(),
        state.display()
    );
    let done =
        unshare(&format!("mount -t tmpfs none /dev/pts && exec {start}")).expect("unshare runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.contains("dtud: serial: /dev/ptmx: ")
            && said.contains("is devpts mounted at /dev/pts?"),
        "{said}"
    );
}
