//! stub
pub struct DumpCluster;
