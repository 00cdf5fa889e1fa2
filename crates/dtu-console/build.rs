//! Puts the files of `assets/` into the library: as they are and as gzip, below a path that changes with any of them.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() {
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=openapi.json");
    write_openapi();
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("assets");
    let out = PathBuf::from(variable("OUT_DIR"));
    let mut names = Vec::new();
    collect(&root, "", &mut names);
    names.sort();
    let mut files: Vec<(String, Vec<u8>)> = names
        .into_iter()
        .map(|name| {
            let bytes = fs::read(root.join(&name)).expect("a file of assets/ can be read");
            (name, bytes)
        })
        .collect();
    let hash = hash(&files);
    for (name, bytes) in &mut files {
        if name == PAGE {
            let text = String::from_utf8_lossy(bytes).replace("{hash}/", "");
            let text = text.replace("\"assets/", &format!("\"assets/{hash}/"));
            *bytes = text.into_bytes();
        }
    }
    let mut code = format!("pub(crate) const HASH: &str = {hash:?};\n");
    code.push_str("pub(crate) const FILES: &[Asset] = &[\n");
    for (place, (name, bytes)) in files.iter().enumerate() {
        let plain = out.join(format!("asset-{place}"));
        let packed = out.join(format!("asset-{place}.gz"));
        fs::write(&plain, bytes).expect("OUT_DIR can be written");
        fs::write(&packed, gzip(bytes)).expect("OUT_DIR can be written");
        let _ = writeln!(
            code,
            "    Asset {{ name: {name:?}, plain: include_bytes!({plain:?}), gzip: include_bytes!({packed:?}) }},"
        );
    }
    code.push_str("];\n");
    fs::write(out.join("assets.rs"), code).expect("OUT_DIR can be written");
}

/// Its indentation is as long as the rest.
fn write_openapi() {
    let source = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = fs::read_to_string(source).expect("openapi.json can be read");
    let lines: String = text.lines().map(str::trim_start).collect();
    let place = PathBuf::from(variable("OUT_DIR")).join("openapi.json");
    fs::write(place, lines).expect("OUT_DIR can be written");
}

const PAGE: &str = "index.html";

fn variable(name: &str) -> String {
    env::var(name).expect("cargo sets it")
}

fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let own = entry.file_name().to_string_lossy().into_owned();
        let is_source = [".html", ".css", ".js", ".svg", ".png", ".json", ".ico"]
            .iter()
            .any(|end| own.ends_with(end));
        let name = format!("{prefix}{own}");
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), names);
        } else if is_source && !own.starts_with('.') {
            names.push(name);
        }
    }
}

/// FNV-1a: it tells versions apart, and guards nothing.
fn hash(files: &[(String, Vec<u8>)]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (name, bytes) in files {
        for byte in name
            .bytes()
            .chain([0])
            .chain(bytes.iter().copied())
            .chain([0])
        {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes bytes")
}
