//! A commit's bytes, taken apart into the signature and what was signed.

/// A signed commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed {
    /// The armored signature.
    pub(super) signature: Vec<u8>,
    /// The commit without any signature: what was signed.
    pub(super) payload: Vec<u8>,
}

/// Takes a commit object apart; `None` where it is not signed.
///
/// The signature stands in a header `gpgsig` whose further lines begin with a space (gitformat-signature(5)). The header of the other
/// hash, `gpgsig-sha256`, is no part of what was signed. With two signatures nobody can say which one counts: the second is taken as
/// a continuation of the first, as Git takes it, and does not hold.
pub(super) fn split(commit: &[u8]) -> Option<Signed> {
    let mut signed = Signed { signature: Vec::new(), payload: Vec::with_capacity(commit.len()) };
    let mut found = false;
    let mut into = Part::Payload;
    let mut rest = commit;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line == b"\n" {
            signed.payload.extend_from_slice(rest);
            break;
        }
        let text = match (line.strip_prefix(b"gpgsig "), line.strip_prefix(b" ")) {
            (Some(text), _) => {
                (found, into) = (true, Part::Signature);
                text
            }
            (None, Some(text)) if into != Part::Payload => text,
            (None, _) => {
                let other = line.starts_with(b"gpgsig-sha256 ");
                let goes_on = line.starts_with(b" ");
                into = if other || (goes_on && into == Part::Nothing) { Part::Nothing } else { Part::Payload };
                line
            }
        };
        match into {
            Part::Payload => signed.payload.extend_from_slice(line),
            Part::Signature => signed.signature.extend_from_slice(text),
            Part::Nothing => {}
        }
        rest = after;
    }
    found.then_some(signed)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Payload,
    Signature,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_taken_apart_as_git_does() {
        for (case, commit, signature, payload) in [
            (
                "in the midst of headers",
                "tree 1\ngpgsig a\n b\nencoding x\n\ntext\n",
                "a\nb\n",
                "tree 1\nencoding x\n\ntext\n",
            ),
            (
                "the other hash's signature is left out",
                "tree 1\ngpgsig a\ngpgsig-sha256 c\n d\n\ntext",
                "a\n",
                "tree 1\n\ntext",
            ),
            ("a header that goes on stays", "mergetag x\n y\ngpgsig a\n\nt", "a\n", "mergetag x\n y\n\nt"),
            ("two signatures become one", "gpgsig a\ngpgsig b\n\nt", "a\nb\n", "\nt"),
            ("no message", "tree 1\ngpgsig a\n", "a\n", "tree 1\n"),
        ] {
            let split = split(commit.as_bytes()).expect(case);
            let texts = (String::from_utf8(split.signature).unwrap(), String::from_utf8(split.payload).unwrap());
            assert_eq!(texts, (signature.to_owned(), payload.to_owned()), "{case}");
        }
        assert_eq!(split(b"tree 1\n\ngpgsig in the message\n"), None);
    }
}
