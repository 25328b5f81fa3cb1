//! Public keys that signatures are checked with, whatever wrote them down.

use ring::digest;
use ring::signature as alg;

/// A key of a sort that can be checked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// 32 bytes (RFC 8032).
    Ed25519(Vec<u8>),
    /// An uncompressed point, 65 bytes.
    P256(Vec<u8>),
    /// An uncompressed point, 97 bytes.
    P384(Vec<u8>),
    /// Modulus and exponent, big-endian, without zeros in front.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// A digest that counts; SHA-1 and MD5 do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// The numbers of a signature, big-endian; zeros in front do not matter.
#[derive(Clone, Debug)]
pub(super) enum Numbers<'a> {
    One(&'a [u8]),
    Two(&'a [u8], &'a [u8]),
}

impl Hash {
    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// Why a signature could not be checked at all.
pub(super) struct Unsupported(pub(super) &'static str);

impl PublicKey {
    /// Whether `numbers` sign `message`, which is hashed with `hash` where the algorithm takes a hash. For Ed25519 the caller hashes
    /// if its format wants that.
    pub(super) fn verify(&self, hash: Hash, message: &[u8], numbers: &Numbers<'_>) -> Result<bool, Unsupported> {
        match self {
            Self::Ed25519(point) => {
                let bytes = match numbers {
                    Numbers::One(bytes) => bytes.to_vec(),
                    Numbers::Two(r, s) => match (fixed(r, 32), fixed(s, 32)) {
                        (Some(r), Some(s)) => [r, s].concat(),
                        _ => return Ok(false),
                    },
                };
                Ok(alg::UnparsedPublicKey::new(&alg::ED25519, point).verify(message, &bytes).is_ok())
            }
            Self::P256(point) => {
                let algorithm = match hash {
                    Hash::Sha256 => &alg::ECDSA_P256_SHA256_ASN1,
                    Hash::Sha384 => &alg::ECDSA_P256_SHA384_ASN1,
                    Hash::Sha512 => return Err(Unsupported("a P-256 signature with SHA-512 is not supported")),
                };
                Ok(ecdsa(algorithm, point, message, numbers))
            }
            Self::P384(point) => {
                let algorithm = match hash {
                    Hash::Sha256 => &alg::ECDSA_P384_SHA256_ASN1,
                    Hash::Sha384 => &alg::ECDSA_P384_SHA384_ASN1,
                    Hash::Sha512 => return Err(Unsupported("a P-384 signature with SHA-512 is not supported")),
                };
                Ok(ecdsa(algorithm, point, message, numbers))
            }
            Self::Rsa { n, e } => {
                let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
                if !(2048..=8192).contains(&bits) {
                    return Err(Unsupported("an RSA key of less than 2048 or more than 8192 bits does not count"));
                }
                let algorithm = match hash {
                    Hash::Sha256 => &alg::RSA_PKCS1_2048_8192_SHA256,
                    Hash::Sha384 => &alg::RSA_PKCS1_2048_8192_SHA384,
                    Hash::Sha512 => &alg::RSA_PKCS1_2048_8192_SHA512,
                };
                let Numbers::One(number) = numbers else { return Ok(false) };
                let Some(signature) = fixed(number, n.len()) else { return Ok(false) };
                Ok(alg::RsaPublicKeyComponents { n, e }.verify(algorithm, message, &signature).is_ok())
            }
        }
    }
}

fn ecdsa(
    algorithm: &'static alg::EcdsaVerificationAlgorithm,
    point: &[u8],
    message: &[u8],
    numbers: &Numbers<'_>,
) -> bool {
    let Numbers::Two(r, s) = numbers else { return false };
    let (Some(r), Some(s)) = (integer(r), integer(s)) else { return false };
    let body = [r, s].concat();
    let Ok(length) = u8::try_from(body.len()) else { return false };
    // A length of 128 and more takes a byte of its own (X.690, 8.1.3).
    let head: &[u8] = if length < 0x80 { &[0x30, length] } else { &[0x30, 0x81, length] };
    let encoded = [head, &body].concat();
    alg::UnparsedPublicKey::new(algorithm, point).verify(message, &encoded).is_ok()
}

/// A number as a DER integer (X.690, 8.3).
fn integer(number: &[u8]) -> Option<Vec<u8>> {
    let number = without_zeros(number);
    let sign = number.first().is_none_or(|first| first & 0x80 != 0);
    let length = u8::try_from(number.len() + usize::from(sign)).ok().filter(|length| *length < 0x80)?;
    let mut out = vec![0x02, length];
    out.extend(sign.then_some(0));
    out.extend_from_slice(number);
    Some(out)
}

/// A number in exactly so many bytes.
fn fixed(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let number = without_zeros(number);
    let mut out = vec![0; length.checked_sub(number.len())?];
    out.extend_from_slice(number);
    Some(out)
}

pub(super) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
