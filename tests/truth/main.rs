//! Whether what is said is true: objects of every built-in kind, made from a seed, applied to a real API server in five ways with
//! its controllers running, must be in sync; and after a write to each, what is said must be what an oracle expects that has never
//! seen the program: code, path and writer, nothing left out and nothing added. See `tests/truth/run`.

mod cluster;
mod corpus;
mod generate;
mod mutate;
mod oracle;
mod parity;
// Shared with the other integration tests; each uses a part of it.
#[allow(dead_code)]
#[path = "../it/program.rs"]
mod program;
mod random;
mod report;
mod round;
mod scan;
mod ways;
mod write;

mod on_cluster {
    use super::cluster::Cluster;
    use super::report::Report;
    use super::round::Round;

    /// One at a time: an API service of a corpus that nothing answers for would be a gap in another's scan.
    fn turn() -> std::sync::MutexGuard<'static, ()> {
        static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
        TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How many rounds, and the seed of the first.
    fn rounds() -> (u64, u64) {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let long = std::env::var_os("DRIFTLEDGER_TEST_LONG").is_some();
        let seed = number("DRIFTLEDGER_TEST_SEED");
        let rounds = number("DRIFTLEDGER_TEST_ROUNDS").unwrap_or(match (long, seed) {
            (true, None) => 7,
            _ => 1,
        });
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        (rounds, seed.unwrap_or(if long { now % 1_000_000 } else { 1 }))
    }

    #[test]
    #[ignore = "needs the test cluster: run tests/run"]
    fn what_was_applied_is_in_sync_and_what_was_changed_is_found_with_path_and_writer() {
        let _turn = turn();
        let cluster = Cluster::new();
        let mut report = Report::default();
        let (rounds, first) = rounds();
        for seed in first..first + rounds {
            eprintln!("truth: round with seed {seed}");
            Round::new(seed).play(&cluster, &mut report);
        }
        report.conclude("truth");
    }

    mod with_a_corpus {
        use super::{Cluster, Report, turn};
        use crate::corpus::Corpus;
        use crate::ways::Way;

        #[test]
        #[ignore = "needs the test cluster and a corpus: run tests/run --long"]
        fn it_is_in_sync_at_commits_across_its_history() {
            let _turn = turn();
            let corpus = Corpus::find();
            let cluster = Cluster::new();
            let mut report = Report::default();
            let ways = Way::of_round(0);
            for (n, commit) in corpus.commits(20).iter().enumerate() {
                corpus.play(commit, ways[n % ways.len()], &cluster, &mut report);
            }
            report.conclude("corpus");
        }
    }
}
