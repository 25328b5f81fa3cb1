//! Real signatures, made by `tests/fixtures/signatures/make` with git, ssh-keygen and gpg.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::{Signers, SignersFiles};
use crate::model::change::{Person, Signature};
use crate::model::ids::RepositoryName;
use crate::model::time::Timestamp;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/signatures")
}

fn signers(keyring: &str) -> Signers {
    let files =
        SignersFiles { allowed_signers: Some(folder().join("allowed_signers")), keyring: Some(folder().join(keyring)) };
    let (signers, gaps) = Signers::read(&RepositoryName::new("platform"), &files);
    assert_eq!(gaps, []);
    signers
}

fn commit(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.commit"))).unwrap()
}

/// The committer as the object says: `committer Ann <ann@example.com> 1768046400 +0000`.
fn committer(commit: &[u8]) -> Person {
    let text = String::from_utf8_lossy(commit).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("committer ")).unwrap();
    let (name, rest) = line.split_once(" <").unwrap();
    let (email, rest) = rest.split_once("> ").unwrap();
    let seconds = rest.split(' ').next().unwrap().parse().unwrap();
    Person { name: name.into(), email: email.into(), time: Timestamp::from_unix(seconds) }
}

fn check(signers: &Signers, commit: &[u8]) -> Signature {
    signers.check(commit, &committer(commit))
}

fn text(signature: &Signature) -> String {
    format!("{}: {}", signature.as_str(), signature.detail().unwrap_or_default())
}

/// What is said of each commit: the state, and words that stand in the detail.
const SAID: &[(&str, &str, &str)] = &[
    ("ssh-ed25519", "verified: ann@example.com, key SHA256:", ""),
    ("ssh-p384", "verified: ann@example.com, key SHA256:", ""),
    ("ssh-rsa", "verified: ann@example.com, key SHA256:", ""),
    ("ssh-pattern", "verified: joe@ops.example.com, key SHA256:", ""),
    (
        "ssh-not-the-committer",
        "verified: *@ops.example.com,!eve@ops.example.com",
        "not one of the committer's, eve@ops.example.com",
    ),
    ("ssh-in-time", "verified: ann@example.com", ""),
    ("ssh-old", "unverified: signed with key SHA256:", "valid until 2026-01-10 00:00:00 UTC, before the commit's time"),
    ("ssh-files", "unverified: signed with key SHA256:", "not allowed for `git`"),
    ("ssh-stranger", "unverified: signed with key SHA256:", "not in the allowed-signers file"),
    ("ssh-ca", "unverified: signed with key SHA256:", "cert-authority only"),
    ("ssh-p521", "unverified: signed with key SHA256:", "not supported"),
    ("ssh-certificate", "unverified: signed with key SHA256:", "certificates are not checked"),
    ("pgp-ed25519", "verified: ann@example.com, key ", ""),
    ("pgp-rsa", "verified: rsa@example.com, key ", ""),
    ("pgp-p256", "verified: p256@example.com, key ", ""),
    ("pgp-subkey", "verified: subkey@example.com, key ", ""),
    ("pgp-not-the-committer", "verified: ann@example.com, key ", "not one of the committer's, eve@example.com"),
    ("pgp-in-time", "verified: expiring@example.com, key ", ""),
    ("pgp-extended", "verified: extended@example.com, key ", ""),
    ("pgp-second-name", "verified: second@example.com, key ", ""),
    ("pgp-former-name", "verified: second@example.com, key ", "not one of the committer's, former@example.com"),
    ("pgp-retired", "verified: retired@example.com, key ", ""),
    ("pgp-expired", "unverified: signed with key ", "expired on 2026-01-15, before the commit's time"),
    ("pgp-before-the-key", "unverified: signed with key ", "made on 2026-01-01, after the commit's time"),
    ("pgp-revoked", "unverified: signed with key ", "revoked on 2026-02-01"),
    ("pgp-after-retiring", "unverified: signed with key ", "revoked on 2026-02-01"),
    ("pgp-stranger", "unverified: signed with key ", "not in the keyring"),
    ("pgp-sha1", "unverified: signed with OpenPGP: ", "SHA-1 does not count"),
    ("pgp-brainpool", "unverified: signed with key ", "curve"),
];

#[test]
fn real_signatures_are_what_their_makers_meant() {
    for keyring in ["keyring.pgp", "keyring.asc"] {
        let signers = signers(keyring);
        for (name, starts, holds) in SAID {
            let said = text(&check(&signers, &commit(name)));
            assert!(said.starts_with(starts) && said.contains(holds), "{name}: {said}");
            assert_eq!(said.contains("; "), starts.starts_with("verified") && !holds.is_empty(), "{name}: {said}");
        }
    }
}

#[test]
fn a_commit_that_was_changed_afterwards_is_bad() {
    let signers = signers("keyring.pgp");
    for (name, state, _) in SAID.iter().filter(|(_, state, _)| state.starts_with("verified")) {
        let good = commit(name);
        let changed = String::from_utf8(good.clone()).unwrap().replace("Raise the limits", "Raise the limits!");
        assert_eq!(check(&signers, changed.as_bytes()).as_str(), "bad", "{name} {state}");
        // Every header is signed too.
        let moved = String::from_utf8(good).unwrap().replace("author Ann ", "author Eve ");
        assert_eq!(check(&signers, moved.as_bytes()).as_str(), "bad", "{name}");
    }
    // Even a stranger's SSH key tells that the commit is not the signed one: the key is in the signature.
    let stranger = String::from_utf8(commit("ssh-stranger")).unwrap().replace("Raise", "Lower");
    assert_eq!(check(&signers, stranger.as_bytes()).as_str(), "bad");
}

