//! A keyring: OpenPGP certificates, each a primary key with subkeys and names, and what of that counts.
//!
//! What a certificate says of itself counts only where its own primary key signed it; other people's certifications are not looked at:
//! that a key is in the file is the trust.

use super::packets::{PUBLIC_KEY, PUBLIC_SUBKEY, Packet, SIGNATURE, USER_ID, packets};
use super::pgp_key::Key;
use super::pgp_signature::{
    CERTIFICATION_REVOCATION, DIRECT_KEY, KEY_REVOCATION, PRIMARY_BINDING, PgpSignature, SUBKEY_BINDING,
    SUBKEY_REVOCATION,
};
use crate::model::time::Timestamp;

/// May sign (section 5.2.3.29).
const MAY_SIGN: u8 = 0x02;

/// A certificate.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// The primary key's fingerprint.
    pub(super) name: String,
    /// Names that the primary key stands behind, the newest first.
    pub(super) users: Vec<String>,
    /// The primary key and subkeys.
    pub(super) keys: Vec<Standing>,
}

/// A key and what its certificate says of it.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// The key's packet.
    pub(super) body: Vec<u8>,
    /// Last eight bytes of its fingerprint.
    pub(super) id: [u8; 8],
    created: Timestamp,
    /// The first moment at which it does not count.
    expires: Option<Timestamp>,
    revoked: Vec<Revocation>,
    /// Why it must not sign at all.
    barred: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
struct Revocation {
    time: Timestamp,
    /// It was replaced or retired: what it signed before stands.
    soft: bool,
}

impl Standing {
    /// Why a signature made at `time`, in a commit of `committed`, does not count. Both are the maker's word: the later one decides.
    pub(super) fn objection(&self, time: Timestamp, committed: Timestamp) -> Option<String> {
        if let Some(why) = self.barred {
            return Some(why.to_owned());
        }
        let last = time.max(committed);
        if let Some(hard) = self.revoked.iter().find(|revocation| !revocation.soft || revocation.time <= last) {
            return Some(format!("the key was revoked on {}", hard.time.date()));
        }
        if time.min(committed) < self.created {
            return Some(format!("the key was made on {}, after the commit's time", self.created.date()));
        }
        let expired = self.expires.filter(|expires| last >= *expires)?;
        Some(format!("the key expired on {}, before the commit's time", expired.date()))
    }
}

impl Certificate {
    /// The name with this e-mail address; else any.
    pub(super) fn user(&self, email: &str) -> (String, bool) {
        let address = |user: &String| match user.rsplit_once('<') {
            Some((_, rest)) => rest.trim_end().trim_end_matches('>').to_owned(),
            None => user.trim().to_owned(),
        };
        match self.users.iter().map(address).find(|own| own.eq_ignore_ascii_case(email)) {
            Some(own) => (own, true),
            None => (self.users.first().map_or_else(|| self.name.clone(), address), false),
        }
    }
}

/// Reads a keyring; `None` where the bytes are no packets. What cannot be used is left out.
pub(super) fn keyring(bytes: &[u8]) -> Option<Vec<Certificate>> {
    let packets = packets(bytes)?;
    let mut certificates = Vec::new();
    let mut rest = packets.as_slice();
    while let Some(start) = rest.iter().position(|packet| packet.tag == PUBLIC_KEY) {
        let after = &rest[start + 1..];
        let end = after.iter().position(|packet| packet.tag == PUBLIC_KEY).unwrap_or(after.len());
        certificates.extend(Key::read(rest[start].body).map(|primary| certificate(&primary, &after[..end])));
        rest = &after[end..];
    }
    Some(certificates)
}

