//! Charts of chart repositories: pulled by Helm from those that are allowed, and kept. A version that is named exactly is pulled once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use base64::Engine as _;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::process::{Run, option};
use super::toolbox::Tool;
use crate::config::render::Tools;
use crate::config::{ChartRepository, ChartSource};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::yaml;

/// Bytes that an archive may unpack to, and files.
const MOST_BYTES: u64 = 256 << 20;
const MOST_FILES: usize = 20_000;

/// Chart repositories, and where what is pulled is kept.
#[derive(Debug, Default)]
pub struct Charts {
    /// The allowed ones, each with its password, where it has one.
    pub repositories: Vec<(ChartRepository, Result<Option<String>, String>)>,
    /// The cache.
    pub folder: PathBuf,
    pulled: Mutex<BTreeMap<ChartSource, Result<Pulled, Gap>>>,
}

/// A chart that is at hand.
#[derive(Clone, Debug)]
pub struct Pulled {
    archive: Vec<u8>,
    /// Its name and version, with the archive's digest: `redis 19.0.1 sha256:…`.
    pub name: String,
    /// As a path names it: `redis-19.0.1.tgz`.
    pub file: String,
}

impl Charts {
    /// With nothing pulled yet.
    pub fn new(repositories: Vec<(ChartRepository, Result<Option<String>, String>)>, folder: PathBuf) -> Self {
        Self { repositories, folder, ..Self::default() }
    }

    /// A chart, pulled if it is not at hand. Of a range of versions it is asked anew in each run.
    ///
    /// # Errors
    /// A gap: its repository is not allowed, or it cannot be had.
    pub fn get(&self, source: &ChartSource, helm: &Tool, tools: &Tools) -> Result<Pulled, Gap> {
        // One is pulled at a time.
        let Ok(mut pulled) = self.pulled.lock() else { return Err(gap(source, "was given up")) };
        pulled.entry(source.clone()).or_insert_with(|| self.find(source, helm, tools)).clone()
    }

    fn find(&self, source: &ChartSource, helm: &Tool, tools: &Tools) -> Result<Pulled, Gap> {
        let is_exact = semver::Version::parse(source.version.trim_start_matches('v')).is_ok();
        let kept = self.folder.join(kept_name(source));
        if is_exact && let Ok(archive) = fs::read(&kept) {
            return Pulled::of(source, archive);
        }
        let archive = self.pull(source, helm, tools)?;
        if is_exact {
            let keep = || -> io::Result<()> {
                let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
                io::Write::write_all(&mut file, &archive)?;
                file.persist(&kept).map_err(|error| error.error)?;
                Ok(())
            };
            if let Err(error) = keep() {
                tracing::warn!("a chart cannot be kept, and is pulled anew by each scan: {error}");
            }
        }
        Pulled::of(source, archive)
    }

