//! The log, the manager's messages, the terminal.

use super::*;

#[test]
fn k8_a_command_by_network_is_in_the_log_with_the_peer_and_the_result_and_without_passwords() {
    let (folder, server) = (folder(), Server::start());
    let setup = Setup::new(folder.path())
        .at("CIPSW=geh1m")
        .at("CINETAT=1")
        .packing(10);
    let daemon = setup.link(1, server.port()).start();
    let connection = server.accept(SOON);
    connection.send(b"geh1m,AT+CIPSW=neu12");
    connection.receive(6, SOON);
    let peer = format!("127.0.0.1:{}", server.port());
    daemon.says(&format!("link 1: command from {peer}: AT+CIPSW=****: OK"));
    connection.send(b"neu12,AT+CIPR=7");
    daemon.says(&format!(
        "link 1: command from {peer}: AT+CIPR=7: refused: CIPR: "
    ));
    daemon.says("console: command: AT+CIPSW=****: OK");
    daemon.says(&format!("link 1: up, TCP 127.0.0.1:{}", server.port()));
    // K10: what was given by --at does not stay in the list of processes.
    let arguments =
        std::fs::read(format!("/proc/{}/cmdline", daemon.pid())).expect("the daemon is alive");
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    assert!(
        arguments.contains("CIPSW=*****") && arguments.contains("CINETAT=1"),
        "{arguments:?}"
    );
    let said = daemon.messages();
    for secret in ["geh1m", "neu12"] {
        assert!(
            !said.contains(secret) && !arguments.contains(secret),
            "{secret}: {said} {arguments:?}"
        );
    }
}

#[test]
fn k9_a_refused_link_and_a_missing_interface_are_told_once_and_k3_a_drop_is_said() {
    let (folder, server) = (folder(), Server::refusing());
    let settings = "[link]\ncache = \"1KiB\"\nbackoff_max = 1\n[link.2]\ninterface = \"nosuch0\"";
    let setup = Setup::new(folder.path())
        .settings(settings)
        .packing(10)
        .link(1, server.port());
    let daemon = setup.link(2, server.port()).start();
    let line = daemon.line();
    // Two frames; there is room for one.
    line.send(&[b'x'; 2048]);
    daemon.says("WARN link 1: 1 frame (1024 bytes) dropped undelivered");
    line.escape();
    eventually("five attempts of each link", SOON, || {
        let counted = line.command("AT+CISTAT");
        let tried = |link| common::daemon::figure(&counted, link, "reconnects") >= 5;
        (tried(1) && tried(2)).then_some(())
    });
    let said = daemon.messages();
    let refused = format!(
        "link 1: no connection to TCP 127.0.0.1:{}: connection refused by 127.0.0.1",
        server.port()
    );
    assert_eq!(said.matches(&refused).count(), 1, "{said}");
    assert_eq!(
        said.matches("through interface nosuch0: No such device")
            .count(),
        1,
        "{said}"
    );
    assert_eq!(said.matches("link 1: 1 frame").count(), 1, "{said}");
    for word in ["LinkId", "Link(", "Some(", "PowerOn"] {
        assert!(
            !said.contains(word),
            "the name of a type, {word}, in {said}"
        );
    }
}

/// A device that restarts more often than once a minute never said more than the first drop.
#[test]
fn k3_a_stop_says_the_sum_of_the_drops_and_the_status_has_it() {
    let (folder, server) = (folder(), Server::refusing());
    let setup = Setup::new(folder.path())
        .settings("[link]\ncache = \"1KiB\"")
        .packing(10);
    let setup = setup.link(1, server.port());
    let daemon = setup.start();
    let line = daemon.line();
    line.send(&[b'x'; 2048]);
    daemon.says("WARN link 1: 1 frame (1024 bytes) dropped undelivered");
    line.send(&[b'x'; 10 * 1024]);
    let state = setup.state();
    let ask = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dtud"));
        let told = command
            .args(["status", "--state"])
            .arg(&state)
            .args(more)
            .output()
            .expect("dtud runs");
        String::from_utf8_lossy(&told.stdout).into_owned()
    };
    let all = "dropped  11 (11264 bytes) in all";
    eventually(all, SOON, || ask(&[]).contains(all).then_some(()));
    let json = ask(&["--json"]);
    let told: serde_json::Value = serde_json::from_str(&json).expect("an object");
    assert_eq!(
        (&told["dropped"], &told["dropped_bytes"]),
        (&11.into(), &11_264.into()),
        "{json}"
    );
    let (status, said) = daemon.terminate_and_tell();
    assert!(status.success(), "{said}");
    let sum = said
        .find(", 11 frames (11264 bytes) dropped undelivered")
        .expect("the sum");
    assert!(
        sum < said.find("device: stopped").expect("the end"),
        "{said}"
    );
}

