//! Reads one kind of a cluster and judges its declared objects: LIST page by page, and once more what differs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::live::LiveContext;
use crate::model::declared::DeclaredObject;
use crate::model::discovery::ServedKind;
use crate::model::field_path::FieldPath;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::ObjectId;
use crate::model::schema::Schemas;
use crate::ports::{ListEvent, ListRequest, LiveSource};
use crate::stages::autoscale::Autoscalers;
use crate::stages::converge::object::Object;
use crate::stages::converge::{Converge, Unconverged};
use crate::stages::ignore::Ignored;
use crate::stages::judge::{Judge, Verdict};
use crate::stages::live::{Head, Page};
use crate::stages::live_only::{Sorted, Watch};
use crate::stages::normalise::Applied;
use crate::stages::operators::Operators;

/// Above this many differing objects of a kind, the second look is a LIST: requests must not grow with drift.
const MOST_SINGLE_READS: usize = 10;

/// The declared objects of one kind.
pub type Wanted = BTreeMap<ObjectId, Arc<DeclaredObject>>;

/// What reading a kind needs.
pub struct KindReader<S> {
    /// The cluster, or a file in its place.
    pub source: Arc<S>,
    /// Configuration and key.
    pub context: Arc<LiveContext>,
    /// The cluster's schemas.
    pub schemas: Arc<Schemas>,
    /// Who else decides about replicas.
    pub autoscalers: Arc<Autoscalers>,
    /// The kind at the declared version.
    pub kind: ServedKind,
    /// Its declared objects.
    pub wanted: Wanted,
    /// What else is looked for in its pages.
    pub watch: Option<Watch>,
}

/// The declared objects of one kind at one version, and what was found out about them.
pub struct KindOutcome {
    /// The kind.
    pub kind: ServedKind,
    /// Its declared objects.
    pub wanted: Wanted,
    /// What the pages held.
    pub found: Found,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What else was looked for.
    pub watch: Option<Watch>,
    /// Whether the LIST held every object of the kind.
    pub everything: bool,
}

/// What the pages of a LIST held. Forgotten as a whole when the LIST begins anew.
#[derive(Default)]
pub struct Found {
    /// Declared objects that are live and were compared.
    pub seen: HashSet<ObjectId>,
    /// Those of them that differ.
    pub drifted: BTreeMap<ObjectId, Verdict>,
    /// Those of them that have not converged.
    pub unconverged: BTreeMap<ObjectId, Unconverged>,
    /// Declared objects whose live text is none.
    pub unreadable: Vec<ObjectId>,
    /// Fields of declared objects that are hashed with another ledger's key.
    pub foreign: BTreeMap<ObjectId, Vec<FieldPath>>,
    /// What ignore rules did, on objects where they did something.
    pub ignored: BTreeMap<ObjectId, Ignored>,
    /// What was normalised away.
    pub applied: Applied,
    /// Live objects, declared or not.
    pub live_objects: u64,
    /// What else was looked for.
    pub sorted: Sorted,
    /// What operators say, where the kind is theirs.
    pub operators: Operators,
    broken_pages: u64,
    everything: bool,
}

impl<S: LiveSource> KindReader<S> {
    /// Reads the kind.
    pub async fn read(self) -> KindOutcome {
        let (mut found, mut gaps) = self.list(&self.wanted).await;
        let everything = found.everything;
        self.look_again(&mut found, &mut gaps).await;
        self.look_again_beyond(&mut found, &mut gaps).await;
        KindOutcome { kind: self.kind, wanted: self.wanted, found, gaps, watch: self.watch, everything }
    }