    fn pull(&self, source: &ChartSource, helm: &Tool, tools: &Tools) -> Result<Vec<u8>, Gap> {
        // What an Application says becomes a part of an address.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        if source.name.contains("..") || !source.name.chars().all(is_plain) {
            return Err(gap(source, "has a name that is none"));
        }
        let allowed = self.repositories.iter().find(|(repository, _)| repository.holds(&source.repository));
        let (repository, password) = allowed.ok_or_else(|| {
            gap(source, "is in a chart repository that is not allowed").hint("add the repository to `charts`")
        })?;
        let password = password.as_ref().map_err(|why| gap(source, why))?;
        let login = repository.login.as_ref().map(|(user, _)| user).zip(password.as_ref());
        let local = |error: io::Error| gap(source, &format!("cannot be kept in the cache folder: {error}"));
        fs::create_dir_all(&self.folder).map_err(local)?;
        let home = tempfile::tempdir_in(&self.folder).map_err(local)?;
        let run = |arguments: Vec<OsString>| {
            // Why an index could not be had, Helm writes to its standard output.
            let as_error = ["-c", r#"exec "$@" >&2"#, "sh"].map(OsString::from);
            let arguments = as_error.into_iter().chain([helm.program.clone().into()]).chain(arguments).collect();
            let (program, folder) = (Path::new("sh"), home.path());
            let run = Run { program, arguments, folder, home: folder, network: true, tools };
            run.output().map_err(|failure| {
                let hint = "check `charts`, the chart's name and version, and the network";
                gap(source, &format!("could not be pulled: {} {failure}", helm.name)).hint(hint)
            })
        };
        let mut arguments: Vec<OsString> = vec!["pull".into()];
        match source.repository.split_once("://").unwrap_or(("oci", &source.repository)) {
            ("oci", place) => {
                let host = place.split('/').next().unwrap_or_default();
                let auth = |(user, password)| {
                    let auth = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
                    json!({"auths": {host: {"auth": auth}}})
                };
                if let Some(auths) = login.map(auth) {
                    write(home.path(), "helm/registry/config.json", &auths).map_err(local)?;
                }
                arguments.push(format!("oci://{}/{}", place.trim_end_matches('/'), source.name).into());
                arguments.extend(repository.plain_http.then(|| OsString::from("--plain-http")));
                arguments.extend(repository.ca_file.iter().map(|file| option("--ca-file", file)));
            }
            _ => {
                let of = json!({"name": "it", "url": source.repository, "username": login.map(|(user, _)| user),
                    "password": login.map(|(_, password)| password), "caFile": repository.ca_file});
                let all = json!({"apiVersion": "", "repositories": [of]});
                write(home.path(), "helm/repositories.yaml", &all).map_err(local)?;
                // Helm 3 has to be told that a failure is one; Helm 4 knows no such option.
                let update: [OsString; 2] = ["repo".into(), "update".into()];
                run([update.as_slice(), &["--fail-on-repo-update-fail".into()]].concat()).or_else(|gap| {
                    if gap.message.contains("unknown flag") { run(update.to_vec()) } else { Err(gap) }
                })?;
                arguments.push(format!("it/{}", source.name).into());
            }
        }
        if !source.version.is_empty() {
            arguments.push(option("--version", &source.version));
        }
        fs::create_dir(home.path().join("pulled")).map_err(local)?;
        arguments.extend(["--destination".into(), "pulled".into()]);
        run(arguments)?;
        let archive = fs::read_dir(home.path().join("pulled")).map_err(local)?.flatten().next();
        let archive = archive.ok_or_else(|| gap(source, "could not be pulled: Helm wrote no archive"))?;
        fs::read(archive.path()).map_err(local)
    }
}

fn gap(source: &ChartSource, why: &str) -> Gap {
    let version = if source.version.is_empty() { "the newest" } else { &source.version };
    let ChartSource { repository, name, .. } = source;
    Gap::new(GapKind::Fetch, format!("the chart {name} ({version}) of {repository} {why}"), Hides::Target)
}

fn kept_name(source: &ChartSource) -> String {
    let ChartSource { repository, name, version } = source;
    let hash = Sha256::digest(format!("{repository}\n{name}\n{version}").as_bytes());
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}.tgz")
}

fn write(home: &Path, name: &str, content: &Value) -> io::Result<()> {
    let path = home.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content.to_string())
}

