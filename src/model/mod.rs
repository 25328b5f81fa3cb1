//! Values only: what the rooms speak about. Nothing here reads, writes or knows the time.

pub mod attribution;
pub mod canonical;
pub mod change;
pub mod declared;
pub mod discovery;
pub mod explanation;
pub mod field_path;
pub mod finding;
pub mod fingerprint;
pub mod former;
pub mod gap;
pub mod history;
pub mod ids;
pub mod message;
pub mod moves;
pub mod record;
pub mod redacted;
pub mod report;
pub mod resource;
pub mod schema;
pub mod secret;
pub mod time;
