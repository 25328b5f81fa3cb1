//! One fetch into a bare mirror: all branches, all tags and where HEAD points.
//!
//! References are not updated one by one. What the server advertised is written as one `packed-refs` file, in place of the old one:
//! that prunes, follows forced pushes, lets a branch `a` become `a/b`, and a kill at any moment leaves the old or the new state.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use gix::bstr::{BStr, BString, ByteSlice};
use gix::protocol::fetch::{RefMap, Shallow, Tags, negotiate, refmap};
use gix::protocol::handshake::Ref;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::protocol::transport::{Protocol, Service};
use gix::{ObjectId, odb};

use super::deadline::Deadline;
use super::failure::Failure;
use super::http::{Client, FailureCell};
use super::source::{CleanUrl, RepositorySource, Way};
use super::ssh::Session;
use super::ssh_address::SshAddress;

/// Brings `repository` to what the server has now.
pub(super) fn fetch(
    repository: &gix::Repository,
    source: &RepositorySource,
    url: &CleanUrl,
    deadline: Deadline,
) -> Result<(), Failure> {
    let refs = match url.way() {
        Way::Http(home) => by_http(repository, source, home, deadline)?,
        Way::Ssh(address) => by_ssh(repository, source, address, deadline)?,
    };
    References::of(&refs)?.publish(repository.git_dir()).map_err(|e| Failure::cache("references cannot be written", &e))
}

fn by_http(
    repository: &gix::Repository,
    source: &RepositorySource,
    home: &reqwest::Url,
    deadline: Deadline,
) -> Result<Vec<Ref>, Failure> {
    let cell = FailureCell::default();
    let client = Client::new(source, home, deadline, cell.clone())?;
    let address = gix::url::parse(home.as_str()).map_err(|_| Failure::NotGit)?;
    let mut transport = http::Transport::new_http(client, address, Protocol::V2, false);
    let interrupt = AtomicBool::new(false);
    let outcome = until(
        deadline,
        || interrupt.store(true, Ordering::Relaxed),
        || receive(repository, &mut transport, &interrupt),
    );
    outcome.map_err(|error| match cell.take() {
        Some(failure) => failure,
        None if interrupt.load(Ordering::Relaxed) => deadline.failure(),
        None => of_gix(&error, source),
    })
}

fn by_ssh(
    repository: &gix::Repository,
    source: &RepositorySource,
    address: &SshAddress,
    deadline: Deadline,
) -> Result<Vec<Ref>, Failure> {
    let (session, mut transport) = Session::open(source, address, deadline)?;
    let interrupt = AtomicBool::new(false);
    let outcome = until(
        deadline,
        || {
            interrupt.store(true, Ordering::Relaxed);
            session.end();
        },
        || receive(repository, &mut transport, &interrupt),
    );
    outcome.map_err(|error| match session.failure() {
        _ if interrupt.load(Ordering::Relaxed) => deadline.failure(),
        Some(failure) => failure,
        None => of_gix(&error, source),
    })
}

/// Runs `work`, and `stop` beside it when the time is over: what waits in `work` may not look at the clock, as where deltas are resolved.
fn until<T>(deadline: Deadline, stop: impl Fn() + Send, work: impl FnOnce() -> T) -> T {
    let (done, wait) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(deadline.left()) == Err(mpsc::RecvTimeoutError::Timeout) {
                stop();
            }
        });
        let outcome = work();
        drop(done);
        outcome
    })
}

/// gix's errors name the URL, which is clean, and what the server said, which might repeat anything.
fn of_gix(error: &gix::Error, source: &RepositorySource) -> Failure {
    let cause = error.probable_cause().to_string();
    if cause.contains("'smart' protocol") {
        return Failure::NotGit;
    }
    if source.credentials.as_ref().is_some_and(|credentials| credentials.is_in(&cause)) {
        return Failure::Protocol("the server's message repeats the credentials and is not shown".into());
    }
    let line = cause.lines().next().unwrap_or_default();
    Failure::Protocol(line.chars().filter(|c| !c.is_control()).take(200).collect())
}

