//! The pages of a repository on the forge that serves it, by its URL. No link rather than a wrong one.

use crate::model::ids::CommitId;

/// A forge, as far as its addresses and messages differ from others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forge {
    /// GitHub, GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// bitbucket.org.
    BitbucketCloud,
    /// Bitbucket Server and Data Center.
    BitbucketServer,
    /// Gitea, Forgejo.
    Gitea,
    /// Azure DevOps.
    Azure,
}

/// Where a repository's pages are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// `https://github.com`
    origin: String,
    /// `acme/shop`, without slashes around and without `.git`.
    path: String,
    /// By the host's name.
    forge: Option<Forge>,
}

impl Pages {
    /// Of a repository's URL without credentials; `None` where it is not fetched over http or https.
    pub fn of(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let (authority, path) = rest.split_once('/')?;
        if authority.contains('@') || url.contains(['?', '#']) {
            return None;
        }
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let scheme = if url.starts_with("https://") { "https" } else { "http" };
        Some(Self { origin: format!("{scheme}://{authority}"), path: path.to_owned(), forge: by_host(authority, path) })
            .filter(|pages| !pages.path.is_empty())
    }

    /// What serves it, if the host's name says so.
    pub fn forge(&self) -> Option<Forge> {
        self.forge
    }

    /// Its path, as in `group/project`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether a URL is below the repository's own pages.
    pub fn holds(&self, url: &str) -> bool {
        let own = format!("{}/{}/", self.origin, self.path);
        url.get(..own.len()).is_some_and(|start| start.eq_ignore_ascii_case(&own))
    }

    /// A commit's page. `forge` is what messages show to serve it, where the host's name does not say.
    pub fn commit(&self, id: &CommitId, forge: Option<Forge>) -> Option<String> {
        let forge = self.forge.or(forge)?;
        let page = match forge {
            Forge::GitHub | Forge::Gitea | Forge::Azure => "commit",
            Forge::GitLab => "-/commit",
            Forge::BitbucketCloud | Forge::BitbucketServer => "commits",
        };
        Some(format!("{}/{page}/{id}", self.base(forge)?))
    }

    /// A request's page. `forge` is what the message is of; another one than the host's gets no link.
    pub fn request(&self, forge: Forge, number: u64) -> Option<String> {
        if self.forge.is_some_and(|known| known != forge) {
            return None;
        }
        let page = match forge {
            Forge::GitHub => "pull",
            Forge::GitLab => "-/merge_requests",
            Forge::BitbucketCloud | Forge::BitbucketServer => "pull-requests",
            Forge::Gitea => "pulls",
            Forge::Azure => "pullrequest",
        };
        Some(format!("{}/{page}/{number}", self.base(forge)?))
    }

    fn base(&self, forge: Forge) -> Option<String> {
        let Self { origin, path, .. } = self;
        match forge {
            Forge::BitbucketServer => {
                let (context, project, name) = server_path(path)?;
                let owner = match project.strip_prefix('~') {
                    Some(user) => format!("users/{user}"),
                    None => format!("projects/{project}"),
                };
                Some(format!("{origin}/{context}{owner}/repos/{name}"))
            }
            Forge::Azure => format!("/{path}").contains("/_git/").then(|| format!("{origin}/{path}")),
            Forge::GitHub | Forge::BitbucketCloud | Forge::Gitea => {
                (path.split('/').count() == 2).then(|| format!("{origin}/{path}"))
            }
            Forge::GitLab => path.contains('/').then(|| format!("{origin}/{path}")),
        }
    }

    /// Whether the message's `PROJECT/name` is this repository.
    pub fn is(&self, name: &str) -> bool {
        let own = match server_path(&self.path) {
            Some((_, project, repository)) => format!("{project}/{repository}"),
            None => self.path.clone(),
        };
        own.eq_ignore_ascii_case(name)
    }
}

/// `scm/PROJECT/name`, behind a context path that may be empty: context with a closing slash, project, name.
fn server_path(path: &str) -> Option<(&str, &str, &str)> {
    let at = if path.starts_with("scm/") { 0 } else { path.find("/scm/")? + 1 };
    let (project, name) = path[at + "scm/".len()..].split_once('/')?;
    (!name.contains('/')).then_some((&path[..at], project, name))
}

fn by_host(authority: &str, path: &str) -> Option<Forge> {
    let host = authority.split(':').next()?.to_ascii_lowercase();
    let first = host.split('.').next()?;
    Some(match host.as_str() {
        "github.com" => Forge::GitHub,
        "gitlab.com" => Forge::GitLab,
        "bitbucket.org" => Forge::BitbucketCloud,
        "codeberg.org" | "gitea.com" => Forge::Gitea,
        "dev.azure.com" => Forge::Azure,
        _ if host.ends_with(".visualstudio.com") => Forge::Azure,
        _ if server_path(path).is_some() => Forge::BitbucketServer,
        _ => match first {
            "github" => Forge::GitHub,
            "gitlab" => Forge::GitLab,
            "gitea" | "forgejo" => Forge::Gitea,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_follow_the_host_and_are_left_out_where_it_is_not_known() {
        for (case, url, commit) in [
            ("GitHub", "https://github.com/acme/shop.git", Some("https://github.com/acme/shop/commit/4be0")),
            (
                "GitHub Enterprise",
                "https://github.acme.example/acme/shop",
                Some("https://github.acme.example/acme/shop/commit/4be0"),
            ),
            ("GitLab with subgroups", "https://gitlab.com/a/b/c.git/", Some("https://gitlab.com/a/b/c/-/commit/4be0")),
            (
                "a port stays",
                "https://gitlab.example.com:8443/a/b",
                Some("https://gitlab.example.com:8443/a/b/-/commit/4be0"),
            ),
            (
                "Bitbucket Cloud",
                "https://bitbucket.org/acme/shop.git",
                Some("https://bitbucket.org/acme/shop/commits/4be0"),
            ),
            (
                "Bitbucket Server",
                "https://git.acme.example/scm/OPS/shop.git",
                Some("https://git.acme.example/projects/OPS/repos/shop/commits/4be0"),
            ),
            (
                "Bitbucket Server, a user's, below a path",
                "https://x.example/bb/scm/~ann/shop.git",
                Some("https://x.example/bb/users/ann/repos/shop/commits/4be0"),
            ),
            ("Codeberg", "https://codeberg.org/acme/shop.git", Some("https://codeberg.org/acme/shop/commit/4be0")),
            (
                "Azure DevOps",
                "https://dev.azure.com/acme/ops/_git/shop",
                Some("https://dev.azure.com/acme/ops/_git/shop/commit/4be0"),
            ),
            ("an unknown host", "https://git.example.com/acme/shop.git", None),
            ("a path that no repository of that forge has", "https://github.com/acme", None),
        ] {
            let pages = Pages::of(url).unwrap_or_else(|| panic!("{case}"));
            assert_eq!(pages.commit(&CommitId::new("4be0"), None).as_deref(), commit, "{case}");
        }
        for url in [
            "ssh://git@github.com/acme/shop",
            "https://u:p@github.com/acme/shop",
            "/srv/shop.git",
            "https://github.com",
        ] {
            assert_eq!(Pages::of(url), None, "{url}");
        }
    }
}
