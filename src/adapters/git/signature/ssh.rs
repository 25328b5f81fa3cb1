//! SSH signatures (OpenSSH, PROTOCOL.sshsig), checked against an allowed-signers file.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::allowed::Entry;
use super::key::{Hash, Numbers, PublicKey, without_zeros};
use super::wire::Reader;
use crate::model::change::{Person, Signature};

pub(super) const BEGIN: &[u8] = b"-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// What Git signs for.
const NAMESPACE: &str = "git";

/// Checks an armored signature of `payload`. `signers`: `None` where no file is at hand, with the reason for people.
pub(super) fn check(armored: &[u8], payload: &[u8], committer: &Person, signers: Result<&[Entry], &str>) -> Signature {
    let Some(bytes) = unarmored(armored) else {
        return Signature::bad("the SSH signature cannot be read");
    };
    let Some(signature) = Sshsig::read(&bytes) else {
        return Signature::bad("the SSH signature cannot be read");
    };
    if signature.namespace != NAMESPACE.as_bytes() {
        let namespace = String::from_utf8_lossy(signature.namespace);
        return Signature::bad(format!("the SSH signature is for `{namespace}`, not for `{NAMESPACE}`"));
    }
    let name = fingerprint(signature.key);
    match signature.fits(payload) {
        Ok(true) => {}
        Ok(false) => return Signature::bad(format!("the signature with key {name} is not of this commit")),
        Err(why) => return Signature::unverified(format!("signed with key {name}: {why}")),
    }
    let signers = match signers {
        Ok(signers) => signers,
        Err(why) => return Signature::unverified(format!("signed with key {name}, and {why}")),
    };
    let own = || signers.iter().filter(|entry| entry.key == signature.key && !entry.authority);
    let counts = |entry: &&Entry| entry.objection(NAMESPACE, committer.time).is_none();
    let of_committer = own().filter(counts).find(|entry| entry.principals.fit(&committer.email));
    if of_committer.is_some() {
        return Signature::Verified { by: committer.email.clone(), key: name, note: None };
    }
    if let Some(entry) = own().find(counts) {
        let note = Some(format!("the key is not one of the committer's, {}", committer.email));
        return Signature::Verified { by: entry.principals.as_str().to_owned(), key: name, note };
    }
    match own().find_map(|entry| entry.objection(NAMESPACE, committer.time)) {
        Some(why) => Signature::unverified(format!("signed with key {name}: {why}")),
        None if signers.iter().any(|entry| entry.key == signature.key) => {
            Signature::unverified(format!("signed with key {name}, which is there as a cert-authority only"))
        }
        None => Signature::unverified(format!("signed with key {name}, which is not in the allowed-signers file")),
    }
}

/// `SHA256:…`, as `ssh-keygen -l` writes it.
fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Hash::Sha256.of(key)))
}

fn unarmored(armored: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(armored.trim_ascii()).ok()?;
    let body = text.strip_prefix(std::str::from_utf8(BEGIN).ok()?)?.strip_suffix(END)?;
    let tight: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(tight).ok()
}

