//! All objects of a kind: cluster-wide, else namespace by namespace, else one by one.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use super::by_name::{self, Unread};
use super::failure::Failure;
use super::fetch::{Fetcher, JSON};
use super::paths;
use crate::adapters::cluster::blocking::beside_requests;
use crate::model::discovery::ServedKind;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::ObjectId;
use crate::ports::{ListEvent, ListOutcome, ListRequest};

/// How often a LIST that the server no longer keeps a snapshot of is begun anew.
const RESTARTS: u32 = 3;

/// The part of a page that says whether it is one and where it goes on.
#[derive(Deserialize)]
struct RawPage<'a> {
    #[serde(default)]
    metadata: ListMeta,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct ListMeta {
    #[serde(default, rename = "continue")]
    token: Option<String>,
}

struct Page {
    /// `None` where the server wrote `"items": null`.
    bytes: Option<Bytes>,
    token: Option<String>,
}

/// The LIST has to begin anew.
struct Gone(Failure);

/// Runs a LIST to its end.
pub(super) async fn list(
    fetcher: &Arc<Fetcher>,
    request: &ListRequest,
    each: &mut (dyn FnMut(ListEvent) + Send),
) -> ListOutcome {
    let (kind, wanted) = (&request.kind, request.wanted.as_slice());
    Listing { fetcher, kind, wanted, namespaces: None, each, handed_over: false, everything: false }.run().await
}

/// Runs LISTs of these namespaces to their end.
pub(super) async fn list_in(
    fetcher: &Arc<Fetcher>,
    kind: &ServedKind,
    namespaces: &[String],
    each: &mut (dyn FnMut(ListEvent) + Send),
) -> ListOutcome {
    let wanted = &[];
    Listing { fetcher, kind, wanted, namespaces: Some(namespaces), each, handed_over: false, everything: false }
        .run()
        .await
}

struct Listing<'a> {
    fetcher: &'a Arc<Fetcher>,
    kind: &'a ServedKind,
    wanted: &'a [ObjectId],
    /// Only these.
    namespaces: Option<&'a [String]>,
    each: &'a mut (dyn FnMut(ListEvent) + Send),
    /// Whether a page was handed over since the last restart.
    handed_over: bool,
    /// Whether a LIST of the whole cluster came to its end.
    everything: bool,
}

