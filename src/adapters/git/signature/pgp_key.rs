//! One OpenPGP public key of version 4 (RFC 9580, section 5.5), without what was said about it.

use ring::digest;

use super::key::{PublicKey, without_zeros};
use super::wire::Reader;
use crate::model::canonical::hex;
use crate::model::time::Timestamp;

/// A primary key or subkey.
#[derive(Clone, Debug)]
pub(super) struct Key<'a> {
    /// Its packet's body.
    pub(super) body: &'a [u8],
    pub(super) created: Timestamp,
    /// 20 bytes.
    pub(super) fingerprint: Vec<u8>,
    /// What signatures are checked with, or why that cannot be done.
    pub(super) public: Result<PublicKey, &'static str>,
    algorithm: u8,
}

impl<'a> Key<'a> {
    /// `None` where it is no key of version 4.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        reader.u8().filter(|version| *version == 4)?;
        let created = Timestamp::from_unix(i64::from(reader.u32()?));
        let algorithm = reader.u8()?;
        let framed = Self::framed(body)?;
        let fingerprint = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &framed).as_ref().to_vec();
        let public = material(algorithm, &mut reader).unwrap_or(Err("its key cannot be read"));
        Some(Self { body, created, fingerprint, public, algorithm })
    }

    /// As signatures on it and its fingerprint hash it (section 5.2.4).
    pub(super) fn hashed(&self) -> Vec<u8> {
        Self::framed(self.body).unwrap_or_default()
    }

    fn framed(body: &[u8]) -> Option<Vec<u8>> {
        let length = u16::try_from(body.len()).ok()?;
        Some([&[0x99][..], &length.to_be_bytes(), body].concat())
    }

    /// The last eight bytes of the fingerprint.
    pub(super) fn id(&self) -> Option<[u8; 8]> {
        self.fingerprint.last_chunk::<8>().copied()
    }

    /// Upper-case hex, as `gpg` writes it.
    pub(super) fn name(&self) -> String {
        hex(&self.fingerprint).to_uppercase()
    }

    /// Whether its signatures say this algorithm.
    pub(super) fn makes(&self, algorithm: u8) -> bool {
        self.algorithm == algorithm || (self.algorithm, algorithm) == (1, 3) || (self.algorithm, algorithm) == (3, 1)
    }
}

/// The numbers of a key (section 5.5.5).
fn material(algorithm: u8, reader: &mut Reader<'_>) -> Option<Result<PublicKey, &'static str>> {
    const ED25519: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
    const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
    const CURVE: &str = "keys of its curve are not supported";
    Some(match algorithm {
        1 | 3 => {
            let n = without_zeros(reader.mpi()?).to_vec();
            Ok(PublicKey::Rsa { n, e: without_zeros(reader.mpi()?).to_vec() })
        }
        27 => Ok(PublicKey::Ed25519(reader.take(32)?.to_vec())),
        19 | 22 => {
            let length = usize::from(reader.u8()?);
            let curve = reader.take(length)?;
            let point = reader.mpi()?;
            match (algorithm, curve) {
                // The byte in front says that the point is as RFC 8032 has it.
                (22, ED25519) => Ok(PublicKey::Ed25519(point.strip_prefix(&[0x40])?.to_vec())),
                (19, P256) => Ok(PublicKey::P256(point.to_vec())),
                (19, P384) => Ok(PublicKey::P384(point.to_vec())),
                _ => Err(CURVE),
            }
        }
        17 => Err("DSA keys are not supported"),
        _ => Err("keys of its algorithm are not supported"),
    })
}
