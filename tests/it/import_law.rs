//! The import law of the house, as `src/lib.rs` states it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms it may import.
const LAW: &[(&str, &[&str])] = &[
    ("yaml", &[]),
    ("model", &[]),
    ("ports", &["model"]),
    ("processors", &[]),
    ("config", &["model", "yaml"]),
    ("stages", &["model", "config"]),
    ("views", &["model", "config"]),
    ("adapters", &["model", "config", "ports", "processors", "yaml"]),
    ("app", &["model", "config", "ports", "processors", "yaml", "stages", "views", "adapters"]),
];

/// Crates and modules that have one home, as the text that uses them begins.
const HOMES: &[(&str, &[&str])] = &[
    ("kube::", &["adapters/cluster"]),
    ("gix::", &["adapters/git"]),
    ("ring::", &["adapters/git/signature"]),
    ("rusqlite::", &["adapters/ledger"]),
    ("lettre::", &["adapters/mail"]),
    ("slack_morphism::", &["adapters/slack"]),
    ("tera::", &["views"]),
    ("jaq_core::", &["config/ignore"]),
    ("jaq_json::", &["config/ignore"]),
    ("clap::", &["app", "main.rs"]),
    ("clap_complete::", &["app/commands"]),
    ("clap_mangen::", &["app/commands"]),
    ("tokio::", &["adapters", "app", "main.rs"]),
    ("std::fs", &["adapters", "app"]),
    ("std::net", &["adapters", "app"]),
    ("std::process", &["adapters", "app", "main.rs"]),
    ("std::env", &["adapters", "app"]),
    ("SystemTime", &["adapters", "app"]),
    ("Instant::now", &["adapters", "app"]),
    ("Timestamp::now", &["adapters", "app"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file with its code; comments and what is compiled for tests only are left out.
fn files() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(source()).expect("below src").to_string_lossy().replace('\\', "/");
                texts.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    let for_tests: Vec<String> = texts.iter().flat_map(|(name, text)| test_modules(name, text)).collect();
    let is_for_tests = |name: &str| {
        for_tests.iter().any(|test| name == test || name.starts_with(&format!("{}/", test.trim_end_matches(".rs"))))
    };
    texts.sort();
    texts.into_iter().filter(|(name, _)| !is_for_tests(name)).map(|(name, text)| (name, code(&text))).collect()
}

/// The files that a file declares as modules for tests only.
fn test_modules(name: &str, text: &str) -> Vec<String> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let inside = match name.rsplit_once('/') {
        Some((folder, "mod.rs")) => folder.to_owned(),
        _ => name.trim_end_matches(".rs").to_owned(),
    };
    let mut found = Vec::new();
    for declared in text.split("#[cfg(test)]").skip(1) {
        let mut lines = declared.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        if let Some(path) = first.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            found.push(format!("{folder}/{path}"));
        } else if let Some(module) = first.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            found.push(format!("{inside}/{module}.rs"));
        }
    }
    found
}

fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that a file names behind `crate::`.
fn imported(code: &str) -> BTreeSet<String> {
    let room = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    code.split("crate::").skip(1).map(room).filter(|room| LAW.iter().any(|(known, _)| known == room)).collect()
}

#[test]
fn rooms_import_only_what_the_law_allows() {
    let mut broken = Vec::new();
    let mut rooms = BTreeSet::new();
    for (name, code) in files() {
        let room = name.split(['/', '.']).next().expect("a name").to_owned();
        let Some((_, allowed)) = LAW.iter().find(|(known, _)| *known == room) else { continue };
        for import in imported(&code) {
            if import != room && !allowed.contains(&import.as_str()) {
                broken.push(format!("{name} imports {import}"));
            }
        }
        rooms.insert(room);
    }
    assert_eq!(broken, [""; 0]);
    assert_eq!(rooms.len(), LAW.len(), "every room of the law exists: {rooms:?}");
}

#[test]
fn adapters_do_not_import_one_another() {
    let mut broken = Vec::new();
    for (name, code) in files().into_iter().filter(|(name, _)| name.starts_with("adapters/")) {
        let own = name.split(['/', '.']).nth(1).expect("an adapter");
        for other in code.split("adapters::").skip(1) {
            let other: String = other.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if other != own {
                broken.push(format!("{name} imports adapters::{other}"));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn each_library_has_its_home() {
    let mut broken = Vec::new();
    for (name, code) in files() {
        for (library, homes) in HOMES {
            let used = code
                .match_indices(library)
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            if used && !homes.iter().any(|home| name.starts_with(home)) {
                broken.push(format!("{name} uses {library}"));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn modules_hold_documentation_and_reexports_only() {
    let mut broken = Vec::new();
    for (name, code) in files().into_iter().filter(|(name, _)| name.ends_with("/mod.rs")) {
        let with_body = ["fn ", "struct ", "enum ", "impl ", "trait "];
        if code.lines().any(|line| with_body.iter().any(|w| line.trim_start_matches("pub ").starts_with(w))) {
            broken.push(name);
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn no_file_is_a_house() {
    let long: Vec<String> = files()
        .into_iter()
        .filter_map(|(name, _)| {
            let lines = fs::read_to_string(source().join(&name)).expect("text").lines().count();
            (lines > 800).then(|| format!("{name}: {lines} lines"))
        })
        .collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn there_is_one_tls_and_no_openssl() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).expect("the lock file");
    let packages: BTreeSet<&str> =
        lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(packages.contains("ring") && packages.contains("rustls"));
    let others = ["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"];
    assert_eq!(others.iter().filter(|name| packages.contains(**name)).collect::<Vec<_>>(), [&""; 0]);
}
