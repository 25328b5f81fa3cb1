//! Mirrors of a real Git server: git's own http-backend behind a real TLS listener.

use super::*;

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_mirror_follows_new_forced_removed_and_renamed_branches_and_tags() {
    let mut hosted = Hosted::new();
    let first = hosted.commit("main", 2);
    hosted.builder.set_branch("feature", &first).unwrap();
    hosted.builder.tag("v1", &first, Some(&written(3))).unwrap();
    let repository = hosted.open();
    assert!(repository.stale.is_none());
    for revision in ["HEAD", "main", "feature", "v1", first.short(), first.as_str()] {
        assert_eq!(resolve(&repository, revision), some(&first), "{revision}");
    }
    // A commit that is not there is no sign of damage, after which all would be fetched anew.
    let unknown = CommitId::new("0".repeat(39) + "1");
    assert_eq!(repository.commit(&unknown).expect_err("nobody's commit").kind, GapKind::Revision);
    assert_eq!(hosted.open().path(), repository.path());
    // Nothing new: no second pack.
    assert_eq!(packs_of(&hosted.open()).len(), 1);

    let forced = hosted.builder.commit(&[], &written(9), [("b.yaml", Content::from("9"))]).unwrap();
    hosted.builder.set_branch("main", &forced).unwrap();
    hosted.builder.remove_reference("refs/heads/feature").unwrap();
    hosted.builder.set_branch("feature/one", &first).unwrap();
    hosted.builder.tag("v1", &forced, None).unwrap();
    let repository = hosted.open();
    assert_eq!(resolve(&repository, "main"), some(&forced));
    assert_eq!(resolve(&repository, "HEAD"), some(&forced));
    assert_eq!(resolve(&repository, "v1"), some(&forced));
    assert_eq!(resolve(&repository, "feature"), None);
    assert_eq!(resolve(&repository, "feature/one"), some(&first));

    std::fs::write(hosted.folder.path().join("p.git").join("HEAD"), "ref: refs/heads/feature/one\n").unwrap();
    assert_eq!(resolve(&hosted.open(), "HEAD"), some(&first), "the default branch changed and nothing else");
    let parents = hosted.open().parents(&first);
    assert!(hosted.open().commit(&first).is_ok() && parents.iter().all(|parent| hosted.open().commit(parent).is_ok()));
    hosted.builder.remove_reference("refs/tags/v1").unwrap();
    assert_eq!(resolve(&hosted.open(), "v1"), None, "a removed tag and nothing else");
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_wrong_token_is_refused_and_the_right_one_is_nowhere_in_the_cache() {
    let hosted = Hosted::new();
    let wrong = Some(Credentials::Token(Hidden::new("wrong")));
    let gap = checked(
        hosted.mirrors().open(&RepositorySource { credentials: wrong, ..hosted.source() }, at(1_000)).unwrap_err(),
    );
    assert_says(&gap, "refused the credentials", "token");
    let user = Credentials::Basic { user: "x-access-token".into(), password: Hidden::new(CANARY) };
    let source = RepositorySource { credentials: Some(user), ..hosted.source() };
    let log = logged(|| drop(hosted.mirrors().open(&source, at(1_000)).unwrap()));
    assert_no_canary(&log);
    let files = files_below(hosted.cache.path());
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        assert_no_canary(&format!("{} {}", file.display(), String::from_utf8_lossy(&std::fs::read(&file).unwrap())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(hosted.mirror_folder()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_last_good_mirror_is_used_only_where_it_is_allowed_and_says_its_age() {
    let hosted = Hosted::new();
    let commit = resolve(&hosted.open(), "main");
    hosted.refuse.store(403, Ordering::SeqCst);
    let later = at(1_000 + 3 * 3_600);
    let gap = checked(hosted.mirrors().open(&hosted.source(), later).unwrap_err());
    assert_says(&gap, "HTTP 403); the last good copy is 3 h old", "allowStale");
    let allowed = RepositorySource { allow_stale: true, ..hosted.source() };
    let repository = hosted.mirrors().open(&allowed, later).unwrap();
    let stale = repository.stale.clone().expect("an old mirror");
    assert_eq!((stale.age_seconds, resolve(&repository, "main")), (10_800, commit));
    assert_says(&checked(stale.gap), "3 h old and is used", "right to read");

    hosted.refuse.store(0, Ordering::SeqCst);
    assert!(hosted.mirrors().open(&allowed, later).unwrap().stale.is_none());
    // Without a mirror there is nothing to use.
    hosted.refuse.store(403, Ordering::SeqCst);
    let empty = tempfile::tempdir().unwrap();
    let gap = Mirrors::new(empty.path().to_owned()).open(&allowed, later).unwrap_err();
    assert!(!gap.message.contains("last good"), "{}", gap.message);
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn many_may_open_one_mirror_at_a_time_and_a_held_lock_has_an_end() {
    let mut hosted = Hosted::new();
    let commit = hosted.commit("main", 2);
    let open = |mirrors: Mirrors, source: RepositorySource| {
        move || resolve(&mirrors.open(&source, at(1_000)).unwrap(), "main")
    };
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(open(hosted.mirrors(), hosted.source()))).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), some(&commit));
    }
    let numbers: Vec<_> = std::fs::read_dir(hosted.mirror_folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(numbers.len(), 3, "lock, current and one generation: {numbers:?}");

    let lock = std::fs::File::open(hosted.mirror_folder().join("lock")).unwrap();
    lock.lock().unwrap();
    let source = RepositorySource { timeout: Duration::from_millis(300), ..hosted.source() };
    let gap = checked(hosted.mirrors().open(&source, at(2_000)).unwrap_err());
    assert_says(&gap, "another process is still", "longer timeout");
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_damaged_mirror_is_made_anew_and_readers_of_the_old_one_go_on() {
    let mut hosted = Hosted::new();
    let commit = hosted.commit("main", 2);
    let damages: [fn(&OpenedRepository); 5] = [
        |repository| {
            let pack = &packs_of(repository)[0];
            let bytes = std::fs::read(pack).unwrap();
            std::fs::remove_file(pack).unwrap();
            std::fs::write(pack, &bytes[..bytes.len() / 2]).unwrap();
        },
        |repository| std::fs::remove_file(&packs_of(repository)[0]).unwrap(),
        |repository| std::fs::write(repository.path().join("packed-refs"), "no reference\n").unwrap(),
        |repository| std::fs::remove_file(repository.path().join("HEAD")).unwrap(),
        |repository| drop(repository.store.unreadable("a blob")),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let reader = hosted.open();
        let tree = reader.tree(&commit, super::super::super::TreeLimits::default());
        damage(&reader);
        let mended = hosted.open();
        assert_ne!(mended.path(), reader.path(), "damage {number}");
        assert!(reader.path().exists(), "an old mirror stays as long as it is read");
        assert_eq!(resolve(&mended, "main"), some(&commit));
        let old = reader.path();
        drop((reader, tree));
        hosted.open();
        assert!(!old.exists(), "and goes afterwards");
    }
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_mirror_of_many_packs_is_made_anew() {
    let mut hosted = Hosted::new();
    let mirrors = Mirrors { many_packs: 3, ..hosted.mirrors() };
    let mut counts = Vec::new();
    for n in 2..6 {
        let commit = hosted.commit("main", n);
        let repository = mirrors.open(&hosted.source(), at(n)).unwrap();
        assert_eq!(resolve(&repository, "main"), some(&commit));
        counts.push(packs_of(&repository).len());
    }
    assert_eq!(counts, [1, 2, 1, 2]);
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_killed_fetch_leaves_a_mirror_that_the_next_run_can_use() {
    const NAME: &str = "a_killed_fetch_leaves_a_mirror_that_the_next_run_can_use";
    if let (Ok(url), Some(cache)) = (std::env::var("DRIFTLEDGER_TEST_URL"), std::env::var_os("DRIFTLEDGER_TEST_CACHE"))
    {
        let ca_file = std::env::var_os("DRIFTLEDGER_TEST_CA").map(Into::into);
        let _ = Mirrors::new(cache.into()).open(&RepositorySource { ca_file, ..source(&url) }, at(1));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(&folder.path().join("p.git")).unwrap();
    let mut noise = vec![0; 200_000];
    let mut commit = |builder: &mut RepositoryBuilder, n| {
        getrandom::fill(&mut noise).unwrap();
        builder.commit_to("main", &written(n), [("a", Content::File(noise.clone()))]).unwrap()
    };
    let first = commit(&mut builder, 1);
    let root = folder.path().to_owned();
    let whole = Arc::new(AtomicUsize::new(0));
    let switch = whole.clone();
    let server = Server::tls(move |request| match switch.load(Ordering::SeqCst) {
        0 if request.wants_pack() => Reply::BackendUpTo(root.clone(), 100_000),
        _ => Reply::Backend(root.clone()),
    });
    let cache = tempfile::tempdir().unwrap();
    let kill_in_the_middle = || {
        server.cut.store(false, Ordering::SeqCst);
        let ca = server.ca();
        let variables = [
            ("DRIFTLEDGER_TEST_URL", server.url("/p.git")),
            ("DRIFTLEDGER_TEST_CA", ca.to_str().unwrap().to_owned()),
            ("DRIFTLEDGER_TEST_CACHE", cache.path().to_str().unwrap().to_owned()),
        ];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut child = again(&format!("over_https::{NAME}"), &variables).spawn().unwrap();
        let started = Instant::now();
        while !server.cut.load(Ordering::SeqCst) {
            assert!(started.elapsed() < Duration::from_secs(60), "the fetch never began");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(200));
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let open = |time| Mirrors::new(cache.path().to_owned()).open(&with_ca(&server, "/p.git"), at(time)).unwrap();
    let leftovers = || {
        let mut files = files_below(cache.path());
        files.retain(|file| {
            file.parent().is_some_and(|folder| folder.ends_with("pack"))
                && !file.extension().is_some_and(|extension| extension == "pack" || extension == "idx")
        });
        files.len()
    };

    kill_in_the_middle();
    assert!(leftovers() > 0, "it was killed while it wrote");
    whole.store(1, Ordering::SeqCst);
    assert_eq!(resolve(&open(10), "main"), some(&first));
    assert_eq!(leftovers(), 0);

    let second = commit(&mut builder, 2);
    whole.store(0, Ordering::SeqCst);
    kill_in_the_middle();
    assert!(leftovers() > 0, "it was killed while it wrote");
    whole.store(1, Ordering::SeqCst);
    let repository = open(20);
    assert_eq!(resolve(&repository, "main"), some(&second));
    assert_eq!((leftovers(), packs_of(&repository).len()), (0, 2), "the first fetch's pack was kept");
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn an_empty_repository_and_plain_http_without_credentials_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(&folder.path().join("p.git")).unwrap();
    let root = folder.path().to_owned();
    let server = Server::plain(move |_| Reply::Backend(root.clone()));
    let cache = tempfile::tempdir().unwrap();
    let mirrors = Mirrors::new(cache.path().to_owned());
    let source = source(&server.url("/p.git"));
    let repository = mirrors.open(&source, at(1)).unwrap();
    let gap = repository.resolve(&Revision::new("HEAD")).expect_err("nothing there");
    assert_eq!(gap.kind, GapKind::Revision);
    let commit = builder.commit_to("main", &written(1), [("a.yaml", "1".into())]).unwrap();
    let repository = mirrors.open(&source, at(2)).unwrap();
    assert_eq!(resolve(&repository, "HEAD"), some(&commit));
    assert_eq!(repository.parents(&commit), []);
}