    /// One LIST, judged page by page.
    async fn list(&self, wanted: &Wanted) -> (Found, Vec<Gap>) {
        let request = ListRequest { kind: self.kind.clone(), wanted: wanted.keys().cloned().collect() };
        let mut found = Found::default();
        let outcome = {
            let (judge, converge) = (self.judge(), self.context.converge.as_ref());
            let mut each = |event: ListEvent| match event {
                ListEvent::Page(page) => found.page(&page, &self.kind, wanted, self.watch.as_ref(), &judge, converge),
                ListEvent::Restart => found = Found::default(),
            };
            self.source.list(&request, &mut each).await
        };
        found.everything = outcome.everything;
        let mut gaps = outcome.gaps;
        if found.broken_pages > 0 {
            let hides = Hides::Kind { kind: self.kind.gvk.group_kind(), namespace: None };
            let message = "a page of the LIST is no list of objects in JSON";
            gaps.push(Gap::new(GapKind::Parse, message, hides).at(self.kind.gvk.to_string()));
        }
        (found, gaps)
    }

    /// Reads once more what differs or is not there, so that a rollout in the middle of a scan is not a finding.
    async fn look_again(&self, found: &mut Found, gaps: &mut Vec<Gap>) {
        let doubtful: Wanted = self
            .wanted
            .iter()
            .filter(|(id, _)| {
                found.drifted.contains_key(*id)
                    || found.unconverged.contains_key(*id)
                    || !(found.seen.contains(*id) || is_hidden(id, gaps))
            })
            .map(|(id, object)| (id.clone(), object.clone()))
            .collect();
        for id in doubtful.keys() {
            found.seen.remove(id);
            found.drifted.remove(id);
            found.unconverged.remove(id);
            found.ignored.remove(id);
        }
        let (again, more) = if doubtful.len() > MOST_SINGLE_READS {
            self.list(&doubtful).await
        } else {
            self.one_by_one(&doubtful).await
        };
        // What was normalised away and how many objects there are was counted at the first look.
        found.seen.extend(again.seen);
        found.drifted.extend(again.drifted);
        found.unconverged.extend(again.unconverged);
        found.ignored.extend(again.ignored);
        found.unreadable.extend(again.unreadable);
        gaps.extend(more);
    }

    /// The same for what no target declares: what is gone by now is no finding.
    async fn look_again_beyond(&self, found: &mut Found, gaps: &mut Vec<Gap>) {
        let doubtful: Vec<ObjectId> = found.sorted.in_question().cloned().collect();
        if doubtful.len() > MOST_SINGLE_READS {
            // The same LIST as before, because a narrower one may be all that is allowed.
            let (again, _) = self.list(&self.wanted).await;
            found.sorted.confirm(&again.sorted);
            return;
        }
        for id in doubtful {
            match self.source.get(&self.kind, &id).await {
                Ok(Some(_)) => {}
                Ok(None) => found.sorted.forget(&id),
                Err(gap) => {
                    found.sorted.doubt(&id);
                    gaps.push(Gap { hides: Hides::Objects { objects: vec![id] }, ..gap });
                }
            }
        }
    }