impl Listing<'_> {
    async fn run(mut self) -> ListOutcome {
        let mut restarts = 0;
        loop {
            let Gone(failure) = match self.once().await {
                Ok(gaps) => return ListOutcome { gaps, everything: self.everything },
                Err(gone) => gone,
            };
            if restarts == RESTARTS {
                let message = format!("the LIST expired {} times before its last page: {failure}", RESTARTS + 1);
                let gap = Gap::new(GapKind::Unreachable, message, hides_kind(self.kind, None));
                let gap = gap.at(self.kind.gvk.group_kind().to_string());
                let hint = "the server is slow for this many objects: try larger pages";
                return ListOutcome { gaps: vec![gap.hint(hint)], everything: false };
            }
            restarts += 1;
            self.restart();
        }
    }

    async fn once(&mut self) -> Result<Vec<Gap>, Gone> {
        if let Some(namespaces) = self.namespaces {
            return self.whole_namespaces(namespaces).await;
        }
        if !self.kind.listable {
            return Ok(self.declared_by_name().await);
        }
        match self.pages(None).await? {
            None => {
                self.everything = true;
                Ok(Vec::new())
            }
            Some(failure) if failure.is_forbidden() && !self.wanted.is_empty() => {
                if self.kind.namespaced {
                    self.by_namespace().await
                } else {
                    Ok(self.declared_by_name().await)
                }
            }
            Some(failure) if failure.is_conversion() => Ok(self.convertible(&failure).await),
            Some(failure) => Ok(vec![self.gap(&failure, None)]),
        }
    }

    async fn whole_namespaces(&mut self, namespaces: &[String]) -> Result<Vec<Gap>, Gone> {
        let mut gaps = Vec::new();
        for name in namespaces {
            let failure = self.pages(Some(name)).await?;
            gaps.extend(failure.map(|failure| self.gap(&failure, Some(name))));
        }
        Ok(gaps)
    }

    async fn by_namespace(&mut self) -> Result<Vec<Gap>, Gone> {
        let mut gaps = Vec::new();
        let mut unread = Vec::new();
        let namespaces: BTreeSet<Option<&str>> = self.wanted.iter().map(|o| o.namespace.as_deref()).collect();
        for namespace in namespaces {
            let wanted = || self.wanted.iter().filter(|o| o.namespace.as_deref() == namespace).cloned().collect();
            let Some(name) = namespace else {
                unread.extend(self.by_name(wanted()).await);
                continue;
            };
            match self.pages(Some(name)).await? {
                None => {}
                Some(failure) if failure.is_forbidden() => unread.extend(self.by_name(wanted()).await),
                // Reading by name starts over with all namespaces: pages of this one may have been handed over.
                Some(failure) if failure.is_conversion() => return Ok(self.convertible(&failure).await),
                Some(failure) => gaps.push(self.gap(&failure, Some(name))),
            }
        }
        gaps.extend(by_name::gaps(self.kind, unread));
        Ok(gaps)
    }

    async fn declared_by_name(&mut self) -> Vec<Gap> {
        let unread = self.by_name(self.wanted.to_vec()).await;
        by_name::gaps(self.kind, unread)
    }

    async fn by_name(&mut self, objects: Vec<ObjectId>) -> Vec<Unread> {
        let handed_over = &mut self.handed_over;
        let each = &mut *self.each;
        let mut each = |event| {
            *handed_over = true;
            each(event);
        };
        by_name::read_all(self.fetcher, self.kind, objects, &mut each).await
    }

    /// One object that cannot be converted fails the LIST of all; read by name, only the broken ones are hidden.
    async fn convertible(&mut self, failure: &Failure) -> Vec<Gap> {
        if self.wanted.is_empty() {
            return vec![self.gap(failure, None)];
        }
        self.restart();
        let gaps = self.declared_by_name().await;
        if !gaps.is_empty() {
            return gaps;
        }
        // What is declared was read; that something else is broken is said all the same.
        let message = format!("{} cannot be listed, only what is declared was read: {failure}", self.kind.gvk);
        vec![
            Gap::new(GapKind::Conversion, message, Hides::Objects { objects: Vec::new() })
                .at(paths::place(self.kind, None)),
        ]
    }

    fn restart(&mut self) {
        if std::mem::take(&mut self.handed_over) {
            (self.each)(ListEvent::Restart);
        }
    }

    /// Hands over the pages of a LIST, the next one being fetched meanwhile. Returns why it ended early, if it did.
    async fn pages(&mut self, namespace: Option<&str>) -> Result<Option<Failure>, Gone> {
        // One task at a time; dropped with this future.
        let mut next = JoinSet::new();
        next.spawn(self.page(namespace, None));
        while let Some(page) = next.join_next().await {
            let page = page.unwrap_or_else(|_| Err(Failure::Broken("the request was given up".to_owned())));
            let page = match page {
                Ok(page) => page,
                Err(failure) if failure.is_gone() => return Err(Gone(failure)),
                Err(failure) => return Ok(Some(failure)),
            };
            if let Some(token) = page.token {
                next.spawn(self.page(namespace, Some(&token)));
            }
            if let Some(bytes) = page.bytes {
                self.handed_over = true;
                beside_requests(|| (self.each)(ListEvent::Page(bytes)));
            }
        }
        Ok(None)
    }

    fn page(
        &self,
        namespace: Option<&str>,
        token: Option<&str>,
    ) -> impl Future<Output = Result<Page, Failure>> + use<> {
        let path = paths::page(self.kind, namespace, self.fetcher.limits().page_size, token);
        let fetcher = Arc::clone(self.fetcher);
        async move { read_page(fetcher.get(&path, JSON).await?.body) }
    }

    fn gap(&self, failure: &Failure, namespace: Option<&str>) -> Gap {
        let what = paths::place(self.kind, namespace);
        let message = format!("{what} cannot be listed: {failure}");
        let gap = Gap::new(failure.gap_kind(), message, hides_kind(self.kind, namespace)).at(what);
        match failure.kind_hint(self.kind, namespace) {
            Some(hint) => gap.hint(hint),
            None => gap,
        }
    }
}

fn hides_kind(kind: &ServedKind, namespace: Option<&str>) -> Hides {
    Hides::Kind { kind: kind.gvk.group_kind(), namespace: namespace.map(str::to_owned) }
}

fn read_page(body: Bytes) -> Result<Page, Failure> {
    let raw: RawPage<'_> =
        serde_json::from_slice(&body).map_err(|_| Failure::NotJson("a list of Kubernetes objects"))?;
    let token = raw.metadata.token.filter(|token| !token.is_empty());
    let any = raw.items.is_some();
    Ok(Page { bytes: any.then_some(body), token })
}
