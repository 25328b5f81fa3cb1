//! Rotated files, in order and within bounds.

use std::fs::FileTimes;
use std::time::SystemTime;

use super::*;
use crate::model::gap::GapKind;

fn written(path: &Path, text: &str) {
    let time = jiff_time(text);
    std::fs::File::options().append(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

fn jiff_time(text: &str) -> SystemTime {
    let seconds = Timestamp::parse(text).unwrap().unix();
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap())
}

#[test]
fn rotated_and_gzipped_files_are_one_log_in_the_order_of_time() {
    let folder = Folder::new();
    folder.file("audit.log", lines(&[event(9), event(11)]));
    folder.file("audit-2026-03-02T14-08-00.000.log", lines(&[event(5), event(7)]));
    folder.file("audit.log.1", lines(&[event(3)]));
    folder.file("old/audit.log.2.gz", gzip(lines(&[event(1), event(2)]).as_bytes()));
    // A copy of what stands elsewhere, too.
    folder.file("copy/audit.log", lines(&[event(9)]));
    let outcome = folder.read();
    let minutes: Vec<String> = told(&outcome).iter().map(|line| line[..2].to_owned()).collect();
    assert_eq!(minutes, ["01", "02", "03", "05", "07", "09", "11"]);
    let (from, to) = outcome.span.unwrap();
    assert_eq!(
        (from.for_people().as_str(), to.for_people().as_str()),
        ("2026-03-02 14:01:09 UTC", "2026-03-02 14:11:09 UTC")
    );
}

#[test]
fn the_newest_part_is_read_where_a_bound_ends_it_and_the_bound_is_told() {
    let folder = Folder::new();
    let new = folder.file("audit.log", lines(&[event(3), event(4)]));
    let old = folder.file("audit.log.1", lines(&[event(1), event(2)]));
    written(&new, "2026-03-02T14:04:10Z");
    written(&old, "2026-03-02T14:02:10Z");
    let line = lines(&[event(4)]).len() as u64;
    for (case, most, expected, ended) in [
        ("all", line * 5, 4, false),
        ("exactly all", line * 4, 4, false),
        ("one of the older file", line * 3 + 5, 3, true),
        ("the newer file", line * 2 + 5, 2, true),
        ("the end of the newer file", line + 5, 1, true),
    ] {
        let outcome = read_with(folder.path(), |request| request.most_bytes = most);
        let minutes: Vec<String> = told(&outcome).iter().map(|line| line[..2].to_owned()).collect();
        assert_eq!(minutes, ["01", "02", "03", "04"][4 - expected..], "{case}");
        let told: Vec<GapKind> = outcome.gaps.iter().map(|gap| gap.kind).collect();
        assert_eq!(told, vec![GapKind::Limit; usize::from(ended)], "{case}");
        assert!(!ended || outcome.gaps[0].hint.as_ref().unwrap().contains("limits.auditLogBytes"), "{case}");
    }
    let whole = gzip(lines(&[event(3), event(4)]).as_bytes());
    let path = folder.file("one.gz", whole);
    let outcome = read_with(&path, |request| request.most_bytes = line + 5);
    assert_eq!((told(&outcome).len(), outcome.gaps[0].kind), (1, GapKind::Limit), "decompressed bytes count");
    let many: Vec<Value> = (0..60).cycle().take(1_000).map(event).collect();
    let path = folder.file("many.log", lines(&many));
    let outcome = read_with(&path, |request| request.most_time = Duration::ZERO);
    assert!(gaps(&outcome)[0].contains("were over"), "{:?}", outcome.gaps);
}

#[test]
fn files_that_were_written_before_what_is_asked_for_are_not_read() {
    let folder = Folder::new();
    let new = folder.file("audit.log", lines(&[event(30)]));
    let old = folder.file("audit.log.1", "this file would be a gap\n");
    written(&new, "2026-03-02T14:30:10Z");
    written(&old, "2026-03-02T12:00:00Z");
    let from = Timestamp::parse("2026-03-02T14:20:00Z");
    let outcome = read_with(folder.path(), |request| request.newer_than = from);
    assert_eq!((told(&outcome).len(), gaps(&outcome).len()), (1, 0));
    assert_eq!(outcome.span.map(|span| span.0), from, "the log is known to reach back so far");
    assert_eq!(gaps(&read_with(folder.path(), |_| {})).len(), 1);
}

#[test]
fn only_what_is_wanted_is_kept_and_of_each_object_the_newest() {
    let folder = Folder::new();
    let at = |n: u32| {
        with(
            event(n / 60),
            json!({"auditID": n, "requestReceivedTimestamp": format!("2026-03-02T14:{:02}:{:02}Z", n / 60, n % 60)}),
        )
    };
    let numbered =
        |n: u32| format!("{}\n", at(n)).replace(&format!("\"auditID\":{n}"), &format!("\"auditID\":\"{n}\""));
    folder.file("audit.log", (0..1_050).map(numbered).collect::<String>());
    let outcome = folder.read();
    let writes = &outcome.writes[&api()];
    assert_eq!((writes.len(), writes[999].time), (1_000, Timestamp::parse("2026-03-02T14:17:29Z").unwrap()));
    assert_eq!(gaps(&outcome), ["of one object only the newest 1000 writes are looked at"]);
    let outcome = read_with(folder.path(), |request| request.wants = &|_, _| Want::Head);
    assert!(outcome.writes[&api()].iter().all(|write| write.body.is_none()));
    let outcome = read_with(folder.path(), |request| request.wants = &|_, _| Want::Nothing);
    assert!(outcome.writes.is_empty() && outcome.span.is_some());
}
