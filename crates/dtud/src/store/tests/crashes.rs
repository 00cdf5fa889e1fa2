//! Power cuts, failing disks, damaged copies.

use super::*;

/// A disk that can lose its power. Names are kept in order but late (only `sync_dir` forces them); bytes that were
/// not forced may be missing, in part or whole.
#[derive(Clone, Default)]
struct Model {
    /// Inode: bytes, and whether they were forced.
    bytes: Vec<(Vec<u8>, bool)>,
    names: BTreeMap<PathBuf, usize>,
    /// The names as they were after each change since the last `sync_dir`; the first is on the disk.
    history: Vec<BTreeMap<PathBuf, usize>>,
    /// Changes that still succeed.
    steps: usize,
    failure: Option<io::ErrorKind>,
}

impl Model {
    fn with(files: &[(&str, &str)]) -> Self {
        let mut model = Self {
            steps: usize::MAX,
            history: vec![BTreeMap::new()],
            ..Self::default()
        };
        for (name, text) in files {
            let path = dir().join(name);
            model
                .write(
                    &path,
                    format!("{}{text}", PARAMETERS.header(text)).as_bytes(),
                )
                .unwrap();
            model.sync(&path).unwrap();
        }
        model.sync_dir(dir()).unwrap();
        model
    }

    fn step(&mut self) -> io::Result<()> {
        self.steps = self
            .steps
            .checked_sub(1)
            .ok_or(self.failure.unwrap_or(io::ErrorKind::Other))?;
        Ok(())
    }

    fn named(&mut self) {
        self.history.push(self.names.clone());
    }

    /// Every state the disk can be found in.
    fn after_power_cut(&self) -> Vec<Self> {
        let torn = |names: &BTreeMap<PathBuf, usize>, part: usize| {
            let cut = |(bytes, forced): &(Vec<u8>, bool)| {
                let keep = if *forced {
                    bytes.len()
                } else {
                    bytes.len() * part / 4
                };
                (bytes[..keep].to_vec(), true)
            };
            let bytes = self.bytes.iter().map(cut).collect();
            Self {
                bytes,
                names: names.clone(),
                history: vec![names.clone()],
                steps: usize::MAX,
                failure: None,
            }
        };
        self.history
            .iter()
            .flat_map(|names| (0..=4).map(move |part| torn(names, part)))
            .collect()
    }
}

impl FileOps for Model {
    fn read(&mut self, path: &Path, _limit: u64) -> io::Result<Option<Vec<u8>>> {
        Ok(self
            .names
            .get(path)
            .map(|inode| self.bytes[*inode].0.clone()))
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let ended = self.step();
        let length = if ended.is_ok() {
            bytes.len()
        } else {
            bytes.len() / 2
        };
        self.names.insert(path.to_owned(), self.bytes.len());
        self.bytes.push((bytes[..length].to_vec(), false));
        self.named();
        ended
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        let inode = self.names[path];
        self.bytes[inode].1 = true;
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let inode = self.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.names.insert(to.to_owned(), inode);
        self.named();
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.names.remove(path);
        self.named();
        Ok(())
    }

    fn sync_dir(&mut self, _dir: &Path) -> io::Result<()> {
        self.step()?;
        self.history = vec![self.names.clone()];
        Ok(())
    }
}

#[test]
fn a_power_cut_at_every_step_leaves_the_old_set_or_the_new_one() {
    let before = Model::with(&[(CURRENT, OLD), (PREVIOUS, "AT\n")]);
    let mut states = 0;
    for steps in 0.. {
        let mut model = Model {
            steps,
            ..before.clone()
        };
        let saved = save(&mut model, dir(), &PARAMETERS, NEWER);
        for mut found in model.after_power_cut() {
            let (text, _) = load(&mut found, dir(), &PARAMETERS).unwrap();
            if saved.is_ok() {
                assert_eq!(text, NEWER, "a save that succeeded is there");
            }
            assert!(
                [OLD, NEWER].contains(&text.as_str()),
                "after {steps} steps: {text:?}"
            );
            assert!(
                !found.names.contains_key(&dir().join(NEW)),
                "nothing is left lying about"
            );
            states += 1;
        }
        if saved.is_ok() {
            assert!(states > 20, "only {states} states were seen");
            return;
        }
    }
}

#[test]
fn a_power_cut_in_the_first_save_leaves_the_factory_set_or_the_new_one() {
    for steps in 0..8 {
        let mut model = Model {
            steps,
            ..Model::with(&[])
        };
        let _ = save(&mut model, dir(), &PARAMETERS, NEWER);
        for mut found in model.after_power_cut() {
            let (text, messages) = load(&mut found, dir(), &PARAMETERS).unwrap();
            assert!(["", NEWER].contains(&text.as_str()));
            assert!(
                messages.is_empty(),
                "a torn first save is no alarm: {messages:?}"
            );
        }
    }
}

