//! No part of the crate names itself by way of others, and no file is too long to be read at once. Both cores have this
//! test.
//!
//! Parts are compared with their neighbours: the files and folders of one folder, each with all that is below it. A
//! parent may list its children, and a child may name its parent. What a file hands on (`use`) is its owner's.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The names of a path, as of a module: `net`, `link`.
type Names = Vec<String>;
/// The code of each module.
type Sources = BTreeMap<Names, String>;
/// Which neighbours each part of a folder names, and in which words.
type Neighbours = BTreeMap<String, BTreeMap<String, String>>;

fn sources() -> Sources {
    let mut all = Sources::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&root, &mut Vec::new(), &mut all);
    let of_tests: Vec<_> = all
        .iter()
        .flat_map(|(name, code)| conditional(name, code))
        .collect();
    all.retain(|name, _| !of_tests.iter().any(|other| name.starts_with(other)));
    all
}

fn read(folder: &Path, parent: &mut Names, all: &mut Sources) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        parent.push(stem);
        if path.is_dir() {
            read(&path, parent, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let is_parent = ["mod", "lib"].contains(&parent.last().unwrap().as_str());
            let name = &parent[..parent.len() - usize::from(is_parent)];
            all.insert(name.to_vec(), std::fs::read_to_string(&path).unwrap());
        }
        parent.pop();
    }
}

/// The modules that only tests have.
fn conditional(name: &[String], code: &str) -> Vec<Names> {
    let lines: Vec<_> = code.lines().map(str::trim).collect();
    let pairs = lines
        .windows(2)
        .filter(|pair| pair[0].starts_with("#[cfg("));
    let declared = pairs.filter_map(|pair| pair[1].split("mod ").nth(1)?.strip_suffix(';'));
    declared
        .map(|child| [name, &[child.to_owned()]].concat())
        .collect()
}

/// What runs: neither comments nor tests.
fn code_only(code: &str) -> String {
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths of a `use`, `a::{b, c::d}`.
fn expand(prefix: &[String], tree: &str, into: &mut Vec<Names>) {
    let mut depth = 0;
    let parts = tree.split(|byte: char| {
        depth += i32::from(byte == '{') - i32::from(byte == '}');
        byte == ',' && depth == 0
    });
    for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
        let (head, branches) = match part.split_once('{') {
            Some((head, branches)) => (head, branches.strip_suffix('}')),
            None => (part.split(" as ").next().unwrap_or_default(), None),
        };
        let names = head.split("::").map(str::trim);
        let names = names.filter(|name| !name.is_empty()).map(str::to_owned);
        let path: Names = prefix.iter().cloned().chain(names).collect();
        match branches {
            Some(branches) => expand(&path, branches, into),
            None => into.push(path),
        }
    }
}

/// The paths that a module brings in by `use`, and those that it names in place.
fn paths(code: &str) -> (Vec<Names>, Vec<Names>) {
    let code = code_only(code);
    let (mut used, mut rest) = (Vec::new(), String::new());
    for (index, piece) in code.split("use ").enumerate() {
        match piece.split_once(';').filter(|_| index > 0) {
            Some((tree, behind)) => {
                expand(&[], tree, &mut used);
                rest.push_str(behind);
            }
            None => rest.push_str(piece),
        }
    }
    let words = rest.split(|byte: char| !byte.is_alphanumeric() && byte != '_' && byte != ':');
    let named = words.filter(|word| word.starts_with("crate::") || word.starts_with("super::"));
    let split = |word: &str| word.split("::").map(str::to_owned).collect();
    (used, named.map(split).collect())
}

/// The path as seen from the root of the crate; `None`: it leads out of the crate.
fn absolute(module: &[String], path: &[String], all: &Sources) -> Option<Names> {
    let (first, rest) = path.split_first()?;
    let child = [module, std::slice::from_ref(first)].concat();
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let (_, parent) = module.split_last()?;
            let further = rest.first().is_some_and(|next| next == "super");
            if further {
                absolute(parent, rest, all)
            } else {
                Some([parent, rest].concat())
            }
        }
        _ => all
            .contains_key(&child)
            .then(|| [child, rest.to_vec()].concat()),
    }
}

