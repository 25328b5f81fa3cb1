//! A commit as evidence: people, message, trailers, signature; and the line of commits that a revision went along.

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::objs::commit::MessageRef;

use crate::model::change::{Change, Person};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::CommitId;
use crate::model::time::Timestamp;

use super::history::HistoryBounds;
use super::repository::{OpenedRepository, commit_id};
use super::signature::Signers;

/// Largest commit object that is taken apart, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// Commits along the first parents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The newest first, each with the committer's time.
    pub commits: Vec<(CommitId, Timestamp)>,
    /// Why it goes no further, where it came neither to where it was to end nor to the first commit of all.
    pub cut: Option<&'static str>,
}

impl OpenedRepository {
    /// Everything that is known of a commit. Its signature is checked against `signers`.
    ///
    /// # Errors
    /// A gap that hides evidence, where the commit is not there, is malformed or is far too large.
    pub fn change(&self, id: &CommitId, signers: &Signers) -> Result<Change, Gap> {
        let repository = self.store.without_cache();
        let evidence = |gap: Gap| Gap { hides: Hides::Evidence, ..gap };
        let known = self.known_commit(&repository, id).map_err(evidence)?;
        let lost = || evidence(self.store.unreadable(&format!("commit {id}")));
        if repository.find_header(known).map_err(|_| lost())?.size() > MOST_BYTES {
            let message = format!("commit {id} is larger than {MOST_BYTES} bytes");
            return Err(Gap::new(GapKind::Limit, message, Hides::Evidence).at(self.store.place()));
        }
        let commit = repository.find_commit(known).map_err(|_| lost())?;
        let decoded = commit.decode().map_err(|_| lost())?;
        let person = |signature: gix::actor::SignatureRef<'_>| {
            Some(Person {
                name: text(signature.name),
                email: text(signature.email),
                time: Timestamp::from_unix(signature.time().ok()?.seconds),
            })
        };
        let author = decoded.author().ok().and_then(person).ok_or_else(lost)?;
        let committer = decoded.committer().ok().and_then(person).ok_or_else(lost)?;
        let (subject, body) = subject_and_body(decoded.message);
        Ok(Change {
            commit: id.clone(),
            trailers: trailers(decoded.message),
            parents: decoded.parents().map(commit_id).collect(),
            signature: signers.check(&commit.data, &committer),
            author,
            committer,
            subject,
            body,
        })
    }

    /// The commits back from `tip` along the first parents, up to the first one that is an `end` and without it.
    ///
    /// # Errors
    /// A gap that hides evidence, where a commit on the way cannot be read.
    pub fn line(
        &self,
        tip: &CommitId,
        end: &mut dyn FnMut(&CommitId) -> bool,
        bounds: HistoryBounds,
    ) -> Result<Line, Gap> {
        let repository = self.store.without_cache();
        let lost = |id: ObjectId| Gap {
            hides: Hides::Evidence,
            ..self.store.unreadable(&format!("the history at commit {id}"))
        };
        let shallow = repository.shallow_commits().ok().flatten();
        let mut id = self.known_commit(&repository, tip)?;
        let mut line = Line::default();
        loop {
            let name = commit_id(id);
            if end(&name) {
                return Ok(line);
            }
            if line.commits.len() as u64 >= bounds.max_commits {
                line.cut = Some("`limits.historyCommits` is reached");
                return Ok(line);
            }
            if bounds.is_late() {
                line.cut = Some("`limits.historyTime` is over");
                return Ok(line);
            }
            let commit = repository.find_commit(id).map_err(|_| lost(id))?;
            let decoded = commit.decode().map_err(|_| lost(id))?;
            let time = decoded.committer().ok().and_then(|committer| committer.time().ok()).ok_or_else(|| lost(id))?;
            line.commits.push((name, Timestamp::from_unix(time.seconds)));
            match decoded.parents().next() {
                Some(_) if shallow.as_ref().is_some_and(|all| all.contains(&id)) => {
                    line.cut = Some("the clone is shallow");
                    return Ok(line);
                }
                Some(parent) => id = parent,
                None => return Ok(line),
            }
        }
    }
}

fn text(bytes: &BStr) -> String {
    bytes.trim().to_str_lossy().into_owned()
}

