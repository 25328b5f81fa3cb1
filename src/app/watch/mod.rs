//! The main job on a schedule, for as long as the process lives, and a small page about how it goes.
//!
//! ```text
//!  schedule ──► due ──► scan ──► outputs ──► board ◄── http: /metrics /healthz /readyz /report
//!     ▲                   │
//!     └───────────────────┘   times that passed meanwhile are missed: counted, and written down with the next scan
//! ```

mod board;
mod http;
mod run;
mod timer;

pub use run::{Watch, run};