fn receive<T: Transport>(
    repository: &gix::Repository,
    transport: &mut T,
    interrupt: &AtomicBool,
) -> gix::Result<Vec<Ref>> {
    let agent = ("agent", Some(gix::protocol::agent(concat!("driftledger-", env!("CARGO_PKG_VERSION")))));
    let mut handshake = gix::protocol::handshake(
        &mut *transport,
        Service::UploadPack,
        |_| Ok(None),
        Vec::new(),
        &mut gix::progress::Discard,
    )?;
    let specs = ["HEAD", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        .into_iter()
        .map(|spec| Ok(gix::refspec::parse(spec.into(), gix::refspec::parse::Operation::Fetch)?.to_owned()))
        .collect::<gix::Result<Vec<_>>>()?;
    let wanted = refmap::init::Context { fetch_refspecs: specs, extra_refspecs: Vec::new() };
    let map = handshake.prepare_lsrefs_or_extract_refmap(agent.clone(), true, wanted)?.fetch_blocking(
        gix::progress::Discard,
        transport,
        false,
    )?;

    let mut objects = repository.clone();
    objects.objects.refresh = odb::store::RefreshMode::Never;
    let shallow = Shallow::NoChange;
    let mut negotiation = Negotiation {
        repository: &objects,
        graph: objects.revision_graph(None),
        negotiator: gix::negotiate::Algorithm::Consecutive.into_negotiator(),
        map: &map,
        shallow: &shallow,
    };
    let packs = repository.objects.store_ref().path().join("pack");
    let mut keep = None;
    gix::protocol::fetch(
        &mut negotiation,
        |pack, progress, interrupt| {
            let bases = Some(repository.objects.clone());
            let options = odb::pack::bundle::write::Options::default();
            let written = odb::pack::Bundle::write_to_directory(
                pack,
                Some(&packs),
                progress,
                interrupt,
                bases,
                repository.object_hash(),
                options,
            )?;
            keep = written.keep_path;
            Ok(true)
        },
        gix::progress::Discard,
        interrupt,
        gix::protocol::fetch::Context {
            handshake: &mut handshake,
            transport,
            user_agent: agent,
            trace_packetlines: false,
        },
        gix::protocol::fetch::Options {
            shallow_file: repository.shallow_file()?,
            shallow: &shallow,
            tags: Tags::None,
            reject_shallow_remote: false,
        },
    )?;
    if let Some(keep) = keep {
        // It only guards against a garbage collection between pack and references; nobody collects here.
        let _ = std::fs::remove_file(keep);
    }
    drop(negotiation);
    Ok(map.remote_refs)
}

struct Negotiation<'a> {
    repository: &'a gix::Repository,
    graph: gix::negotiate::Graph<'a, 'a>,
    negotiator: Box<dyn gix::negotiate::Negotiator>,
    map: &'a RefMap,
    shallow: &'a Shallow,
}

impl gix::protocol::fetch::Negotiate for Negotiation<'_> {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<negotiate::Action> {
        negotiate::mark_complete_and_common_ref(
            &self.repository.objects,
            &self.repository.refs,
            || Ok(std::iter::empty::<(gix::refs::file::Store, gix::OdbHandle)>()),
            &mut *self.negotiator,
            &mut self.graph,
            self.map,
            self.shallow,
            |_| false,
        )
    }

    fn add_wants(&mut self, arguments: &mut gix::protocol::fetch::Arguments, known: &[bool]) -> bool {
        negotiate::add_wants(&self.repository.objects, arguments, self.map, known, self.shallow, |_| false)
    }

    fn one_round(
        &mut self,
        state: &mut negotiate::one_round::State,
        arguments: &mut gix::protocol::fetch::Arguments,
        previous: Option<&gix::protocol::fetch::Response>,
    ) -> gix::Result<(negotiate::Round, bool)> {
        negotiate::one_round(&mut *self.negotiator, &mut self.graph, state, arguments, previous)
    }
}

/// What the server has, as it is written down.
#[derive(Debug, Default, PartialEq, Eq)]
struct References {
    /// Name to object, and for an annotated tag what it finally names.
    named: BTreeMap<BString, (ObjectId, Option<ObjectId>)>,
    head: Head,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Head {
    #[default]
    Unknown,
    Branch(BString),
    Commit(ObjectId),
}

impl References {
    fn of(remote: &[Ref]) -> Result<Self, Failure> {
        let mut all = Self::default();
        for reference in remote {
            let (name, target, peeled) = match reference {
                Ref::Direct { full_ref_name, object } => (full_ref_name, *object, None),
                Ref::Peeled { full_ref_name, tag, object } => (full_ref_name, *tag, Some(*object)),
                Ref::Symbolic { full_ref_name, tag, object, .. } => {
                    (full_ref_name, tag.unwrap_or(*object), tag.map(|_| *object))
                }
                Ref::Unborn { full_ref_name, target } => {
                    if full_ref_name == "HEAD" && is_branch(target.as_bstr()) {
                        all.head = Head::Branch(target.clone());
                    }
                    continue;
                }
            };
            if name == "HEAD" {
                all.head = match reference {
                    Ref::Symbolic { target, .. } if is_branch(target.as_bstr()) => Head::Branch(target.clone()),
                    _ => Head::Commit(peeled.unwrap_or(target)),
                };
            } else if name.starts_with(b"refs/heads/") || name.starts_with(b"refs/tags/") {
                // A name is written as a line of a file below.
                gix::validate::reference::name(name.as_bstr())
                    .map_err(|_| Failure::Protocol("the server sent a reference with an impossible name".into()))?;
                all.named.insert(name.clone(), (target, peeled));
            }
        }
        Ok(all)
    }

