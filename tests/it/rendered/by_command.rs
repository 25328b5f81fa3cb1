//! A program of one's own, and what is kept of what programs rendered.

use serde_json::json;

use super::place::{Place, declared, gaps};

/// Writes a ConfigMap for each file of the target, and counts its runs beside the repository.
fn script(place: &Place) -> String {
    let runs = place.work.path().join("runs");
    let text = format!(
        "#!/bin/sh\necho run >> {}\nfor file in *.txt; do\n  printf -- '---\\napiVersion: v1\\nkind: ConfigMap\\n\
         metadata: {{name: %s}}\\ndata: {{text: \"%s\", argument: %s}}\\n' \"${{file%.txt}}\" \"$(cat \"$file\")\" \"$1\"\ndone\n",
        runs.display()
    );
    let path = place.work.file("render", &text);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("a mode");
    format!(", render: {{as: command, command: ['{}', x]}}", path.display())
}

fn runs(place: &Place) -> usize {
    std::fs::read_to_string(place.work.path().join("runs")).unwrap_or_default().lines().count()
}

#[test]
fn a_program_of_ones_own_renders_what_changed_and_nothing_else() {
    let mut place = Place::empty(&[]);
    place.commit("Begin", "notes/a.txt", "one");
    let more = script(&place);
    let source = place.source("notes", &more);
    assert_eq!(gaps(&source), [""; 0]);
    let expected = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"text": "one", "argument": "x"}});
    assert_eq!(declared(&source).into_values().collect::<Vec<_>>(), [expected]);
    assert!(source.renderer.as_deref().is_some_and(|name| name.starts_with("command ")));
    assert_eq!(runs(&place), 1);
    assert_eq!(declared(&place.source("notes", &more)).len(), 1);
    assert_eq!(runs(&place), 1, "what is unchanged is not rendered again");
    place.commit("Two", "notes/b.txt", "two");
    assert_eq!(declared(&place.source("notes", &more)).len(), 2);
    assert_eq!(runs(&place), 2);
    // Something else is said to the program.
    assert_eq!(declared(&place.source("notes", &more.replace(", x]", ", z]"))).len(), 2);
    assert_eq!(runs(&place), 3);

    // By another process, too; the program has a key of its own, and looks at the commit before for what is missing.
    for expected in [5, 5] {
        let live = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}});
        assert_eq!(place.scan("notes", &more, &[live])["scan"]["counts"]["declared"], 2);
        assert_eq!(runs(&place), expected);
    }

    // What is kept and damaged is rendered anew.
    for file in std::fs::read_dir(place.work.path().join("cache/rendered")).expect("a folder") {
        std::fs::write(file.expect("a file").path(), "{").expect("a file");
    }
    assert_eq!(declared(&place.source("notes", &more)).len(), 2);
    assert_eq!(runs(&place), 6);
}

#[test]
fn a_program_that_fails_or_is_not_there_is_a_gap_that_says_so() {
    let mut place = Place::empty(&[]);
    place.commit("Begin", "notes/a.txt", "one");
    for (command, what) in [
        ("[no-such-program]", "there is no program `no-such-program` on the PATH"),
        ("[sh, '-c', 'echo no such environment >&2; exit 3']", "`sh` failed: no such environment"),
        ("[sh, '-c', 'yes']", "`sh` wrote more than 1000000 bytes and was ended"),
        ("[sh, '-c', 'echo kind: [']", "what is rendered of it: "),
        (
            "[sh, '-c', 'test -z \"$DRIFTLEDGER_SECRET$KUBECONFIG\" || echo $DRIFTLEDGER_SECRET >&2; exit 4']",
            "`sh` failed (exit status: 4)",
        ),
    ] {
        let source = place.source("notes", &format!(", render: {{as: command, command: {command}}}"));
        let gaps = gaps(&source);
        assert!(gaps.len() == 1 && gaps[0].contains(what), "{command}: {gaps:?}");
        assert_eq!(source.objects, []);
    }
    let source = place.source("elsewhere", ", render: {as: command, command: [sh]}");
    assert!(gaps(&source)[0].contains("there is no folder `elsewhere` in the commit"), "{:?}", source.gaps);
}
