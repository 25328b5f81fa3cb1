//! The bundled sample: a repository with a history and a cluster that drifted from it.
//!
//! `story` is what happened in Git and when it was scanned; the live side was captured from a real API server by `tests/sample`.
//! `folder` is where all of it is put, and `run` scans it twice with the pipeline that every scan goes through.

pub mod folder;
pub mod run;
pub mod story;
