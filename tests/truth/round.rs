//! One round: sets of objects brought to the cluster in five ways and found in sync; then one write to each, and what a scan says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cluster::{Cluster, Live};
use crate::generate::{Generated, Object, Place, generate};
use crate::mutate::{self, Mutation, Subject};
use crate::oracle::{Evidence, Expectation, expect};
use crate::parity;
use crate::random::Random;
use crate::report::{Circumstances, Failure, Report};
use crate::scan::{Audit, Finding, Id, Said, Source, Target};
use crate::ways::Way;
use crate::write;

/// Objects that live in one namespace and came there one way.
pub struct Set {
    pub place: Place,
    pub objects: Vec<Object>,
}

pub struct Round {
    pub seed: u64,
    pub sets: Vec<Set>,
    pub audit: Audit,
    random: Random,
}

/// Writes that were done, by object.
type Done = BTreeMap<Id, Mutation>;

impl Round {
    /// Makes the objects and their repository.
    pub fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let (mut sets, mut targets) = (Vec::new(), Vec::new());
        for way in Way::of_round(seed) {
            let mut random = random.fork(way.name());
            // Another run with the same seed may still be on its way out of the cluster.
            let place = Place { namespace: format!("truth-{seed}-{}-{}", way.name(), std::process::id()), way };
            let Generated { first, rest } = generate(&place, &mut random);
            let mut files = Vec::new();
            for (folder, objects) in [("first", &first), ("rest", &rest)] {
                let values: Vec<&Value> = objects.iter().map(|object| &object.value).collect();
                let written = write::files(&values, &mut random);
                files.extend(written.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text)));
            }
            targets.push(Target { name: way.name().to_owned(), namespace: place.namespace.clone(), files });
            sets.push(Set { place, objects: first.into_iter().chain(rest).collect() });
        }
        Self { seed, sets, audit: Audit::new(targets), random }
    }

    /// Brings everything to the cluster; what the server refuses is this harness's mistake and not the program's.
    fn apply(&self, cluster: &Cluster) -> Vec<String> {
        let mut refused = Vec::new();
        for set in &self.sets {
            let (way, namespace) = (set.place.way, &set.place.namespace);
            let folder = self.audit.folder(way.name());
            let bring = |part: &str| way.bring(cluster, &folder.join(part).display().to_string(), namespace);
            bring("first").unwrap_or_else(|why| panic!("seed {} {}: {why}", self.seed, way.name()));
            let definition = format!("crd/gadgets.{}", set.place.group());
            cluster
                .kubectl(&["wait", "--for=condition=Established", &definition])
                .expect("the definition is established");
            let resource = format!("gadgets.v1.{}", set.place.group());
            cluster.until_it_works("the new kind", || cluster.kubectl(&["get", &resource, "-n", namespace]).map(drop));
            if let Err(why) = bring("rest") {
                let errors = why.lines().filter(|line| line.to_ascii_lowercase().contains("error"));
                errors.for_each(|line| refused.push(format!("{}: {line}", way.name())));
            }
        }
        refused
    }

    fn kinds(&self) -> Vec<String> {
        let all = self.sets.iter().flat_map(|set| &set.objects).map(mutate::resource);
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What each declared object is live.
    fn live(&self, cluster: &Cluster) -> BTreeMap<Id, Live> {
        // A kind may be declared at several versions, and is then read at each of them.
        let ours: BTreeSet<(Id, &str)> =
            self.objects().map(|(set, object)| (id(object, set), object.api_version())).collect();
        let live = cluster.settled(&self.kinds(), |object| {
            ours.contains(&(id_of(object), object["apiVersion"].as_str().unwrap_or_default()))
        });
        live.into_iter().map(|object| (id_of(&object), object)).collect()
    }

    fn objects(&self) -> impl Iterator<Item = (&Set, &Object)> {
        self.sets.iter().flat_map(|set| set.objects.iter().map(move |object| (set, object)))
    }

    /// Plays the round and takes everything out of the cluster again; what is wrong goes into the report.
    pub fn play(&self, cluster: &Cluster, report: &mut Report) {
        let seed = self.seed;
        let start = std::time::Instant::now();
        let passed = |what: &str| eprintln!("truth: seed {seed}: {what} after {} s", start.elapsed().as_secs());
        let refused = self.apply(cluster);
        if !refused.is_empty() {
            self.clean(cluster);
            panic!("seed {seed}: not to be had from the server:\n{}", refused.join("\n"));
        }
        passed("applied");
        let before = self.live(cluster);
        passed("at rest");
        let baseline = self.truth(&before, report);
        passed("scanned and compared");
        let done = self.write(cluster, &before, report);
        passed("written to");
        let after = self.live(cluster);
        passed("at rest again");
        self.mutations(&before, &after, &done, &baseline, report);
        self.clean(cluster);
    }

    /// Applied unchanged, nothing is to be said, whatever the live objects are read from.
    fn truth(&self, live: &BTreeMap<Id, Live>, report: &mut Report) -> Said {
        let (said, whole) = self.audit.scan(&Source::Cluster);
        self.gaps(&whole, report);
        let all: Vec<Value> = live.values().cloned().collect();
        let (from_dump, _) = self.audit.scan(&Source::Dump(&all));
        self.snapshot(&said, live, report);
        for (part, said) in [("truth", &said), ("truth of a dump", &from_dump)] {
            for (set, object) in self.objects() {
                let id = id(object, set);
                let mut failure = Failure::new(part, &self.around(set), &id);
                failure.what = "applied unchanged".to_owned();
                failure.declared = object.value.clone();
                failure.after = live.get(&id).cloned().unwrap_or_default();
                report.check(&Expectation::default(), of(said, &id), &object.honest, failure);
            }
        }
        report.objects += self.objects().count();
        parity::check(self, live, &said, report);
        said
    }

    /// A snapshot says what the cluster says.
    fn snapshot(&self, said: &Said, live: &BTreeMap<Id, Live>, report: &mut Report) {
        let (from_snapshot, whole) = self.audit.scan(&Source::Snapshot);
        self.gaps(&whole, report);
        for (set, object) in self.objects() {
            let id = id(object, set);
            let (scan, snapshot) = (parity::verdicts(said, &id), parity::verdicts(&from_snapshot, &id));
            if scan != snapshot {
                let mut failure = Failure::new("snapshot", &self.around(set), &id);
                failure.what = "a scan of the cluster and one of a snapshot differ".to_owned();
                failure.missing = scan.iter().filter(|v| !snapshot.contains(v)).cloned().collect();
                failure.extra = snapshot.iter().filter(|v| !scan.contains(v)).cloned().collect();
                failure.declared = object.value.clone();
                failure.after = live.get(&id).cloned().unwrap_or_default();
                report.push(failure);
            }
        }
    }

    /// A scan that could not read something has not shown anything.
    fn gaps(&self, whole: &Value, report: &mut Report) {
        for gap in whole["gaps"].as_array().into_iter().flatten() {
            let around = Circumstances { seed: self.seed, way: "all" };
            let mut failure = Failure::new("gap", &around, &Id::default());
            failure.extra.push(gap.to_string());
            report.push(failure);
        }
    }

    /// Writes once to every object, if something comes to mind that the server takes; to the sets at the same time.
    fn write(&self, cluster: &Cluster, before: &BTreeMap<Id, Live>, report: &mut Report) -> Done {
        let mut done = Done::new();
        std::thread::scope(|scope| {
            let start = |set| {
                let random = self.random.clone();
                scope.spawn(move || write_to(set, &random, cluster, before))
            };
            let all: Vec<_> = self.sets.iter().map(start).collect();
            for each in all {
                let (of_set, refused) = each.join().expect("the writes of a set");
                done.extend(of_set);
                report.refused += refused;
            }
        });
        done
    }

    /// What was said before the writes, `baseline`, has been judged already.
    fn mutations(
        &self,
        before: &BTreeMap<Id, Live>,
        after: &BTreeMap<Id, Live>,
        done: &Done,
        baseline: &Said,
        report: &mut Report,
    ) {
        let (said, whole) = self.audit.scan(&Source::Cluster);
        self.gaps(&whole, report);
        for (set, object) in self.objects() {
            let id = id(object, set);
            let (Some(b), a) = (before.get(&id), after.get(&id)) else { continue };
            let mut failure = Failure::new("mutation", &self.around(set), &id);
            failure.declared = object.value.clone();
            failure.before = b.clone();
            failure.after = a.cloned().unwrap_or_default();
            let expectation = match done.get(&id) {
                Some(mutation) => {
                    report.mutations += 1;
                    failure.what = format!("{} (kubectl {})", mutation.what, mutation.arguments.join(" "));
                    let autoscaled = object.kind() == "Deployment" && ["web", "worker"].contains(&object.name());
                    expect(&Evidence {
                        declared: &object.value,
                        before: b,
                        after: a,
                        writer: mutation.writer,
                        meant: mutation.meant.clone(),
                        leaves_defaults: mutation.leaves_defaults,
                        autoscaled,
                    })
                }
                None => Expectation::default(),
            };
            report.drifts += usize::from(!expectation.findings.is_empty());
            let is_old = |finding: &&Finding| {
                let same = |old: &Finding| old.code == finding.code && old.path == finding.path;
                let wanted = expectation.findings.iter().any(|e| e.code == finding.code && e.path == finding.path);
                !wanted && of(baseline, &id).iter().any(same)
            };
            let new: Vec<Finding> = of(&said, &id).iter().filter(|finding| !is_old(finding)).cloned().collect();
            report.check(&expectation, &new, &object.honest, failure);
        }
        self.snapshot(&said, after, report);
        parity::check(self, after, &said, report);
    }

    pub fn around(&self, set: &Set) -> Circumstances {
        Circumstances { seed: self.seed, way: set.place.way.name() }
    }

    /// Takes everything out of the cluster again; does not wait for it.
    fn clean(&self, cluster: &Cluster) {
        for set in &self.sets {
            for object in set.objects.iter().filter(|object| !object.namespaced) {
                let name = format!("{}/{}", mutate::resource(object), object.name());
                let _ = cluster.kubectl(&["delete", &name, "--wait=false", "--ignore-not-found"]);
            }
        }
    }
}