impl Pulled {
    fn of(source: &ChartSource, archive: Vec<u8>) -> Result<Self, Gap> {
        let digest: String = Sha256::digest(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut chart = Vec::new();
        let found = each_file(&archive, |path, content| {
            if path.components().count() == 2 && path.ends_with("Chart.yaml") {
                content.read_to_end(&mut chart)?;
            }
            Ok(())
        });
        found.map_err(|error| gap(source, &format!("cannot be unpacked: {error}")))?;
        let text = String::from_utf8_lossy(&chart);
        let chart = yaml::read_documents(&text, &yaml::Limits::default()).into_iter().find_map(Result::ok);
        let chart = chart.map(|document| yaml::to_json(&document.root)).unwrap_or_default();
        let (Some(name), Some(version)) = (chart["name"].as_str(), chart["version"].as_str()) else {
            return Err(gap(source, "is no chart: its archive has no `Chart.yaml` with a name and a version"));
        };
        let file = format!("{name}-{version}.tgz");
        Ok(Self { name: format!("{name} {version} sha256:{digest}"), file, archive })
    }

    /// Writes the chart's files into a folder, and gives the chart's own folder in it.
    ///
    /// # Errors
    /// The archive is broken or too large, or the folder cannot be written.
    pub fn unpack(&self, into: &Path) -> io::Result<PathBuf> {
        let mut root = None;
        each_file(&self.archive, |path, content| {
            root = root.take().or_else(|| path.components().next().map(|first| into.join(first)));
            let file = into.join(path);
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            io::copy(content, &mut fs::File::create(file)?).map(|_| ())
        })?;
        root.ok_or_else(|| io::Error::other("it is empty"))
    }
}

/// The regular files of an archive with paths that lead nowhere else; links and all others are passed over.
fn each_file(archive: &[u8], mut with: impl FnMut(&Path, &mut dyn io::Read) -> io::Result<()>) -> io::Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive).take(MOST_BYTES));
    for (n, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        if n >= MOST_FILES {
            return Err(io::Error::other(format!("it has more than {MOST_FILES} files")));
        }
        let path = entry.path()?.into_owned();
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        if is_plain && entry.header().entry_type().is_file() {
            with(&path, &mut entry)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// An archive with a file at each path; `name` as it is written, whatever that leads to.
    fn archive(files: &[(&str, &[u8])], link: Option<(&str, &str)>) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let header = |name: &str, size: usize| {
            let mut header = tar::Header::new_gnu();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(size as u64);
            header.set_mode(0o644);
            header
        };
        for (name, content) in files {
            let mut header = header(name, content.len());
            header.set_cksum();
            archive.append(&header, *content).unwrap();
        }
        if let Some((name, target)) = link {
            let mut header = header(name, 0);
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_link_name(target).unwrap();
            header.set_cksum();
            archive.append(&header, io::empty()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn source(repository: &str, name: &str) -> ChartSource {
        ChartSource { repository: repository.into(), name: name.into(), version: "1.0.0".into() }
    }

    const CHART: &[u8] = b"apiVersion: v2\nname: shop\nversion: 1.0.0\n";

    #[test]
    fn an_archive_is_unpacked_below_its_folder_only() {
        let files: [(&str, &[u8]); 4] = [
            ("shop/Chart.yaml", CHART),
            ("../evil", b"x"),
            ("/tmp/driftledger-evil", b"x"),
            ("shop/templates/a.yaml", b"a: b"),
        ];
        let bytes = archive(&files, Some(("shop/link", "/etc/passwd")));
        let pulled = Pulled::of(&source("https://charts.example.com", "shop"), bytes).unwrap();
        assert!(pulled.name.starts_with("shop 1.0.0 sha256:") && pulled.file == "shop-1.0.0.tgz", "{pulled:?}");
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("into");
        assert_eq!(pulled.unpack(&into).unwrap(), into.join("shop"));
        assert!(into.join("shop/templates/a.yaml").is_file());
        assert!(!folder.path().join("evil").exists() && !Path::new("/tmp/driftledger-evil").exists());
        assert!(fs::symlink_metadata(into.join("shop/link")).is_err(), "links are passed over");
    }

    #[test]
    fn what_is_no_chart_or_is_not_allowed_is_a_gap() {
        let of = |bytes: Vec<u8>| Pulled::of(&source("https://a", "shop"), bytes).unwrap_err().message;
        assert!(of(archive(&[("shop/values.yaml", b"a: b")], None)).contains("is no chart"));
        assert!(of(b"no archive".to_vec()).contains("cannot be unpacked"));
        let large = vec![b' '; 64 << 20];
        let files: Vec<(String, &[u8])> = (0..5).map(|n| (format!("shop/{n}"), large.as_slice())).collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), *content)).collect();
        assert!(of(archive(&files, None)).contains("cannot be unpacked"), "more than it may unpack to");

        let folder = tempfile::tempdir().unwrap();
        let charts = Charts::new(Vec::new(), folder.path().to_owned());
        let helm = Tool { program: "/no/such/helm".into(), first: Vec::new(), name: "helm".into() };
        for (name, why) in
            [("shop", "is in a chart repository that is not allowed"), ("../../x", "has a name that is none")]
        {
            let gap = charts.get(&source("https://a", name), &helm, &Tools::default()).unwrap_err();
            assert!(gap.message.contains(why), "{gap:?}");
        }
    }
}
