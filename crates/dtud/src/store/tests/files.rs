//! What is kept, set aside, passed over, refused.

use super::*;

#[test]
fn a_saved_set_is_private_and_comes_back_and_the_one_before_it_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/b");
    let ((mut store, _state), config, messages) = open(&dir).unwrap();
    assert_eq!((config, messages), (Config::default(), Vec::new()));
    store.save(OLD).unwrap();
    store.save(NEWER).unwrap();
    assert_eq!(
        load(&mut Fs::default(), &dir, &PARAMETERS).unwrap(),
        (NEWER.to_owned(), Vec::new())
    );
    assert_eq!(
        read(&mut Fs::default(), &PARAMETERS, &dir.join(PREVIOUS)).unwrap(),
        Found::Good(OLD.to_owned())
    );
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (
            mode(&dir),
            mode(&dir.join(CURRENT)),
            mode(&dir.join("lock"))
        ),
        (0o700, 0o600, 0o600)
    );
}

/// systemd gives a unit with `DynamicUser` a link to its folder.
#[test]
fn the_state_folder_itself_may_be_a_symbolic_link() {
    let all = tempfile::tempdir().unwrap();
    let (folder, link) = (all.path().join("private"), all.path().join("dtud"));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .unwrap();
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    let ((mut store, _state), ..) = open(&link).unwrap();
    store.save("").unwrap();
    assert!(folder.join("parameters").is_file());
}

#[test]
fn messages_are_kept_beside_the_parameters_and_a_damaged_file_gives_the_set_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let ((mut parameters, state), ..) = open(dir.path()).unwrap();
    let (mut messages, text, problems) = MessageStore::open(&state).unwrap();
    assert_eq!((text, problems), (String::new(), Vec::new()));
    parameters.save(OLD).unwrap();
    messages.save("one\n").unwrap();
    messages.save("two\n").unwrap();
    let read = |expected: &str| {
        let (_, text, problems) = MessageStore::open(&state).unwrap();
        assert_eq!(text, expected);
        problems
    };
    assert_eq!(read("two\n"), Vec::<String>::new());
    std::fs::write(
        dir.path().join("messages"),
        "dtud-messages 1 crc32=0 length=0\ntwo",
    )
    .unwrap();
    let problems = read("one\n");
    assert!(
        problems[0].contains("messages is damaged") && problems[0].contains("messages.damaged-1")
    );
    assert!(dir.path().join("messages.damaged-1").is_file());
    std::fs::write(dir.path().join("messages.previous"), "x").unwrap();
    let problems = read("");
    assert!(
        problems
            .last()
            .unwrap()
            .starts_with("NO STORED MESSAGES COULD BE READ in"),
        "{problems:?}"
    );
    let (config, _) = from_store_text(OLD);
    drop(state);
    assert_eq!(open(dir.path()).unwrap().1, config);
}

#[test]
fn a_second_process_is_refused_with_directory_and_process_number() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    let said = open(dir.path()).unwrap_err().to_string();
    let wanted = format!(
        "{}: in use by process {}",
        dir.path().display(),
        std::process::id()
    );
    assert!(said.starts_with(&wanted), "{said}");
    drop(first);
    open(dir.path()).unwrap();
}

#[test]
fn an_error_names_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let ((mut store, _state), ..) = open(dir.path()).unwrap();
    std::fs::create_dir(dir.path().join(NEW)).unwrap();
    let said = store.save(NEWER).unwrap_err().to_string();
    assert!(
        said.starts_with(&dir.path().join(NEW).display().to_string()),
        "{said}"
    );
    let full = Fs::default()
        .open(Path::new("/dev/full"))
        .unwrap()
        .write_all_at(b"x", 0)
        .unwrap_err();
    assert_eq!(
        (full.kind(), full.to_string().starts_with("/dev/full: ")),
        (io::ErrorKind::StorageFull, true)
    );
}

#[test]
fn a_line_that_was_passed_over_is_named_by_its_place_in_the_file() {
    let problem = Problem {
        line: 3,
        text: "unknown command CIFUTURE".to_owned(),
    };
    assert_eq!(
        passed_over(&PARAMETERS.current(dir()), &problem),
        "/state/parameters:4: passed over: unknown command CIFUTURE"
    );
}

#[test]
fn a_key_of_a_later_version_is_passed_over_with_a_message_and_the_rest_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        packing_time: 55,
        restart_time: 900,
        ..Config::default()
    };
    let text = format!("AT+CIFUTURE=1\n{}", dtu_proto::to_store_text(&config));
    let ((mut store, state), ..) = open(dir.path()).unwrap();
    store.save(&text).unwrap();
    drop(state);
    let (_, read, messages) = open(dir.path()).unwrap();
    assert_eq!(read, config);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("parameters:2: passed over: ") && messages[0].contains("CIFUTURE"),
        "{messages:?}"
    );
}

#[test]
fn a_folder_in_the_place_of_the_file_is_set_aside_and_does_not_stop_later_starts() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(CURRENT)).unwrap();
    for _ in 0..2 {
        let ((mut store, _state), config, messages) = open(dir.path()).unwrap();
        assert_eq!(config, Config::default());
        assert!(!messages.is_empty());
        drop(store.save("AT+CIPR=9600\n"));
        std::fs::remove_file(dir.path().join(CURRENT)).unwrap();
    }
}
