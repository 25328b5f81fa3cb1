//! The keys that a repository's signatures are checked against, and the check.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::allowed::{self, Entry};
use super::certificate::{self, Certificate};
use super::packets::unarmored;
use super::{openpgp, signed, ssh};
use crate::model::change::{Person, Signature};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::RepositoryName;

/// Largest file of keys that is read, in bytes.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Where a repository's trusted keys are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignersFiles {
    /// An allowed-signers file, as ssh-keygen(1) describes it.
    pub allowed_signers: Option<PathBuf>,
    /// OpenPGP public keys, armored or not.
    pub keyring: Option<PathBuf>,
}

/// Trusted keys. Where a file is missing or could not be read, signatures of its kind are unverified.
#[derive(Clone, Debug)]
pub struct Signers {
    ssh: Result<Vec<Entry>, &'static str>,
    openpgp: Result<Vec<Certificate>, &'static str>,
}

impl Default for Signers {
    /// No keys at all.
    fn default() -> Self {
        Self { ssh: Err("no `allowedSigners` are configured"), openpgp: Err("no `keyring` is configured") }
    }
}

impl Signers {
    /// Reads a repository's files of keys. What cannot be read is a gap that hides evidence: signatures are unverified then.
    pub fn read(name: &RepositoryName, files: &SignersFiles) -> (Self, Vec<Gap>) {
        let mut signers = Self::default();
        let mut gaps = Vec::new();
        if let Some(path) = &files.allowed_signers {
            let mut gap = |why: &str| gaps.push(gap(name, path, "allowed-signers file", why));
            match content(path) {
                Ok(bytes) => signers.allow(&bytes).iter().for_each(|problem| gap(problem)),
                Err(why) => {
                    gap(&why);
                    signers.ssh = Err("the allowed-signers file cannot be read");
                }
            }
        }
        if let Some(path) = &files.keyring {
            let read = content(path).and_then(|bytes| {
                signers.trust(&bytes).then_some(()).ok_or_else(|| "it holds no OpenPGP keys".to_owned())
            });
            if let Err(why) = read {
                gaps.push(gap(name, path, "keyring", &why));
                signers.openpgp = Err("the keyring cannot be read");
            }
        }
        (signers, gaps)
    }

    /// Takes the SSH keys of an allowed-signers file. Gives what is wrong with its lines; the other lines count.
    pub fn allow(&mut self, file: &[u8]) -> Vec<String> {
        let (entries, problems) = allowed::read(&String::from_utf8_lossy(file));
        self.ssh = Ok(entries);
        problems
    }

    /// Takes the OpenPGP keys of a keyring, armored or not. False where the bytes are none.
    pub fn trust(&mut self, file: &[u8]) -> bool {
        let binary = unarmored(file, "PUBLIC KEY BLOCK");
        let certificates = binary.and_then(|bytes| certificate::keyring(&bytes)).filter(|read| !read.is_empty());
        let read = certificates.is_some();
        self.openpgp = certificates.ok_or("the keyring cannot be read");
        read
    }

    /// Checks the signature of a commit, given as the object that Git stores.
    pub fn check(&self, commit: &[u8], committer: &Person) -> Signature {
        let Some(signed) = signed::split(commit) else { return Signature::None };
        let armored = signed.signature.trim_ascii();
        if armored.starts_with(ssh::BEGIN) {
            ssh::check(armored, &signed.payload, committer, self.ssh.as_deref().map_err(|why| *why))
        } else if armored.starts_with(openpgp::BEGIN) {
            openpgp::check(armored, &signed.payload, committer, self.openpgp.as_deref().map_err(|why| *why))
        } else if armored.starts_with(b"-----BEGIN SIGNED MESSAGE-----") {
            Signature::unverified("signed with X.509, which is not checked")
        } else {
            Signature::bad("the signature is of no kind that is known")
        }
    }
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.kind().to_string())?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.kind().to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it is larger than {MOST_BYTES} bytes"));
    }
    Ok(bytes)
}

fn gap(name: &RepositoryName, path: &Path, what: &str, why: &str) -> Gap {
    let message = format!("the {what} of repository {name}, {}, cannot be used: {why}", path.display());
    Gap::new(GapKind::Parse, message, Hides::Evidence)
        .at(format!("repository {name}"))
        .hint("Signatures whose keys stand there are unverified until it can be read.")
}
