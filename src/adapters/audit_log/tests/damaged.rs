//! What is broken is counted, told and hides evidence; the rest is read.

use proptest::prelude::*;

use super::*;
use crate::adapters::audit_log::pieces::LINE_BYTES;
use crate::model::gap::{GapKind, Hides};

#[test]
fn a_line_that_cannot_be_read_is_told_and_the_rest_goes_on() {
    let good = |minute| format!("{}\n", event(minute)).into_bytes();
    let long = |last: &[u8]| [vec![b'x'; LINE_BYTES + 1], last.to_vec()].concat();
    for (case, damage, expected) in [
        ("half a line", b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8\n".to_vec(), "line 2 could not be read"),
        (
            "no JSON",
            b"E0302 14:03:09 a panic\ngoroutine 1 [running]:\n".to_vec(),
            "2 lines could not be read, the first is line 2",
        ),
        ("invalid UTF-8", b"{\"kind\":\"\xff\xfe\"}\n".to_vec(), "line 2 could not be read"),
        ("a huge line", long(b"\n"), "line 2 could not be read"),
        ("brackets without end", [vec![b'['; 1 << 20], b"\n".to_vec()].concat(), "line 2 could not be read"),
        ("NUL bytes, as a crash leaves them", vec![0, 0, 0, b'\n'], "line 2 could not be read"),
    ] {
        let folder = Folder::new();
        folder.file("audit.log", [good(1), damage, good(2)].concat());
        let outcome = folder.read();
        assert_eq!(told(&outcome), ["01 alice@example.com patch", "02 alice@example.com patch"], "{case}");
        assert_eq!(gaps(&outcome), [expected], "{case}");
        assert_eq!((outcome.gaps[0].kind, &outcome.gaps[0].hides), (GapKind::Parse, &Hides::Evidence), "{case}");
        assert!(outcome.gaps[0].place.as_ref().unwrap().ends_with("audit.log"), "{case}");
    }
}

#[test]
fn a_gap_holds_nothing_of_what_could_not_be_read() {
    let folder = Folder::new();
    folder.file("audit.log", format!("{}\nCANARY {{\"data\": \"CANARY\n", event(1)));
    assert!(!format!("{:?}", folder.read()).contains("CANARY"));
}

#[test]
fn a_log_that_is_being_written_is_whole_and_a_gzipped_one_is_not() {
    let text = format!("{}\n{{\"kind\":\"Ev", event(1));
    let folder = Folder::new();
    folder.file("audit.log", &text);
    assert_eq!(gaps(&folder.read()), [""; 0]);
    folder.file("audit.log", gzip(text.as_bytes()));
    assert_eq!(gaps(&folder.read()), ["line 2 could not be read"]);
}

#[test]
fn a_gzipped_file_that_is_cut_off_is_read_as_far_as_it_goes() {
    let folder = Folder::new();
    let many: Vec<Value> = (1..60).map(event).collect();
    let whole = gzip(lines(&many).as_bytes());
    folder.file("a.log.gz", &whole[..whole.len() - 20]);
    folder.file("b.log.gz", [b"\x1f\x8b".as_slice(), &[b'x'; 100]].concat());
    folder.file("c.log", lines(&[event(0)]));
    let outcome = folder.read();
    assert!(told(&outcome).len() > 1, "the other file, and what was before the cut");
    let mut found = gaps(&outcome);
    found.sort_unstable();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|gap| gap.contains("cut off")), "{found:?}");
}

#[test]
fn what_is_no_log_is_passed_over_and_what_only_looks_like_one_is_told() {
    let folder = Folder::new();
    folder.file("audit.log", lines(&[event(1)]));
    folder.file("README.md", "# not a log");
    folder.file("LICENSE", "not a log either");
    folder.file("firehose-1-2026-03-02-14-03-09-0a1b", lines(&[event(2)]));
    folder.file("firehose-1-2026-03-02-14-04-09-0a1c", gzip(lines(&[event(3)]).as_bytes()));
    folder.file("kube-scheduler.log", "I0302 one\nI0302 two\n");
    folder.file("other.json", "{\"an\": \"object\"}\n");
    let outcome = folder.read();
    assert_eq!(told(&outcome), ["01", "02", "03"].map(|minute| format!("{minute} alice@example.com patch")));
    assert_eq!(outcome.passed_over, 2);
    assert_eq!(gaps(&outcome), ["no line of it is an event of an audit log"]);
}

#[test]
fn a_log_that_is_not_there_or_is_no_file_is_a_gap() {
    let folder = Folder::new();
    let outcome = read_with(&folder.path().join("gone.log"), |_| {});
    assert_eq!(gaps(&outcome), ["the audit log cannot be read: entity not found"]);
    assert!(outcome.gaps[0].hint.is_some());
    let outcome = read_with(Path::new("/dev/null"), |_| {});
    assert_eq!(gaps(&outcome), ["the audit log cannot be read: is neither a file nor a folder"]);
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    let secret = elsewhere.file("secret.log", lines(&[event(1)]));
    std::os::unix::fs::symlink(&secret, folder.path().join("audit.log")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("more")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("round")).unwrap();
    let outcome = folder.read();
    assert_eq!((told(&outcome).len(), outcome.passed_over), (0, 3));
    // The configured path itself may be one.
    assert_eq!(told(&read_with(&folder.path().join("audit.log"), |_| {})).len(), 1);
}

#[test]
fn hostile_values_are_no_events_and_no_crash() {
    for (case, text) in [
        ("numbers for texts", r#"{"kind":1,"apiVersion":2,"verb":3}"#.to_owned()),
        ("null everywhere", r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"patch","user":null,"objectRef":null,"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-03-02T14:00:00Z"}"#.to_owned()),
        ("a time that is none", with(event(1), json!({"requestReceivedTimestamp": "soon", "stageTimestamp": ""})).to_string()),
        ("a code that is none", with(event(1), json!({"responseStatus": {"code": 99_999_999}})).to_string()),
        ("an envelope in an envelope", (0..20).fold("{}".to_owned(), |inner, _| json!({"message": inner}).to_string())),
        ("a deep content", with(event(1), json!({"requestObject": (0..100).fold(json!(1), |below, _| json!([below]))})).to_string()),
        ("a JSON patch of nonsense", with(event(1), json!({"requestObject": [1, {"op": 2}, {"op": "add", "path": 3}]})).to_string()),
    ] {
        let folder = Folder::new();
        folder.file("audit.log", text + "\n");
        let outcome = folder.read();
        assert!(outcome.writes.len() <= 1, "{case}");
    }
}

proptest! {
    #[test]
    fn an_event_with_any_bytes_in_it_is_read_or_told(
        at in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        wrapped in any::<bool>(),
    ) {
        let text = event(2).to_string();
        let text = if wrapped { json!({"logEvents": [{"message": text}]}).to_string() } else { text };
        let mut damaged = text.into_bytes();
        let at = at.index(damaged.len());
        let end = (at + bytes.len()).min(damaged.len());
        damaged.splice(at..end, bytes);
        let folder = Folder::new();
        let good = |minute| lines(&[event(minute)]).into_bytes();
        folder.file("audit.log", [good(0), damaged, b"\n".to_vec(), good(1)].concat());
        let outcome = folder.read();
        for line in ["00 alice@example.com patch", "01 alice@example.com patch"] {
            prop_assert!(told(&outcome).contains(&line.to_owned()), "{line}: {:?}", outcome.gaps);
        }
    }
}
