//! OpenPGP's outer form (RFC 9580, sections 4 and 6): armor and packets.

use base64::Engine as _;
use memchr::memmem;

use super::wire::Reader;

/// Types of packets (section 5).
pub(super) const SIGNATURE: u8 = 2;
pub(super) const PUBLIC_KEY: u8 = 6;
pub(super) const USER_ID: u8 = 13;
pub(super) const PUBLIC_SUBKEY: u8 = 14;

/// A packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// Takes packets apart; `None` where bytes are none. Lengths that are given in parts belong to data only and are refused.
pub(super) fn packets(bytes: &[u8]) -> Option<Vec<Packet<'_>>> {
    let mut reader = Reader::new(bytes);
    let mut packets = Vec::new();
    while !reader.is_empty() {
        let head = reader.u8().filter(|head| head & 0x80 != 0)?;
        let (tag, length) = if head & 0x40 != 0 {
            (head & 0x3f, new_length(&mut reader, false)?)
        } else {
            let length = match head & 3 {
                0 => u32::from(reader.u8()?),
                1 => u32::from(reader.u16()?),
                2 => reader.u32()?,
                _ => return None,
            };
            ((head >> 2) & 0xf, length)
        };
        packets.push(Packet { tag, body: reader.take(usize::try_from(length).ok()?)? });
    }
    Some(packets)
}

/// A length in one, two or five bytes. A subpacket's may begin with bytes that stand for a part in a packet's.
pub(super) fn new_length(reader: &mut Reader<'_>, of_subpacket: bool) -> Option<u32> {
    let first = u32::from(reader.u8()?);
    match first {
        0..=191 => Some(first),
        255 => reader.u32(),
        224..=254 if !of_subpacket => None,
        _ => Some(((first - 192) << 8) + u32::from(reader.u8()?) + 192),
    }
}

/// The bytes of every armored block of a kind, one after the other; the bytes as they are where there is no armor. `None` where a block
/// cannot be read. Checksums are not looked at: what is in there is signed.
pub(super) fn unarmored(bytes: &[u8], kind: &str) -> Option<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN PGP {kind}-----"), format!("-----END PGP {kind}-----"));
    let mut rest = bytes;
    let mut out = Vec::new();
    let mut found = false;
    while let Some(at) = memmem::find(rest, begin.as_bytes()) {
        found = true;
        let block = &rest[at + begin.len()..];
        let length = memmem::find(block, end.as_bytes())?;
        out.extend(body(std::str::from_utf8(&block[..length]).ok()?)?);
        rest = &block[length + end.len()..];
    }
    match found {
        true => Some(out),
        false => memmem::find(bytes, b"-----BEGIN ").is_none().then(|| bytes.to_vec()),
    }
}

/// What stands below the headers of a block and above its checksum.
fn body(block: &str) -> Option<Vec<u8>> {
    let mut lines = block.lines().skip(1);
    let mut tight = String::new();
    // Headers end with an empty line.
    lines.by_ref().find(|line| line.trim().is_empty())?;
    for line in lines.map(str::trim).take_while(|line| !line.starts_with('=')) {
        tight.push_str(line);
    }
    base64::engine::general_purpose::STANDARD.decode(tight).ok()
}