/// The module that has what this path names, not the one that hands it on.
fn owner(path: &[String], handed_on: &BTreeMap<Names, Names>, all: &Sources) -> Option<Names> {
    let mut path = path.to_vec();
    for _ in 0..8 {
        let Some((end, target)) = (1..=path.len()).find_map(|end| {
            let target = handed_on.get(&path[..end])?;
            (!all.contains_key(&path[..end])).then_some((end, target))
        }) else {
            break;
        };
        path = [target, &path[end..]].concat();
    }
    (1..=path.len())
        .rev()
        .map(|end| path[..end].to_vec())
        .find(|module| all.contains_key(module))
}

/// Of each folder, which of its parts name which.
fn folders(all: &Sources) -> BTreeMap<Names, Neighbours> {
    let mut handed_on = BTreeMap::new();
    let mut all_named = Vec::new();
    for (module, code) in all.iter().filter(|(module, _)| !module.is_empty()) {
        let (used, named) = paths(code);
        let resolve = |path: &Names| absolute(module, path, all);
        for path in used.iter().filter_map(resolve) {
            let name = path.last().cloned().into_iter().collect();
            handed_on.insert([module.clone(), name].concat(), path.clone());
            all_named.push((module, path));
        }
        all_named.extend(named.iter().filter_map(resolve).map(|path| (module, path)));
    }
    let mut folders: BTreeMap<Names, Neighbours> = BTreeMap::new();
    for (module, path) in all_named {
        let Some(other) = owner(&path, &handed_on, all) else {
            continue;
        };
        let common = module
            .iter()
            .zip(&other)
            .take_while(|(a, b)| a == b)
            .count();
        if let (Some(from), Some(to)) = (module.get(common), other.get(common)) {
            let neighbours = folders.entry(module[..common].to_vec()).or_default();
            let why = format!("{} names {}", module.join("/"), path.join("::"));
            neighbours
                .entry(from.clone())
                .or_default()
                .insert(to.clone(), why);
        }
    }
    folders
}

/// The parts that name one another in a circle, with one reason for each step.
fn circles(all: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for mut neighbours in folders(all).into_values() {
        // Parts that name none that is left are taken away, again and again; a circle stays.
        loop {
            let left: BTreeSet<_> = neighbours.keys().cloned().collect();
            let before = left.len();
            neighbours.retain(|_, named| {
                named.retain(|other, _| left.contains(other));
                !named.is_empty()
            });
            if neighbours.len() == before {
                break;
            }
        }
        found.extend(neighbours.into_values().flat_map(BTreeMap::into_values));
    }
    found
}

#[test]
fn no_part_names_itself_by_way_of_others() {
    let all = sources();
    let parts = &folders(&all)[&Vec::new()];
    assert!(
        parts.values().any(|named| named.contains_key("cx")),
        "imports are found"
    );
    assert_eq!(circles(&all), Vec::<String>::new());
}

#[test]
fn a_circle_by_way_of_what_a_parent_hands_on_is_found() {
    let of = |name: &str| name.split('/').map(str::to_owned).collect::<Names>();
    let mut all: Sources = [
        (
            "net",
            "mod link;\nmod up;\npub(crate) use link::{Link, News};",
        ),
        ("net/link", "use super::up::Up;\n#[cfg(test)]\nmod tests {}"),
        ("net/up", "pub(crate) struct Up; // names nobody"),
        ("cx", "use crate::net::Link;"),
    ]
    .map(|(name, code)| (of(name), code.to_owned()))
    .into();
    assert_eq!(circles(&all), Vec::<String>::new());
    all.insert(
        of("net/up"),
        "/// Of crate::cx.\nuse super::News;".to_owned(),
    );
    assert_eq!(
        circles(&all),
        ["net/link names net::up::Up", "net/up names net::News"]
    );
    all.insert(of("net/up"), "fn of(cx: &crate::cx::Cx) {}".to_owned());
    assert_eq!(circles(&all), ["cx names net::Link", "net/up names cx::Cx"]);
}

#[test]
fn no_file_has_more_than_500_lines() {
    for (name, code) in sources() {
        assert!(code.lines().count() <= 500, "{name:?}");
    }
}
