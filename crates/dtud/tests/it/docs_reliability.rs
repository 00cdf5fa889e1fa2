//! docs/reliability.md names the tests that hold each promise: they exist.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A line of these lists tests, in backquotes; the lines behind it too, up to an empty one.
const LIST: &str = "Held by:";

#[test]
fn each_test_that_the_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/reliability.md")).expect("the page is there");
    let mut tests = HashSet::new();
    sources(&root.join("crates"), &mut |text| {
        tests.extend(tests_of(text))
    });
    let named = names_on(&page);
    assert!(
        named.len() >= 30,
        "the lists were not found: only {named:?}"
    );
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !tests.contains(**name))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/reliability.md names tests that do not exist: {missing:#?}"
    );
}

#[test]
fn each_promise_of_the_page_names_a_test() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md"));
    let page = page.expect("the page is there");
    for promise in page.split("\n### ").skip(1) {
        let title = promise.lines().next().unwrap_or_default();
        assert!(!names_on(promise).is_empty(), "{title:?} names no test");
    }
}

/// Names in backquotes in the lists of tests.
fn names_on(page: &str) -> Vec<&str> {
    let lists = page
        .split(LIST)
        .skip(1)
        .filter_map(|rest| rest.split("\n\n").next());
    lists
        .flat_map(|list| list.split('`').skip(1).step_by(2))
        .filter(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        })
        .collect()
}

fn sources(folder: &Path, read: &mut dyn FnMut(&str)) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, read);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            read(&fs::read_to_string(&path).expect("a source is text"));
        }
    }
}

/// Functions behind `#[test]` or a relative of it, other attributes and comments between them passed over.
fn tests_of(text: &str) -> Vec<String> {
    let (mut found, mut is_test) = (Vec::new(), false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") && line.contains("test") && !line.contains("cfg(") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ") {
            found.extend(
                rest.split('(')
                    .next()
                    .filter(|_| is_test)
                    .map(str::to_owned),
            );
            is_test = false;
        }
    }
    found
}
