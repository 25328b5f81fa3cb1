//! Webhooks: JSON by POST, signed, for whatever takes neither Slack messages nor mail.
//!
//! # What a receiver gets
//!
//! | header | holds |
//! |---|---|
//! | `Content-Type` | `application/json` |
//! | `User-Agent` | `driftledger/` and the version |
//! | `X-Driftledger-Key` | the same for each attempt at the same message: a receiver that has seen it answers 2xx and does nothing |
//! | `X-Driftledger-Timestamp` | when this attempt was made, in seconds since 1970 |
//! | `X-Driftledger-Signature` | `v1=` and the signature; only where a key for signing is configured |
//!
//! # How it verifies the signature
//!
//! 1. Take the bytes of the body as they came, before any JSON parser.
//! 2. Compute HMAC-SHA256, with the configured key, over the timestamp header's text, one `.`, and these bytes.
//! 3. Write it as 64 lowercase hexadecimal digits, put `v1=` in front, and compare it with the header in constant time.
//! 4. Refuse a timestamp that is more than a few minutes away from its own clock, so that nobody can play an old message again.
//!
//! With OpenSSL: `printf '%s.%s' "$timestamp" "$body" | openssl dgst -sha256 -hmac "$key"`. The key is the configured text without
//! white space at its end, as UTF-8. There may be further signatures with other versions in front, divided by commas; one that is not
//! known is to be passed over.
//!
//! # What it answers
//!
//! 2xx: taken. 408, 425, 429 and 5xx: later, after what `Retry-After` says. Everything else: refused, and not tried again. A redirect
//! is not followed, because what the message holds would go to an address that nobody configured.

mod answer;
mod sender;
#[cfg(test)]
mod tests;

pub use sender::{Webhook, WebhookError};