#[test]
fn h8_a_manager_without_a_file_hears_ready_beats_the_state_and_the_end() {
    let (folder, server) = (folder(), Server::start());
    let name = format!("dtud-e2e-{}", std::process::id());
    let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name"));
    let manager = manager.expect("a socket");
    manager.set_read_timeout(Some(SOON)).expect("a time-out");
    // No WATCHDOG_PID: systemd leaves it out in containers and scopes.
    let setup = Setup::new(folder.path()).environment("NOTIFY_SOCKET", &format!("@{name}"));
    let daemon = setup
        .environment("WATCHDOG_USEC", "200000")
        .link(1, server.port())
        .start();
    let _connection = server.accept(SOON);
    let mut heard = String::new();
    let mut hears = |wanted: &str| {
        while !heard.contains(wanted) {
            let mut buffer = [0; 500];
            let length = manager
                .recv(&mut buffer)
                .unwrap_or_else(|error| panic!("no {wanted}: {error}; {heard}"));
            heard.push_str(&String::from_utf8_lossy(&buffer[..length]));
            heard.push('\n');
        }
    };
    hears("READY=1");
    hears("WATCHDOG=1");
    hears("STATUS=transparent mode; no equipment on the serial line; link 1 up\n");
    assert!(daemon.terminate().success());
    hears("STOPPING=1");
}

#[test]
fn h9_under_journald_lines_have_priorities_and_no_times_and_log_goes_before_rust_log() {
    let folder = folder();
    let path = folder.path().join("journal");
    let journal = File::create(&path).expect("a file");
    let stat = journal.metadata().expect("its number");
    let mut command = dtud(folder.path());
    command
        .stderr(journal)
        .env("JOURNAL_STREAM", format!("{}:{}", stat.dev(), stat.ino()));
    command
        .env("RUST_LOG", "off")
        .args(["--log", "info", "--at", "NOSUCH"]);
    assert_eq!(command.status().expect("dtud runs").code(), Some(2));
    let written = std::fs::read_to_string(&path).expect("the journal");
    assert!(
        written.starts_with("<6>device: power on: the program started\n"),
        "{written}"
    );
    assert!(
        written.contains("<6>console: command: AT+NOSUCH: refused: "),
        "{written}"
    );
    assert!(!written.contains('\x1b'), "{written}");
}

/// A terminal: the end of the user, and that of the program.
fn terminal() -> (File, std::os::fd::OwnedFd) {
    let master =
        rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
    let master = master.expect("a pty");
    rustix::pty::unlockpt(&master).expect("unlocked");
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY);
    (master.into(), slave.expect("its other end"))
}

#[test]
fn h9_colours_are_for_terminals_and_no_color_is_heard_there() {
    let folder = folder();
    for (no_color, term, coloured) in [
        (None, "xterm", true),
        (Some("1"), "xterm", false),
        (Some(""), "xterm", true),
        (None, "dumb", false),
    ] {
        let (mut master, slave) = terminal();
        let mut command = dtud(folder.path());
        command
            .env_remove("NO_COLOR")
            .envs(no_color.map(|value| ("NO_COLOR", value)));
        command.env("TERM", term);
        command.stderr(slave).args(["--at", "NOSUCH"]);
        assert_eq!(command.status().expect("dtud runs").code(), Some(2));
        drop(command);
        // At the end of a terminal that nobody has open any more there is EIO.
        let mut written = Vec::new();
        let _ = master.read_to_end(&mut written);
        let written = String::from_utf8_lossy(&written);
        assert!(written.contains("device: power on"), "{written}");
        assert_eq!(
            written.contains('\x1b'),
            coloured,
            "NO_COLOR={no_color:?} TERM={term}: {written}"
        );
    }
}

#[test]
fn h8_a_program_of_a_terminal_ends_with_it_and_a_daemon_reads_its_settings_again() {
    let (folder, (_master, slave)) = (folder(), terminal());
    let mut command = dtud(folder.path());
    let mut child = command.stdin(slave).spawn().expect("dtud runs");
    let mut ready = [0; 5];
    child
        .stdout
        .as_mut()
        .expect("a pipe")
        .read_exact(&mut ready)
        .expect("the ready line");
    kill(&child, rustix::process::Signal::HUP);
    let ended = eventually("the end", SOON, || child.try_wait().expect("a child"));
    assert!(ended.success(), "{ended}");

    let daemon = Setup::new(folder.path()).start();
    daemon.reload();
    daemon.says("settings.toml read again");
    assert!(daemon.terminate().success());
}

#[test]
fn h9_a_reload_without_a_settings_file_is_no_error() {
    let folder = folder();
    let mut child = dtud(folder.path()).spawn().expect("dtud runs");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"))
        .lines()
        .map_while(Result::ok);
    assert!(said.any(|line| line.contains("device: power on")));
    kill(&child, rustix::process::Signal::HUP);
    let told = said
        .find(|line| line.contains("settings"))
        .expect("a word about the settings");
    let file = folder.path().join("state/dtud.toml");
    let wanted = format!(
        " INFO settings: {} is not there; they stay as they are",
        file.display()
    );
    assert!(told.ends_with(&wanted), "{told}");
    kill(&child, rustix::process::Signal::TERM);
    assert!(said.all(|line| !line.contains("ERROR")));
    assert!(child.wait().expect("dtud ends").success());
}
