//! One OpenPGP signature packet of version 4 (RFC 9580, section 5.2), and what it is a signature of.

use super::key::{Hash, Numbers};
use super::packets::{SIGNATURE, new_length, packets};
use super::pgp_key::Key;
use super::wire::Reader;
use crate::model::time::Timestamp;

/// Types of signatures (section 5.2.1).
pub(super) const OF_BINARY: u8 = 0x00;
pub(super) const OF_TEXT: u8 = 0x01;
pub(super) const SUBKEY_BINDING: u8 = 0x18;
pub(super) const PRIMARY_BINDING: u8 = 0x19;
pub(super) const DIRECT_KEY: u8 = 0x1f;
pub(super) const KEY_REVOCATION: u8 = 0x20;
pub(super) const SUBKEY_REVOCATION: u8 = 0x28;
pub(super) const CERTIFICATION_REVOCATION: u8 = 0x30;

/// A signature, read.
#[derive(Clone, Debug)]
pub(super) struct PgpSignature<'a> {
    pub(super) kind: u8,
    pub(super) created: Timestamp,
    /// Seconds after `created` for which it is to hold; 0: for ever.
    pub(super) expires_after: u32,
    /// Seconds after the key's making for which the key is to hold, where it is about a key; 0: for ever.
    pub(super) key_expires_after: u32,
    /// What the key may be used for, where that is said.
    pub(super) key_flags: Option<u8>,
    /// Why a key is revoked (section 5.2.3.31).
    pub(super) reason: Option<u8>,
    /// The signature of a subkey on its primary key.
    pub(super) embedded: Option<&'a [u8]>,
    /// The last eight bytes of the maker's fingerprint.
    pub(super) issuer: Option<[u8; 8]>,
    algorithm: u8,
    hash: Hash,
    /// What of itself is signed.
    hashed: &'a [u8],
    numbers: Numbers<'a>,
}

/// Why a signature cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is no signature.
    Broken,
    /// It may be one, and cannot be checked.
    Unsupported(&'static str),
}

impl<'a> PgpSignature<'a> {
    /// Reads the only packet of these bytes.
    pub(super) fn of_packets(bytes: &'a [u8]) -> Result<Self, Refused> {
        match packets(bytes).as_deref() {
            Some([packet]) if packet.tag == SIGNATURE => Self::read(packet.body),
            Some([_, _, ..]) => Err(Refused::Unsupported("there is more than one signature")),
            _ => Err(Refused::Broken),
        }
    }

    /// Reads a packet's body.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refused> {
        let mut reader = Reader::new(body);
        match reader.u8() {
            Some(4) => {}
            Some(3 | 5 | 6) => return Err(Refused::Unsupported("signatures of this version are not supported")),
            _ => return Err(Refused::Broken),
        }
        let mut head = || Some((reader.u8()?, reader.u8()?, reader.u8()?));
        let (kind, algorithm, hash) = head().ok_or(Refused::Broken)?;
        let area = |reader: &mut Reader<'a>| reader.u16().and_then(|length| reader.take(usize::from(length)));
        let signed_area = area(&mut reader).ok_or(Refused::Broken)?;
        let hashed = &body[..body.len() - reader.rest().len()];
        let other_area = area(&mut reader).ok_or(Refused::Broken)?;
        let hash = match hash {
            8 => Hash::Sha256,
            9 => Hash::Sha384,
            10 => Hash::Sha512,
            1..=3 => return Err(Refused::Unsupported("a hash as weak as SHA-1 does not count")),
            _ => return Err(Refused::Unsupported("its hash is not supported")),
        };
        // Two bytes of the hash help to fail early and prove nothing.
        reader.take(2).ok_or(Refused::Broken)?;
        let numbers = match algorithm {
            1 | 3 => Numbers::One(reader.mpi().ok_or(Refused::Broken)?),
            19 | 22 => {
                let r = reader.mpi().ok_or(Refused::Broken)?;
                Numbers::Two(r, reader.mpi().ok_or(Refused::Broken)?)
            }
            27 => Numbers::One(reader.take(64).ok_or(Refused::Broken)?),
            _ => return Err(Refused::Unsupported("its algorithm is not supported")),
        };
        let mut signature = Self {
            kind,
            created: Timestamp::from_unix(0),
            expires_after: 0,
            key_expires_after: 0,
            key_flags: None,
            reason: None,
            embedded: None,
            issuer: None,
            algorithm,
            hash,
            hashed,
            numbers,
        };
        let created = signature.subpackets(signed_area, true)?;
        signature.subpackets(other_area, false)?;
        signature.created = created.ok_or(Refused::Broken)?;
        Ok(signature)
    }

    /// Reads subpackets (section 5.2.3.7). Outside the signed area only what helps to find and check a key counts. Gives the time.
    fn subpackets(&mut self, area: &'a [u8], signed: bool) -> Result<Option<Timestamp>, Refused> {
        let mut reader = Reader::new(area);
        let mut created = None;
        while !reader.is_empty() {
            let length = new_length(&mut reader, true).and_then(|length| usize::try_from(length).ok());
            let subpacket = length.and_then(|length| reader.take(length)).ok_or(Refused::Broken)?;
            let (kind, body) = subpacket.split_first().ok_or(Refused::Broken)?;
            let number = || Reader::new(body).u32().ok_or(Refused::Broken);
            match (kind & 0x7f, signed) {
                (2, true) => created = Some(Timestamp::from_unix(i64::from(number()?))),
                (3, true) => self.expires_after = number()?,
                (9, true) => self.key_expires_after = number()?,
                (27, true) => self.key_flags = Some(body.first().copied().unwrap_or(0)),
                (29, true) => self.reason = Some(body.first().copied().unwrap_or(0)),
                (32, _) => self.embedded = Some(body),
                (16, _) => self.issuer = body.try_into().ok(),
                (33, _) => self.issuer = body.get(1..).and_then(|print| print.last_chunk::<8>()).copied(),
                // Preferences, features, servers, policies, names and notes: nothing hangs on them here.
                (4..=7 | 10..=12 | 20..=31 | 33..=35 | 39, _) => {}
                _ if kind & 0x80 != 0 && signed => {
                    return Err(Refused::Unsupported("it has a critical part that is not known"));
                }
                _ => {}
            }
        }
        Ok(created)
    }

    /// Whether `key` made it of `data`.
    pub(super) fn fits(&self, key: &Key<'_>, data: &[&[u8]]) -> Result<bool, &'static str> {
        let public = key.public.as_ref().map_err(|why| *why)?;
        // Certificates carry many signatures of other people's keys.
        if !key.makes(self.algorithm) || self.issuer.is_some_and(|issuer| Some(issuer) != key.id()) {
            return Ok(false);
        }
        let mut message = data.concat();
        message.extend_from_slice(self.hashed);
        message.extend_from_slice(&[4, 0xff]);
        message.extend_from_slice(&u32::try_from(self.hashed.len()).unwrap_or(u32::MAX).to_be_bytes());
        // EdDSA signs the hash, as OpenPGP uses it.
        let message = if matches!(self.algorithm, 22 | 27) { self.hash.of(&message) } else { message };
        public.verify(self.hash, &message, &self.numbers).map_err(|unsupported| unsupported.0)
    }
}
