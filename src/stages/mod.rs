//! The pure steps: no input or output, no clock, the same bytes for the same input.
//!
//! ```text
//! declare ─► judge (live ► normalise ► compare ► undeclared) ─► attribute ─► assess ─► lifecycle
//!        └─► converge (a live object's own words) ─────────────────┘
//! ```

pub mod allocation;
pub mod argocd;
pub mod assess;
pub mod attribute;
pub mod autoscale;
pub mod compare;
pub mod converge;
pub mod declare;
pub mod endpoints;
pub mod equality;
pub mod explain;
pub mod findings;
pub mod ignore;
pub mod judge;
pub mod lifecycle;
pub mod live;
pub mod managed_fields;
pub mod normalise;
pub mod places;
pub mod quantity;
pub mod snapshot_plan;
pub mod undeclared;