#[test]
fn a_disk_that_fails_at_any_step_keeps_the_old_set_readable() {
    for steps in 0..4 {
        let failure = Some(io::ErrorKind::StorageFull);
        let mut model = Model {
            steps,
            failure,
            ..Model::with(&[(CURRENT, OLD)])
        };
        assert_eq!(
            save(&mut model, dir(), &PARAMETERS, NEWER)
                .unwrap_err()
                .kind(),
            io::ErrorKind::StorageFull
        );
        model.steps = usize::MAX;
        assert_eq!(load(&mut model, dir(), &PARAMETERS).unwrap().0, OLD);
    }
}

#[test]
fn a_damaged_byte_at_any_place_gives_the_previous_copy_and_a_message() {
    let whole = format!("{}{NEWER}", PARAMETERS.header(NEWER)).into_bytes();
    for place in 0..whole.len() {
        for flip in [0x01, 0x20, 0x80, 0xFF] {
            let mut model = Model::with(&[(CURRENT, NEWER), (PREVIOUS, OLD)]);
            let inode = model.names[&dir().join(CURRENT)];
            model.bytes[inode].0[place] ^= flip;
            let (text, messages) = load(&mut model, dir(), &PARAMETERS).unwrap();
            assert_eq!(text, OLD, "byte {place} ^ {flip:#x}");
            assert!(
                messages[0].contains("/state/parameters is damaged"),
                "{messages:?}"
            );
            assert!(
                messages[1].contains("/state/parameters.previous is used"),
                "{messages:?}"
            );
        }
    }
}

#[test]
fn a_file_cut_at_any_length_gives_the_previous_copy() {
    let whole = format!("{}{NEWER}", PARAMETERS.header(NEWER));
    for length in 0..whole.len() {
        let mut model = Model::with(&[(CURRENT, NEWER), (PREVIOUS, OLD)]);
        let inode = model.names[&dir().join(CURRENT)];
        model.bytes[inode].0.truncate(length);
        assert_eq!(load(&mut model, dir(), &PARAMETERS).unwrap().0, OLD);
    }
}

#[test]
fn two_damaged_copies_are_kept_and_the_factory_set_is_announced_loudly() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..6 {
        std::fs::write(dir.path().join(CURRENT), format!("a{round}")).unwrap();
        std::fs::write(dir.path().join(PREVIOUS), format!("b{round}")).unwrap();
        let (_, config, messages) = open(dir.path()).unwrap();
        assert_eq!(config, Config::default());
        assert!(
            messages
                .last()
                .unwrap()
                .starts_with("NO STORED PARAMETERS COULD BE READ"),
            "{messages:?}"
        );
        assert!(!dir.path().join(CURRENT).exists());
        let ((mut store, _state), _, messages) = open(dir.path()).unwrap();
        assert!(
            messages.last().unwrap().starts_with("NO STORED PARAMETERS"),
            "told again: {messages:?}"
        );
        store.save(NEWER).unwrap();
        assert_eq!(
            load(&mut Fs::default(), dir.path(), &PARAMETERS).unwrap(),
            (NEWER.to_owned(), Vec::new())
        );
    }
    let names = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let kept = names
        .filter(|name| name.to_string_lossy().contains("damaged"))
        .count();
    assert_eq!(kept, MAX_DAMAGED, "their number is bounded");
    assert_eq!(
        std::fs::read_to_string(dir.path().join("parameters.damaged-1")).unwrap(),
        "a0"
    );
}

#[test]
fn a_damaged_current_file_never_replaces_a_good_previous_one() {
    let mut model = Model::with(&[(CURRENT, "x"), (PREVIOUS, OLD)]);
    let inode = model.names[&dir().join(CURRENT)];
    model.bytes[inode].0[0] ^= 1;
    save(&mut model, dir(), &PARAMETERS, NEWER).unwrap();
    assert_eq!(
        read(&mut model, &PARAMETERS, &dir().join(PREVIOUS)).unwrap(),
        Found::Good(OLD.to_owned())
    );
    assert_eq!(
        load(&mut model, dir(), &PARAMETERS).unwrap(),
        (NEWER.to_owned(), Vec::new())
    );
}

#[test]
fn a_power_cut_at_every_step_leaves_the_old_messages_or_the_new_ones() {
    let sheet = &MESSAGES;
    let mut before = Model {
        steps: usize::MAX,
        history: vec![BTreeMap::new()],
        ..Model::default()
    };
    save(&mut before, dir(), sheet, "old\n").unwrap();
    for steps in 0.. {
        let mut model = Model {
            steps,
            ..before.clone()
        };
        let saved = save(&mut model, dir(), sheet, "new\n");
        for mut found in model.after_power_cut() {
            let (text, _) = load(&mut found, dir(), sheet).unwrap();
            let allowed: &[&str] = if saved.is_ok() {
                &["new\n"]
            } else {
                &["old\n", "new\n"]
            };
            assert!(
                allowed.contains(&text.as_str()),
                "after {steps} steps: {text:?}"
            );
        }
        if saved.is_ok() {
            return;
        }
    }
}
