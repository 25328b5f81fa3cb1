//! OpenAPI v3 documents, only those that are asked for.

use std::collections::HashMap;
use std::sync::Arc;

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
        Err(failure) => {
            let why = format!("/openapi/v3 cannot be read: {failure}");
            return (schemas, versions.iter().map(|gv| no_schema(gv, &why)).collect());
        }
    };
    let mut asked = Vec::new();
    for gv in versions {
        let key = super::paths::group_version(gv);
        let Some(entry) = index.paths.get(key.trim_start_matches('/')) else {
            gaps.push(no_schema(gv, "the server publishes none"));
            continue;
        };
        let (fetcher, path) = (Arc::clone(fetcher), entry.server_relative_url.clone());
        asked.push((gv, tokio::spawn(async move { document(&fetcher, &path).await })));
    }
    for (gv, task) in asked {
        match task.await.unwrap_or_else(|_| Err(Failure::Broken("the request was given up".to_owned()))) {
            Ok(document) => schemas.extend(document),
            Err(failure) => gaps.push(no_schema(gv, &failure.to_string())),
        }
    }
    (schemas, gaps)
}

async fn index(fetcher: &Fetcher) -> Result<Index, Failure> {
    let answer = fetcher.get("/openapi/v3", JSON).await?;
    serde_json::from_slice(&answer.body).map_err(|_| Failure::NotJson("an OpenAPI v3 index"))
}

async fn document(fetcher: &Fetcher, path: &str) -> Result<Schemas, Failure> {
    let answer = fetcher.get(path, JSON).await?;
    // A core document has more than a megabyte; parsing it would keep other requests waiting.
    let parsed = tokio::task::spawn_blocking(move || Schemas::from_openapi_v3(&answer.body)).await;
    match parsed {
        Ok(Ok(schemas)) => Ok(schemas),
        _ => Err(Failure::NotJson("an OpenAPI v3 document")),
    }
}

fn no_schema(gv: &GroupVersion, why: &str) -> Gap {
    // The comparison goes on without a schema: what it then cannot know is evidence, not objects.
    let message = format!("no schema for {gv}, its kinds are compared without one: {why}");
    Gap::new(GapKind::Schema, message, Hides::Evidence).at(gv.to_string())
}
