//! Texts made to use up memory, time or stack.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::yaml::{ErrorKind, Limits, read_documents};

fn error_of(text: &str) -> Option<ErrorKind> {
    let started = Instant::now();
    let mut read = read_documents(text, &Limits::default());
    assert!(started.elapsed() < Duration::from_secs(10));
    read.remove(0).err().map(|error| error.kind)
}

#[test]
fn aliases_of_aliases_stop_at_the_budget() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{items}]");
    }
    assert_eq!(error_of(&text), Some(ErrorKind::TooLarge));
}

#[test]
fn a_long_text_aliased_often_stops_at_the_budget() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(500));
    assert_eq!(error_of(&text), Some(ErrorKind::TooLarge));
    let fewer = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(50));
    assert_eq!(error_of(&fewer), None);
}

#[test]
fn merges_of_merges_stop_at_the_budget() {
    let mut text = format!("m0: &m0 {{a: &t {}}}\n", "x".repeat(10_000));
    for level in 1..2000 {
        let _ = writeln!(text, "m{level}: &m{level} {{<<: *m{}, k{level}: *t}}", level - 1);
    }
    assert_eq!(error_of(&text), Some(ErrorKind::TooLarge));
}

#[test]
fn mostly_aliases_is_refused_as_kubectl_does() {
    let with = |copies: usize| {
        let items = vec!["x"; 300].join(", ");
        format!("a: &a [{items}]\nb: [{}]\n", vec!["*a"; copies].join(", "))
    };
    assert_eq!(error_of(&with(40)), None);
    assert_eq!(error_of(&with(2000)), Some(ErrorKind::TooLarge));
}

#[test]
fn an_anchor_must_not_contain_itself() {
    for text in ["a: &x [*x]\n", "a: &x {b: {c: *x}}\n", "a: &x {<<: *x}\n", "a: &x 1\nb: &x [*x]\n"] {
        assert_eq!(error_of(text), Some(ErrorKind::SelfReference), "{text:?}");
    }
}

#[test]
fn depth_is_bounded_in_every_notation() {
    let flow = |levels: usize| format!("a: {}{}\n", "[".repeat(levels), "]".repeat(levels));
    let json = |levels: usize| format!("{{\"a\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
    let block = |levels: usize| format!("a:\n{}x\n", "- ".repeat(levels));
    let aliased = |levels: usize| {
        let half = levels / 2;
        format!(
            "a: &a {}{}\nb: {}*a{}\n",
            "[".repeat(half),
            "]".repeat(half),
            "[".repeat(levels - half),
            "]".repeat(levels - half),
        )
    };
    for text in [flow(127), json(127), block(127), aliased(127)] {
        assert_eq!(error_of(&text), None);
    }
    for text in [flow(128), json(128), block(128), aliased(128), json(100_000), flow(100_000)] {
        assert_eq!(error_of(&text), Some(ErrorKind::TooDeep));
    }
}
