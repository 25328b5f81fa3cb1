//! What an operator has besides scans: completions, manual, role, ledger and first configuration.

use std::process::Command;

use crate::program::{Workspace, said};

/// Whether a program is here to hold something against; what needs it says so where it is not.
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn every_shell_gets_completions_that_know_the_commands() {
    let work = Workspace::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = work.run(&["completions", shell]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{shell}");
        for command in ["scan", "snapshot", "completions"] {
            assert!(said.out.contains(command), "{shell} knows {command}");
        }
    }
    assert_eq!(work.run(&["completions", "tcsh"]).code, 2);
    if !has("bash") {
        eprintln!("not held against bash: there is none");
        return;
    }
    let script = work.file("completions.bash", &work.run(&["completions", "bash"]).out);
    let ask = "source \"$1\"; COMP_WORDS=(driftledger sn); COMP_CWORD=1; \
               _driftledger driftledger sn driftledger; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", ask, "bash"]).arg(script).output().expect("bash runs");
    assert_eq!(said(&output).out.trim(), "snapshot");
}

#[test]
fn the_manual_is_one_page_or_one_for_each_command() {
    let work = Workspace::new();
    let page = work.run(&["man"]);
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    for there in [".TH driftledger 1", ".SH \"DRIFTLEDGER SCAN\"", ".SS OPTIONS", "another scan holds the ledger"] {
        assert!(page.out.contains(there), "{there}");
    }
    assert_eq!(work.run(&["man", "--out", "pages"]).code, 0);
    let there = |name: &str| std::fs::read_to_string(work.path().join("pages").join(name)).expect(name);
    assert!(there("driftledger.1").contains("driftledger\\-scan(1)"));
    assert!(there("driftledger-config-check.1").starts_with(".ie"));
    // Again: the pages of an earlier version are replaced.
    assert_eq!(work.run(&["man", "--out", "pages"]).code, 0);
}
