//! The pure steps: no input or output, no clock, the same bytes for the same input.
//!
//! ```text
//! declare ─► judge (live ► normalise ► compare ► undeclared ► ignore) ─► attribute ─► assess ─► lifecycle
//!        ├─► converge (a live object's own words) ──────────────────────┤
//!        └─► live_only, former ─► beyond (what runs and is not declared) ┘
//! ```

pub mod allocation;
pub mod announce;
pub mod argocd;
pub mod assess;
pub mod attribute;
pub mod audit_match;
pub mod autoscale;
pub mod beside;
pub mod beyond;
pub mod change_policy;
pub mod compare;
pub mod converge;
pub mod declare;
pub mod discover;
pub mod endpoints;
pub mod equality;
pub mod explain;
pub mod findings;
pub mod first_targets;
pub mod flux_ignore;
pub mod forge;
pub mod former;
pub mod hide;
pub mod ignore;
pub mod inside;
pub mod judge;
pub mod lifecycle;
pub mod live;
pub mod live_only;
pub mod managed_fields;
pub mod normalise;
pub mod object_history;
pub mod operators;
pub mod opt_outs;
pub mod owner;
pub mod pick;
pub mod places;
pub mod pull_request;
pub mod quantity;
pub mod repository_url;
pub mod revisions;
pub mod role;
pub mod runs;
pub mod snapshot_plan;
pub mod timeline;
pub mod trace;
pub mod undeclared;
pub mod unserved;
pub mod unstable;