/// The first line that is not empty, and what follows it.
fn subject_and_body(message: &BStr) -> (String, String) {
    let start = message.len() - message.trim_start().len();
    let rest = &message[start..];
    let end = rest.find_byte(b'\n').unwrap_or(rest.len());
    (text(rest[..end].as_bstr()), text(rest[end..].as_bstr()))
}

/// The trailers, as `git interpret-trailers --parse` finds them. The first paragraph is the subject and holds none.
fn trailers(message: &BStr) -> Vec<(String, String)> {
    let parsed = MessageRef::from_bytes(message);
    let Some(body) = parsed.body() else { return Vec::new() };
    body.trailers().map(|trailer| (text(trailer.token), text(trailer.value.as_ref()))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::build::{Content, RepositoryBuilder, Written};
    use super::super::testing::{at, id, opened, written};
    use super::*;
    use crate::model::change::Signature;

    #[test]
    fn trailers_stand_in_the_last_paragraph_only() {
        for (case, message, found) in [
            (
                "two",
                "Raise\n\nWhy.\n\nReviewed-by: Ann <a@b>\nSigned-off-by: Bob <b@b>\n",
                &[("Reviewed-by", "Ann <a@b>"), ("Signed-off-by", "Bob <b@b>")][..],
            ),
            ("a value that goes on", "Raise\n\nAcked-by: Ann\n  of the team\n", &[("Acked-by", "Ann of the team")]),
            ("not in the subject", "Reviewed-by: Ann\n", &[]),
            ("not in the midst of the text", "Raise\n\nReviewed-by: Ann\n\nBut it was not.\n", &[]),
            ("none", "Raise", &[]),
        ] {
            let found: Vec<_> = found.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(trailers(message.into()), found, "{case}");
        }
    }

    #[test]
    fn a_commit_says_who_made_it_and_what_it_joins() {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
        let message = "\n Raise the limits \n\nBecause.\n\nReviewed-by: Bob\n";
        let by = Written { author: "Ann", email: "ann@example.com", time: at(7), message };
        let none: [(&str, Content); 0] = [];
        let first = builder.commit(&[], &written(1), none.clone()).unwrap();
        let side = builder.commit(&[&first], &written(2), none.clone()).unwrap();
        let merge = builder.commit(&[&first, &side], &by, none).unwrap();
        let change = opened(folder.path()).change(&merge, &Signers::default()).unwrap();
        assert_eq!((change.subject.as_str(), change.author.email.as_str()), ("Raise the limits", "ann@example.com"));
        assert_eq!(change.body, "Because.\n\nReviewed-by: Bob");
        assert_eq!(change.trailers, [("Reviewed-by".to_owned(), "Bob".to_owned())]);
        assert_eq!((change.parents, change.signature), (vec![first, side], Signature::None));
        let gap = opened(folder.path()).change(&id(9), &Signers::default()).unwrap_err();
        assert_eq!(gap.hides, Hides::Evidence);
    }

    #[test]
    fn a_line_follows_first_parents_to_where_it_is_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
        let mut commit = |parents: &[&CommitId], n: i64| {
            let none: [(&str, Content); 0] = [];
            builder.commit(parents, &written(n), none).unwrap()
        };
        let first = commit(&[], 1);
        let side = commit(&[&first], 2);
        let second = commit(&[&first], 3);
        let merge = commit(&[&second, &side], 4);
        let repository = opened(folder.path());
        let all = HistoryBounds::default();
        let one = HistoryBounds { max_commits: 1, ..all };
        let pair = |id: &CommitId, n| (id.clone(), at(n));
        for (case, until, bounds, commits, cut) in [
            ("to the first of all", None, all, vec![pair(&merge, 4), pair(&second, 3), pair(&first, 1)], false),
            ("to one on the line", Some(&first), all, vec![pair(&merge, 4), pair(&second, 3)], false),
            ("not to one beside it", Some(&side), all, vec![pair(&merge, 4), pair(&second, 3), pair(&first, 1)], false),
            ("to a bound", None, one, vec![pair(&merge, 4)], true),
            ("nothing is new", Some(&merge), all, vec![], false),
        ] {
            let line = repository.line(&merge, &mut |id| Some(id) == until, bounds).unwrap();
            assert_eq!((line.commits, line.cut.is_some()), (commits, cut), "{case}");
        }
    }
}