fn of<'a>(said: &'a Said, id: &Id) -> &'a [Finding] {
    said.get(id).map(Vec::as_slice).unwrap_or_default()
}

/// Writes to the objects of a set; what was done, and how often the server refused.
fn write_to(set: &Set, random: &Random, cluster: &Cluster, before: &BTreeMap<Id, Live>) -> (Done, usize) {
    let (mut done, mut refused) = (Done::new(), 0);
    for object in &set.objects {
        let id = id(object, set);
        let Some(live) = before.get(&id) else { continue };
        // The namespace holds the number of a process; nothing may depend on it.
        let name = object.name().replace(&set.place.namespace, "");
        let mut random = random.fork(&format!("{} {} {name}", set.place.way.name(), object.kind()));
        let subject = Subject { declared: object, live, namespace: &set.place.namespace, way: set.place.way };
        for _ in 0..30 {
            let Some(mutation) = mutate::think(&subject, &mut random) else { continue };
            match mutation.perform(cluster) {
                Ok(()) => {
                    done.insert(id, mutation);
                    break;
                }
                Err(_) => refused += 1,
            }
        }
    }
    (done, refused)
}

/// A declared object's identity in the cluster.
pub fn id(object: &Object, set: &Set) -> Id {
    let namespace = if object.namespaced { set.place.namespace.clone() } else { String::new() };
    (object.kind().to_owned(), namespace, object.name().to_owned())
}

pub fn id_of(live: &Live) -> Id {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&live["kind"]), text(&live["metadata"]["namespace"]), text(&live["metadata"]["name"]))
}