#[test]
fn without_files_of_keys_nothing_is_verified_and_the_reason_is_said() {
    for (name, why) in
        [("ssh-ed25519", "no `allowedSigners` are configured"), ("pgp-ed25519", "no `keyring` is configured")]
    {
        let said = text(&check(&Signers::default(), &commit(name)));
        assert!(said.starts_with("unverified: ") && said.ends_with(why), "{said}");
    }
    let unsigned = "tree 1\ncommitter Ann <a@b> 0 +0000\n\ntext\n";
    assert_eq!(check(&Signers::default(), unsigned.as_bytes()), Signature::None);
}

#[test]
fn a_file_of_keys_that_cannot_be_read_is_a_gap_of_evidence() {
    let work = tempfile::tempdir().unwrap();
    let broken = work.path().join("allowed");
    std::fs::write(&broken, "ann@example.com\n").unwrap();
    let no_keys = work.path().join("keys.asc");
    std::fs::write(&no_keys, "-----BEGIN PGP PUBLIC KEY BLOCK-----\nnothing").unwrap();
    for (allowed_signers, keyring, said) in [
        (Some(work.path().join("none")), None, "entity not found"),
        (Some(broken), None, "line 1: it has no key"),
        (None, Some(work.path().join("none")), "entity not found"),
        (None, Some(no_keys), "it holds no OpenPGP keys"),
    ] {
        let (signers, gaps) =
            Signers::read(&RepositoryName::new("platform"), &SignersFiles { allowed_signers, keyring });
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert!(gaps[0].message.contains(said) && gaps[0].hides == crate::model::gap::Hides::Evidence, "{gaps:?}");
        assert_eq!(check(&signers, &commit("ssh-ed25519")).as_str(), "unverified");
        assert_eq!(check(&signers, &commit("pgp-ed25519")).as_str(), "unverified");
    }
}

/// Files cut short or with bytes changed: whatever they say, it is not `verified`, and nothing panics.
#[test]
fn broken_signatures_and_keyrings_verify_nothing() {
    let signers = signers("keyring.pgp");
    for name in ["ssh-ed25519", "ssh-rsa", "pgp-rsa", "pgp-ed25519"] {
        let whole = commit(name);
        let start = whole.windows(7).position(|at| at == b"gpgsig ").unwrap();
        let end = whole.windows(2).position(|at| at == b"\n\n").unwrap();
        for at in start + 7..end {
            let mut cut = whole.clone();
            cut.drain(at..end);
            check(&signers, &cut);
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            check(&signers, &flipped);
        }
        // The armor's own bytes may be read as they were; a changed byte in the middle of the signature may not.
        let mut flipped = whole.clone();
        flipped[start + 120] = if whole[start + 120] == b'A' { b'B' } else { b'A' };
        assert_ne!(check(&signers, &flipped).as_str(), "verified", "{name}");
    }
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("keys.pgp");
    let keyring = std::fs::read(folder().join("keyring.pgp")).unwrap();
    let signed = commit("pgp-ed25519");
    for at in 0..keyring.len().min(700) {
        let mut flipped = keyring.clone();
        flipped[at] ^= 0x41;
        std::fs::write(&path, &flipped[..keyring.len() - at]).unwrap();
        let files = SignersFiles { keyring: Some(path.clone()), ..SignersFiles::default() };
        check(&Signers::read(&RepositoryName::new("platform"), &files).0, &signed);
    }
}

/// A security key cannot be had here, so its signature is put together as OpenSSH's PROTOCOL.u2f describes it.
#[test]
fn a_security_keys_signature_covers_its_application_and_counter() {
    let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let sha256 = |bytes: &[u8]| ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let kind = string(b"sk-ssh-ed25519@openssh.com");
    let key = [kind.clone(), string(pair.public_key().as_ref()), string(b"ssh:")].concat();
    let payload = b"tree 1\ncommitter Ann <ann@example.com> 0 +0000\n\ntext\n";
    let digest = ring::digest::digest(&ring::digest::SHA512, payload);
    let message =
        [b"SSHSIG".to_vec(), string(b"git"), string(b""), string(b"sha512"), string(digest.as_ref())].concat();
    let state = [1, 0, 0, 0, 9];
    let signed = pair.sign(&[sha256(b"ssh:"), state.to_vec(), sha256(&message)].concat());
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("allowed");
    let line = format!("ann@example.com sk-ssh-ed25519@openssh.com {}\n", STANDARD.encode(&key));
    std::fs::write(&path, line).unwrap();
    let files = SignersFiles { allowed_signers: Some(path), keyring: None };
    let (signers, gaps) = Signers::read(&RepositoryName::new("platform"), &files);
    assert_eq!(gaps, []);
    for (counter, state) in [([1, 0, 0, 0, 9], "verified"), ([1, 0, 0, 0, 10], "bad")] {
        let blob = [kind.clone(), string(signed.as_ref()), counter.to_vec()].concat();
        let whole =
            [b"SSHSIG\0\0\0\x01".to_vec(), string(&key), string(b"git"), string(b""), string(b"sha512"), string(&blob)]
                .concat();
        let armored =
            format!("-----BEGIN SSH SIGNATURE-----\n {}\n -----END SSH SIGNATURE-----", STANDARD.encode(whole));
        let text = String::from_utf8(payload.to_vec()).unwrap();
        let commit = text.replacen("committer", &format!("gpgsig {armored}\ncommitter"), 1);
        assert_eq!(check(&signers, commit.as_bytes()).as_str(), state, "{counter:?}");
    }
}