fn certificate(primary: &Key<'_>, packets: &[Packet<'_>]) -> Certificate {
    let mut about: Vec<(Packet<'_>, Vec<&[u8]>)> = vec![(Packet { tag: PUBLIC_KEY, body: primary.body }, Vec::new())];
    for packet in packets {
        match (packet.tag, about.last_mut()) {
            (SIGNATURE, Some((_, signatures))) => signatures.push(packet.body),
            // Trust is a note of somebody's gpg on what stands before it.
            (12, _) => {}
            _ => about.push((*packet, Vec::new())),
        }
    }
    let mut direct: Vec<PgpSignature<'_>> = Vec::new();
    let mut users: Vec<(Timestamp, String)> = Vec::new();
    let mut keys = Vec::new();
    let mut revoked = Vec::new();
    let own = primary.hashed();
    for (packet, signatures) in &about {
        let read = || signatures.iter().filter_map(|body| PgpSignature::read(body).ok());
        match packet.tag {
            PUBLIC_KEY => {
                let by_itself = |signature: &PgpSignature<'_>| signature.fits(primary, &[&own]) == Ok(true);
                direct.extend(read().filter(|found| found.kind == DIRECT_KEY).filter(by_itself));
                revoked.extend(read().filter(|found| found.kind == KEY_REVOCATION).filter(by_itself).map(revocation));
            }
            USER_ID => {
                let length = u32::try_from(packet.body.len()).unwrap_or(u32::MAX).to_be_bytes();
                let data = [&own[..], &[0xb4], &length, packet.body];
                let newest = |kinds: std::ops::RangeInclusive<u8>| {
                    read()
                        .filter(move |found| kinds.contains(&found.kind))
                        .filter(|found| found.fits(primary, &data) == Ok(true))
                        .max_by_key(|found| found.created)
                };
                let Some(certified) = newest(0x10..=0x13) else { continue };
                let taken_back = newest(CERTIFICATION_REVOCATION..=CERTIFICATION_REVOCATION);
                if taken_back.is_none_or(|back| back.created < certified.created) {
                    users.push((certified.created, String::from_utf8_lossy(packet.body).into_owned()));
                    direct.push(certified);
                }
            }
            PUBLIC_SUBKEY => keys.extend(Key::read(packet.body).and_then(|key| subkey(primary, &key, read()))),
            _ => {}
        }
    }
    users.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    let newest = direct.iter().max_by_key(|found| found.created);
    let barred = match newest {
        None => Some("the key has no valid signature on itself"),
        Some(found) if found.key_flags.is_some_and(|flags| flags & MAY_SIGN == 0) => Some("the key is not for signing"),
        Some(_) => None,
    };
    let expires = newest.and_then(|found| expiry(primary, found));
    // A subkey falls with its primary key.
    for key in &mut keys {
        let key: &mut Standing = key;
        key.revoked.extend(&revoked);
        key.expires = [key.expires, expires].into_iter().flatten().min();
        key.barred = key.barred.or(newest.is_none().then_some("the key has no valid signature on itself"));
    }
    if let Some(id) = primary.id() {
        let body = primary.body.to_vec();
        keys.insert(0, Standing { body, id, created: primary.created, expires, revoked, barred });
    }
    Certificate { name: primary.name(), users: users.into_iter().map(|(_, user)| user).collect(), keys }
}

/// A subkey, by the newest valid binding of its primary key.
fn subkey<'a>(
    primary: &Key<'_>,
    key: &Key<'_>,
    signatures: impl Iterator<Item = PgpSignature<'a>>,
) -> Option<Standing> {
    let data = [primary.hashed(), key.hashed()].concat();
    let (bindings, others): (Vec<_>, Vec<_>) = signatures
        .filter(|found| found.fits(primary, &[&data]) == Ok(true))
        .partition(|found| found.kind == SUBKEY_BINDING);
    let binding = bindings.iter().max_by_key(|found| found.created)?;
    let signs = binding.key_flags.is_some_and(|flags| flags & MAY_SIGN != 0);
    // A key that signs must have agreed to belong here.
    let agreed = || {
        let back = binding.embedded.and_then(|body| PgpSignature::read(body).ok());
        back.is_some_and(|back| back.kind == PRIMARY_BINDING && back.fits(key, &[&data]) == Ok(true))
    };
    let barred = (!signs || !agreed()).then_some("the key is not for signing");
    Some(Standing {
        body: key.body.to_vec(),
        id: key.id()?,
        created: key.created,
        expires: expiry(key, binding),
        revoked: others.into_iter().filter(|found| found.kind == SUBKEY_REVOCATION).map(revocation).collect(),
        barred,
    })
}

fn expiry(key: &Key<'_>, said: &PgpSignature<'_>) -> Option<Timestamp> {
    let after = i64::from(said.key_expires_after);
    (after > 0).then(|| Timestamp::from_unix(key.created.unix() + after))
}

/// Superseded (1) and retired (3) keys were good until then (section 5.2.3.31).
fn revocation(signature: PgpSignature<'_>) -> Revocation {
    Revocation { time: signature.created, soft: matches!(signature.reason, Some(1 | 3)) }
}
