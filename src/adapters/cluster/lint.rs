//! Reads the source and fails where code could get around the guard or write to a cluster.

use std::fs;
use std::path::{Path, PathBuf};

/// Nothing of these anywhere: typed clients that write, clients without the guard, settings from debug variables.
const NOWHERE: [&str; 13] = [
    "kube::Api",
    "kube::api",
    "Api::<",
    "Api<",
    "Api::all",
    "Api::namespaced",
    "Client::try_default",
    "Client::try_from",
    "ClientBuilder",
    "Config::infer",
    "apply_debug_overrides",
    "request_status",
    "request_text",
];

/// Requests that are not GET, as `http` writes them. Slack and mail have clients of their own.
const METHODS: [&str; 14] = [
    "Method::POST",
    "Method::PUT",
    "Method::PATCH",
    "Method::DELETE",
    "Method::CONNECT",
    "Method::OPTIONS",
    "Method::HEAD",
    "Request::post",
    "Request::put",
    "Request::patch",
    "Request::delete",
    "Request::connect",
    ".method(\"",
    "method_mut",
];

/// Where the client may be made, and `kube` be named at all.
const CLIENT: [&str; 2] = ["Client::new(", "legacy::Client::builder("];
const CLIENT_FILE: &str = "adapters/cluster/api_server/connect.rs";
const ROOM: &str = "adapters/cluster/";

/// Files whose tests or lists hold the very words; the guard's are looked at up to its tests.
const GUARD: &str = "adapters/cluster/api_server/guard.rs";
const THIS: &str = "adapters/cluster/lint.rs";

fn violations(file: &str, text: &str) -> Vec<String> {
    if file == THIS {
        return Vec::new();
    }
    let code = if file == GUARD { text.split("#[cfg(test)]").next().unwrap_or(text) } else { text };
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or(line);
        let mut report = |word: &str| found.push(format!("{file}:{}: {word}", number + 1));
        NOWHERE.iter().filter(|word| line.contains(**word)).for_each(|word| report(word));
        if file.starts_with(ROOM) {
            METHODS.iter().filter(|word| line.contains(**word)).for_each(|word| report(word));
            if file != CLIENT_FILE {
                CLIENT.iter().filter(|word| line.contains(**word)).for_each(|word| report(word));
            }
        } else if ["kube::", "kube_client", "kube_core", "extern crate kube"].iter().any(|word| line.contains(word)) {
            report("kube outside its room");
        }
    }
    found
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn no_code_writes_to_a_cluster() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 10, "the source is there");
    let found: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            violations(&name, &fs::read_to_string(path).unwrap())
        })
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn nothing_stands_between_the_guard_and_the_connections() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(CLIENT_FILE);
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let guard = lines.iter().position(|line| line.starts_with(".layer(GuardLayer::new(")).unwrap();
    assert_eq!(lines[guard + 1], ".service(pool);");
    assert_eq!(text.matches("Client::new(").count(), 1, "one client");
    assert_eq!(text.matches("legacy::Client::builder(").count(), 1, "one connection pool");
}

#[test]
fn the_lint_sees_what_it_looks_for() {
    let room = "adapters/cluster/api_server/fetch.rs";
    for (file, line) in [
        ("app/cli.rs", "use kube::Client;"),
        (room, "let pods: Api<Pod> = make();"),
        (room, "let pods = kube::Api::<Pod>::all(client);"),
        (room, "let client = Client::try_default().await?;"),
        (room, "let config = Config::infer().await?;"),
        (room, "let request = Request::patch(path);"),
        (room, "*request.method_mut() = Method::DELETE;"),
        (room, "let client = Client::new(pool, namespace);"),
        (GUARD, "let x = Method::POST;"),
    ] {
        assert_ne!(violations(file, line), Vec::<String>::new(), "{file}: {line}");
    }
    for (file, line) in [
        (room, "let request = Request::get(path);"),
        (room, "// Method::POST is refused"),
        (GUARD, "#[cfg(test)]\nlet x = Method::POST;"),
        ("adapters/slack.rs", "let request = Request::post(hook);"),
    ] {
        assert_eq!(violations(file, line), Vec::<String>::new(), "{file}: {line}");
    }
}
