//! OpenAPI v3 documents, only those that are asked for.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use super::failure::Failure;
use super::fetch::{Fetcher, JSON};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::GroupVersion;
use crate::model::schema::Schemas;

/// `/openapi/v3`: by group version (`apis/apps/v1`), where its document is.
#[derive(Deserialize)]
struct Index {
    paths: HashMap<String, IndexEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexEntry {
    /// With a hash, so that the document may be cached.
    #[serde(rename = "serverRelativeURL")]
    server_relative_url: String,
}

/// The schemas of these group versions, and a gap for each that cannot be had.
pub(super) async fn schemas(fetcher: &Arc<Fetcher>, versions: &[GroupVersion]) -> (Schemas, Vec<Gap>) {
    let mut schemas = Schemas::default();
    let mut gaps = Vec::new();
    let index = match index(fetcher).await {
        Ok(index) => index,
        Err(failure) => return (schemas, versions.iter().map(|gv| no_index(gv, &failure)).collect()),
    };
    let mut asked = Vec::new();
    for gv in versions {
        match index.place(gv) {
            Ok(path) => {
                let fetcher = Arc::clone(fetcher);
                asked.push((gv, tokio::spawn(async move { document(&fetcher, &path).await.map(|(_, read)| read) })));
            }
            Err(gap) => gaps.push(gap),
        }
    }
    for (gv, task) in asked {
        match task.await.unwrap_or_else(|_| Err(Failure::Broken("the request was given up".to_owned()))) {
            Ok(document) => schemas.extend(document),
            Err(failure) => gaps.push(no_schema(gv, &failure.to_string())),
        }
    }
    (schemas, gaps)
}

/// The documents themselves, one after the other: none is kept. What is no OpenAPI v3 is told here already.
pub(super) async fn documents(
    fetcher: &Fetcher,
    versions: &[GroupVersion],
    each: &mut (dyn FnMut(&GroupVersion, Result<Bytes, Gap>) + Send),
) {
    let index = match index(fetcher).await {
        Ok(index) => index,
        Err(failure) => return versions.iter().for_each(|gv| each(gv, Err(no_index(gv, &failure)))),
    };
    for gv in versions {
        let read = match index.place(gv) {
            Ok(path) => document(fetcher, &path).await.map_err(|failure| no_schema(gv, &failure.to_string())),
            Err(gap) => Err(gap),
        };
        each(gv, read.map(|(bytes, _)| bytes));
    }
}

impl Index {
    /// Where the document of a group version is.
    fn place(&self, gv: &GroupVersion) -> Result<String, Gap> {
        let key = super::paths::group_version(gv);
        let entry = self.paths.get(key.trim_start_matches('/'));
        entry.map(|entry| entry.server_relative_url.clone()).ok_or_else(|| no_schema(gv, "the server publishes none"))
    }
}

async fn index(fetcher: &Fetcher) -> Result<Index, Failure> {
    let answer = fetcher.get("/openapi/v3", JSON).await?;
    serde_json::from_slice(&answer.body).map_err(|_| Failure::NotJson("an OpenAPI v3 index"))
}

async fn document(fetcher: &Fetcher, path: &str) -> Result<(Bytes, Schemas), Failure> {
    let body = fetcher.get(path, JSON).await?.body;
    let bytes = body.clone();
    // A core document has more than a megabyte; parsing it would keep other requests waiting.
    let parsed = tokio::task::spawn_blocking(move || Schemas::from_openapi_v3(&bytes)).await;
    match parsed {
        Ok(Ok(schemas)) => Ok((body, schemas)),
        _ => Err(Failure::NotJson("an OpenAPI v3 document")),
    }
}

fn no_index(gv: &GroupVersion, failure: &Failure) -> Gap {
    no_schema(gv, &format!("/openapi/v3 cannot be read: {failure}"))
}

fn no_schema(gv: &GroupVersion, why: &str) -> Gap {
    // The comparison goes on without a schema: what it then cannot know is evidence, not objects.
    let message = format!("no schema for {gv}, its kinds are compared without one: {why}");
    Gap::new(GapKind::Schema, message, Hides::Evidence).at(gv.to_string())
}
