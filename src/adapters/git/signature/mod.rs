//! Signatures of commits, checked in this process: no `gpg` and no `ssh-keygen` is run.
//!
//! SSH keys come from an allowed-signers file, OpenPGP keys from a keyring. That a key is in its file is the trust; nothing else is.

mod allowed;
mod certificate;
mod key;
mod openpgp;
mod packets;
mod pgp_key;
mod pgp_signature;
mod signed;
mod signers;
mod ssh;
mod wire;

pub use signers::{Signers, SignersFiles};

#[cfg(test)]
mod tests;