    async fn one_by_one(&self, wanted: &Wanted) -> (Found, Vec<Gap>) {
        let (mut found, mut gaps) = (Found::default(), Vec::new());
        for (id, object) in wanted {
            match self.source.get(&self.kind, id).await {
                Ok(Some(bytes)) => {
                    let text = std::str::from_utf8(&bytes).ok();
                    let head = text.and_then(|text| Some((text, serde_json::from_str::<Head<'_>>(text).ok()?)));
                    if let Some((text, head)) = head {
                        found.ask(object, text, &head, self.context.converge.as_ref(), &self.judge());
                    }
                    found.object(id.clone(), object, text, &self.judge());
                }
                Ok(None) => {}
                Err(gap) => gaps.push(Gap { hides: Hides::Objects { objects: vec![id.clone()] }, ..gap }),
            }
        }
        (found, gaps)
    }

    fn judge(&self) -> Judge<'_> {
        Judge {
            schemas: &self.schemas,
            schema_source: self.source.describe_schemas(),
            actors: &self.context.config.actors,
            trust: &self.context.config.trust,
            entries_count: self.context.config.undeclared_entries,
            autoscalers: &self.autoscalers,
            key: &self.context.key,
            redaction: &self.context.config.redaction,
            live_key: self.source.redacted_by(),
            ignores: &self.context.ignores,
        }
    }
}

/// The same words, read from the object after redaction: they go into findings. `None` if a rule hides what they are in.
fn told(converge: &Converge, declared: &DeclaredObject, text: &str, judge: &Judge<'_>) -> Option<(String, String)> {
    let mut tree = serde_json::from_str(text).ok()?;
    judge.hide().object(&mut tree, &declared.id);
    let text = tree.to_string();
    let head: Head<'_> = serde_json::from_str(&text).ok()?;
    converge.look(declared, &Object::from(&head)).map(|told| (told.reason, told.message))
}

fn hidden_whole() -> (String, String) {
    ("Redacted".to_owned(), "what the object says of itself is redacted".to_owned())
}

impl Found {
    fn page(
        &mut self,
        page: &Bytes,
        kind: &ServedKind,
        wanted: &Wanted,
        watch: Option<&Watch>,
        judge: &Judge<'_>,
        converge: Option<&Converge>,
    ) {
        let Ok(page) = serde_json::from_slice::<Page<'_>>(page) else {
            self.broken_pages += 1;
            return;
        };
        self.live_objects += page.items.len() as u64;
        let tells = Operators::operator(&kind.gvk.group_kind()).is_some();
        for item in page.items {
            let Ok(head) = serde_json::from_str::<Head<'_>>(item.get()) else {
                self.broken_pages += 1;
                continue;
            };
            let id = ObjectId {
                group: kind.gvk.gv.group.clone(),
                kind: kind.gvk.kind.clone(),
                namespace: head.metadata.namespace.as_deref().map(str::to_owned),
                name: head.metadata.name.clone().into_owned(),
            };
            if tells {
                self.operators.take(&id.group_kind(), item.get());
            }
            if let Some(watch) = watch {
                watch.sort(&id, &head.metadata, item.get(), judge.actors, &mut self.sorted);
            }
            if let Some(declared) = wanted.get(&id) {
                self.ask(declared, item.get(), &head, converge, judge);
                self.object(id, declared, Some(item.get()), judge);
            }
        }
    }

    /// What a live object says of itself.
    fn ask(
        &mut self,
        declared: &DeclaredObject,
        text: &str,
        head: &Head<'_>,
        converge: Option<&Converge>,
        judge: &Judge<'_>,
    ) {
        let Some(converge) = converge else { return };
        if let Some(mut unconverged) = converge.look(declared, &Object::from(head)) {
            (unconverged.reason, unconverged.message) =
                told(converge, declared, text, judge).unwrap_or_else(hidden_whole);
            self.unconverged.insert(declared.id.clone(), unconverged);
        }
    }

    fn object(&mut self, id: ObjectId, declared: &DeclaredObject, text: Option<&str>, judge: &Judge<'_>) {
        match text.and_then(|text| judge.judge(declared, text).ok()) {
            Some(mut verdict) => {
                if verdict.ignored != Ignored::default() {
                    self.ignored.insert(id.clone(), std::mem::take(&mut verdict.ignored));
                }
                for (rule, count) in &verdict.applied {
                    *self.applied.entry(rule).or_default() += count;
                }
                if !verdict.foreign.is_empty() {
                    self.foreign.insert(id.clone(), verdict.foreign.clone());
                }
                if !verdict.judgements.is_empty() {
                    self.drifted.insert(id.clone(), verdict);
                }
                self.seen.insert(id);
            }
            None => self.unreadable.push(id),
        }
    }
}

/// Whether one of the gaps hides a live object.
pub fn is_hidden(id: &ObjectId, gaps: &[Gap]) -> bool {
    gaps.iter().any(|gap| match &gap.hides {
        Hides::Cluster => true,
        Hides::Kind { kind, namespace } => {
            *kind == id.group_kind() && namespace.as_ref().is_none_or(|n| id.namespace.as_ref() == Some(n))
        }
        Hides::Objects { objects } => objects.contains(id),
        Hides::Target | Hides::File { .. } | Hides::Undeclared { .. } | Hides::Evidence => false,
    })
}