    fn publish(&self, git_dir: &Path) -> std::io::Result<()> {
        let mut packed = b"# pack-refs with: peeled fully-peeled sorted \n".to_vec();
        for (name, (target, peeled)) in &self.named {
            packed.extend_from_slice(format!("{target} ").as_bytes());
            packed.extend_from_slice(name);
            packed.push(b'\n');
            if let Some(peeled) = peeled {
                packed.extend_from_slice(format!("^{peeled}\n").as_bytes());
            }
        }
        replace(git_dir, "packed-refs", &packed)?;
        let head = match &self.head {
            // A repository needs a HEAD; this one resolves to nothing, as the server's does.
            Head::Unknown => "ref: refs/driftledger/no-default-branch\n".to_owned(),
            Head::Branch(name) => format!("ref: {name}\n"),
            Head::Commit(id) => format!("{id}\n"),
        };
        replace(git_dir, "HEAD", head.as_bytes())
    }
}

fn is_branch(name: &BStr) -> bool {
    name.starts_with(b"refs/heads/") && gix::validate::reference::name(name).is_ok()
}

/// Writes a file whole or not at all. A leftover of a killed run is overwritten.
pub(super) fn replace(folder: &Path, name: &str, content: &[u8]) -> std::io::Result<()> {
    let path = folder.join(name);
    if std::fs::read(&path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let new = folder.join(format!("{name}.new"));
    let mut file = File::create(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::super::source::Location;
    use super::*;
    use crate::model::ids::RepositoryName;

    fn id(n: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[n; 20])
    }

    fn direct(name: &str, n: u8) -> Ref {
        Ref::Direct { full_ref_name: name.into(), object: id(n) }
    }

    #[test]
    fn what_a_server_has_replaces_what_was_written_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m");
        gix::ThreadSafeRepository::init_opts(
            &path,
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            gix::open::Options::isolated(),
        )
        .unwrap();
        let named = || -> Vec<String> {
            let repository = super::super::repository::open_isolated(&path).unwrap().to_thread_local();
            let references = repository.references().unwrap();
            references.all().unwrap().map(|reference| reference.unwrap().name().as_bstr().to_string()).collect()
        };
        let tag = Ref::Peeled { full_ref_name: "refs/tags/v1".into(), tag: id(2), object: id(1) };
        let first = [direct("refs/heads/b", 1), direct("refs/heads/a", 1), direct("refs/pull/1/head", 1), tag];
        References::of(&first).unwrap().publish(&path).unwrap();
        assert_eq!(named(), ["refs/heads/a", "refs/heads/b", "refs/tags/v1"]);
        let packed = std::fs::read_to_string(path.join("packed-refs")).unwrap();
        assert!(packed.ends_with(&format!("{} refs/tags/v1\n^{}\n", id(2), id(1))), "{packed}");
        // A leftover of a killed run is no hindrance.
        std::fs::write(path.join("packed-refs.new"), "half").unwrap();
        References::of(&[direct("refs/heads/a/b", 3)]).unwrap().publish(&path).unwrap();
        assert_eq!(named(), ["refs/heads/a/b"]);
    }

    #[test]
    fn head_is_the_servers() {
        let symbolic = |target: &str| Ref::Symbolic {
            full_ref_name: "HEAD".into(),
            target: target.into(),
            tag: None,
            object: id(1),
        };
        let unborn = Ref::Unborn { full_ref_name: "HEAD".into(), target: "refs/heads/new".into() };
        let cases = [
            (symbolic("refs/heads/trunk"), Head::Branch("refs/heads/trunk".into())),
            (symbolic("refs/other/x"), Head::Commit(id(1))),
            (direct("HEAD", 4), Head::Commit(id(4))),
            (unborn, Head::Branch("refs/heads/new".into())),
            (direct("refs/heads/a", 1), Head::Unknown),
        ];
        for (reference, head) in cases {
            assert_eq!(References::of(&[reference]).unwrap().head, head);
        }
    }

    #[test]
    fn a_name_that_would_forge_a_line_is_refused() {
        for name in ["refs/heads/a\nb", "refs/heads/../../x", "refs/heads/", "refs/tags/v1\n0000 refs/heads/main"] {
            assert!(matches!(References::of(&[direct(name, 1)]), Err(Failure::Protocol(_))), "{name}");
        }
    }

    #[test]
    fn a_servers_message_that_repeats_credentials_is_not_shown() {
        let (location, credentials) = Location::from_url("https://ann:c4nary@git.example.com/p").unwrap();
        let source =
            RepositorySource { credentials, ..RepositorySource::new(RepositoryName::new("platform"), location) };
        for said in ["no access for c4nary", "no access for Basic YW5uOmM0bmFyeQ=="] {
            let failure = of_gix(&gix::Error::from_error(std::io::Error::other(said)), &source);
            let shown = format!("{failure:?}");
            assert!(!shown.contains("c4nary") && !shown.contains("YW5uOmM0bmFyeQ"), "{shown}");
        }
        let failure = of_gix(&gix::Error::from_error(std::io::Error::other("no\x1b[2J access\nc")), &source);
        assert_eq!(failure, Failure::Protocol("no[2J access".into()));
    }
}
