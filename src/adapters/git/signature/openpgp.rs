//! OpenPGP signatures (RFC 9580), checked against a keyring.

use super::certificate::{Certificate, Standing};
use super::packets::unarmored;
use super::pgp_key::Key;
use super::pgp_signature::{OF_BINARY, OF_TEXT, PgpSignature, Refused};
use crate::model::canonical::hex;
use crate::model::change::{Person, Signature};
use crate::model::time::Timestamp;

pub(super) const BEGIN: &[u8] = b"-----BEGIN PGP SIGNATURE-----";

/// Checks an armored signature of `payload`. `keyring`: `None` where no file is at hand, with the reason for people.
pub(super) fn check(
    armored: &[u8],
    payload: &[u8],
    committer: &Person,
    keyring: Result<&[Certificate], &str>,
) -> Signature {
    let Some(bytes) = unarmored(armored, "SIGNATURE") else {
        return Signature::bad("the OpenPGP signature cannot be read");
    };
    let signature = match PgpSignature::of_packets(&bytes) {
        Ok(signature) => signature,
        Err(Refused::Broken) => return Signature::bad("the OpenPGP signature cannot be read"),
        Err(Refused::Unsupported(why)) => return Signature::unverified(format!("signed with OpenPGP: {why}")),
    };
    match signature.kind {
        OF_BINARY => {}
        OF_TEXT => return Signature::unverified("signed with OpenPGP as a text, which is not checked"),
        _ => return Signature::bad("the OpenPGP signature is not one of a document"),
    }
    let Some(issuer) = signature.issuer else {
        return Signature::unverified("signed with OpenPGP, and the signature does not say with which key");
    };
    let id = hex(&issuer).to_uppercase();
    let keyring = match keyring {
        Ok(keyring) => keyring,
        Err(why) => return Signature::unverified(format!("signed with key {id}, and {why}")),
    };
    let mut outcome = None;
    for (certificate, key) in of_id(keyring, issuer) {
        let Some(public) = Key::read(&key.body) else { continue };
        match signature.fits(&public, &[payload]) {
            Ok(true) => return judge(&signature, certificate, key, &public.name(), committer),
            Ok(false) => outcome = Some(Signature::bad(format!("the signature with key {id} is not of this commit"))),
            Err(why) => outcome = Some(Signature::unverified(format!("signed with key {id}: {why}"))),
        }
    }
    outcome.unwrap_or_else(|| Signature::unverified(format!("signed with key {id}, which is not in the keyring")))
}

/// Eight bytes may be shared: every key that has them is tried.
fn of_id(keyring: &[Certificate], id: [u8; 8]) -> impl Iterator<Item = (&Certificate, &Standing)> {
    keyring.iter().flat_map(move |certificate| {
        certificate.keys.iter().filter(move |key| key.id == id).map(move |key| (certificate, key))
    })
}

/// What a signature that holds is worth.
fn judge(
    signature: &PgpSignature<'_>,
    certificate: &Certificate,
    key: &Standing,
    name: &str,
    committer: &Person,
) -> Signature {
    if let Some(why) = key.objection(signature.created, committer.time) {
        return Signature::unverified(format!("signed with key {name}: {why}"));
    }
    let (by, own) = certificate.user(&committer.email);
    let stranger = (!own).then(|| format!("the key is not one of the committer's, {}", committer.email));
    let limited = (signature.expires_after > 0).then(|| {
        let end = Timestamp::from_unix(signature.created.unix() + i64::from(signature.expires_after));
        format!("the signature was to hold until {}", end.date())
    });
    let notes: Vec<String> = [stranger, limited].into_iter().flatten().collect();
    Signature::Verified { by, key: name.to_owned(), note: (!notes.is_empty()).then(|| notes.join("; ")) }
}
