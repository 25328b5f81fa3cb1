//! The pure steps: no input or output, no clock, the same bytes for the same input.
//!
//! ```text
//! declare ─► judge (live ► normalise ► compare ► undeclared ► managed_fields) ─► attribute ─► assess ─► lifecycle
//!    └─────► former ─► live_only (owner) ─► beyond ──────────────────────────────┘
//! ```

pub mod assess;
pub mod attribute;
pub mod beyond;
pub mod compare;
pub mod declare;
pub mod equality;
pub mod findings;
pub mod former;
pub mod judge;
pub mod lifecycle;
pub mod live;
pub mod live_only;
pub mod managed_fields;
pub mod normalise;
pub mod opt_outs;
pub mod owner;
pub mod quantity;
pub mod undeclared;
pub mod unserved;
