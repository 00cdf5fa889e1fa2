//! The parts of the dialogue name no other part in a circle, and no file is too long to be read at once.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.collect()
    };
    let nested = files(&root).into_iter().filter(|path| path.is_dir());
    let nested: Vec<_> = nested.flat_map(|folder| files(&folder)).collect();
    let rust = files(&root).into_iter().chain(nested);
    let rust = rust.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    rust.map(|path| {
        let name = path.strip_prefix(&root).unwrap().with_extension("");
        let name = name.to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    })
    .collect()
}

/// Which files of the crate a file names, its tests and comments apart. A child may name its parent.
fn imports(name: &str, code: &str, all: &BTreeMap<String, String>) -> BTreeSet<String> {
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().map(str::trim);
    let code: Vec<_> = lines.filter(|line| !line.starts_with("//")).collect();
    let code = code.join("\n");
    let named = code.split("crate::").skip(1);
    let named = named.map(|rest| rest.split(|byte: char| !byte.is_alphanumeric() && byte != '_'));
    let named = named.filter_map(|mut words| words.next().map(str::to_owned));
    let parent = name
        .split_once('/')
        .filter(|_| code.contains("super::"))
        .map(|(parent, _)| parent.to_owned());
    named
        .chain(parent)
        .filter(|other| other != name && all.contains_key(other))
        .collect()
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let all = sources();
    let mut graph: BTreeMap<_, _> = all
        .iter()
        .filter(|(name, _)| *name != "lib")
        .map(|(name, code)| (name.clone(), imports(name, code, &all)))
        .collect();
    assert!(graph["modem"].contains("cx"), "imports are found");
    // Files that name none that is left are taken away, again and again; a circle stays.
    while let Some(leaf) = graph
        .iter()
        .find(|(_, named)| named.iter().all(|other| !graph.contains_key(other)))
        .map(|(name, _)| name.clone())
    {
        graph.remove(&leaf);
    }
    assert!(graph.is_empty(), "in circles: {:?}", graph.keys());
}

#[test]
fn no_file_has_more_than_500_lines() {
    for (name, code) in sources() {
        assert!(code.lines().count() <= 500, "{name}");
    }
}