/// The parts of a signature.
struct Sshsig<'a> {
    key: &'a [u8],
    namespace: &'a [u8],
    reserved: &'a [u8],
    hash: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Sshsig<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let known = reader.take(6)? == b"SSHSIG" && reader.u32()? == 1;
        let read = Self {
            key: reader.string()?,
            namespace: reader.string()?,
            reserved: reader.string()?,
            hash: reader.string()?,
            signature: reader.string()?,
        };
        (known && reader.is_empty()).then_some(read)
    }

    /// Whether it signs the payload; an error where that cannot be found out.
    fn fits(&self, payload: &[u8]) -> Result<bool, &'static str> {
        let hash = match self.hash {
            b"sha256" => Hash::Sha256,
            b"sha512" => Hash::Sha512,
            _ => return Err("its hash is not known"),
        };
        let mut message = b"SSHSIG".to_vec();
        for part in [self.namespace, self.reserved, self.hash, &hash.of(payload)] {
            message.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            message.extend_from_slice(part);
        }
        let (key, application) = public_key(self.key)?;
        let mut reader = Reader::new(self.signature);
        let (Some(algorithm), Some(blob)) = (reader.string(), reader.string()) else { return Ok(false) };
        let hash = match (&key, algorithm.strip_prefix(b"sk-").unwrap_or(algorithm)) {
            (PublicKey::Ed25519(_), b"ssh-ed25519" | b"ssh-ed25519@openssh.com") => Hash::Sha512,
            (PublicKey::P256(_), b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp256@openssh.com") => Hash::Sha256,
            (PublicKey::P384(_), b"ecdsa-sha2-nistp384") => Hash::Sha384,
            (PublicKey::Rsa { .. }, b"rsa-sha2-256") => Hash::Sha256,
            (PublicKey::Rsa { .. }, b"rsa-sha2-512") => Hash::Sha512,
            (PublicKey::Rsa { .. }, b"ssh-rsa") => return Err("an RSA signature with SHA-1 does not count"),
            _ => return Ok(false),
        };
        if let Some(application) = application {
            // A security key signs hashes, its flags and a counter (OpenSSH, PROTOCOL.u2f).
            let Some(state) = reader.take(5) else { return Ok(false) };
            message = [&Hash::Sha256.of(application), state, &Hash::Sha256.of(&message)[..]].concat();
        }
        if !reader.is_empty() {
            return Ok(false);
        }
        let numbers = match key {
            PublicKey::Ed25519(_) | PublicKey::Rsa { .. } => Numbers::One(blob),
            PublicKey::P256(_) | PublicKey::P384(_) => {
                let mut two = Reader::new(blob);
                let (Some(r), Some(s), true) = (two.string(), two.string(), two.is_empty()) else { return Ok(false) };
                Numbers::Two(r, s)
            }
        };
        key.verify(hash, &message, &numbers).map_err(|unsupported| unsupported.0)
    }
}

/// A key as SSH encodes it (RFC 4253, RFC 5656, RFC 8709), and a security key's application.
fn public_key(bytes: &[u8]) -> Result<(PublicKey, Option<&[u8]>), &'static str> {
    const BROKEN: &str = "its key cannot be read";
    let mut reader = Reader::new(bytes);
    let kind = reader.string().ok_or(BROKEN)?;
    let hardware = kind.starts_with(b"sk-");
    let key = match kind {
        b"ssh-ed25519" | b"sk-ssh-ed25519@openssh.com" => PublicKey::Ed25519(reader.string().ok_or(BROKEN)?.to_vec()),
        b"ecdsa-sha2-nistp256" | b"sk-ecdsa-sha2-nistp256@openssh.com" => {
            reader.string().filter(|curve| *curve == b"nistp256").ok_or(BROKEN)?;
            PublicKey::P256(reader.string().ok_or(BROKEN)?.to_vec())
        }
        b"ecdsa-sha2-nistp384" => {
            reader.string().filter(|curve| *curve == b"nistp384").ok_or(BROKEN)?;
            PublicKey::P384(reader.string().ok_or(BROKEN)?.to_vec())
        }
        b"ssh-rsa" => {
            let e = without_zeros(reader.string().ok_or(BROKEN)?).to_vec();
            PublicKey::Rsa { e, n: without_zeros(reader.string().ok_or(BROKEN)?).to_vec() }
        }
        kind if kind.ends_with(b"-cert-v01@openssh.com") => return Err("signatures with certificates are not checked"),
        _ => return Err("keys of this type are not supported"),
    };
    let application = if hardware { Some(reader.string().ok_or(BROKEN)?) } else { None };
    if reader.is_empty() { Ok((key, application)) } else { Err(BROKEN) }
}
