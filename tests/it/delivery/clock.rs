//! A clock for the program that can be moved: hours pass between two scans.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// What is loaded into the program, made from `clock.c`.
pub fn library() -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let (made, part) = (folder.join("clock.so"), folder.join(format!("clock-{}.so", std::process::id())));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/delivery/clock.c");
        let cc = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&part).arg(source).status();
        assert!(cc.expect("cc runs").success(), "cc makes {source}");
        // Another run of the tests may use it.
        std::fs::rename(&part, &made).expect("a library");
        made
    };
    MADE.get_or_init(make).clone()
}
