//! CODEOWNERS: whom a repository names for a file.
//!
//! Rules as [GitHub](https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners)
//! and [GitLab](https://docs.gitlab.com/user/project/codeowners/reference/) (sections with default owners) write them.

use gix::bstr::ByteSlice as _;
use gix::glob::pattern::Case;
use gix::glob::{Pattern, wildmatch};

use super::tree::CommitTree;
use crate::ports::SourceTree as _;

/// Where the file may be; the first that is there counts.
const PLACES: [&str; 4] = [".github/CODEOWNERS", ".gitlab/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// A repository's owners of files, at a commit.
#[derive(Clone, Debug, Default)]
pub struct CodeOwners {
    /// Of each the last rule that fits counts, besides what other sections say. The first has no name.
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Default)]
struct Section {
    name: String,
    /// Of rules that name nobody.
    owners: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    /// `docs/*`: what is directly in the folder, and not below it.
    direct: bool,
    owners: Vec<String>,
}

impl CodeOwners {
    /// What a commit's file says; nobody owns anything where there is none.
    pub fn of(tree: &CommitTree) -> Self {
        let found = PLACES.iter().find_map(|place| tree.read(place));
        found.map(|bytes| Self::parse(&bytes.to_str_lossy())).unwrap_or_default()
    }

    /// Reads the file's text. A line that is no rule is passed over, as the forges do.
    fn parse(text: &str) -> Self {
        let mut sections = vec![Section::default()];
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some((name, owners)) = section(line) {
                // Two of one name are one.
                match sections.iter().position(|section| section.name == name) {
                    Some(at) => {
                        let again = sections.remove(at);
                        sections.push(again);
                    }
                    None => sections.push(Section { name, owners, rules: Vec::new() }),
                }
                continue;
            }
            let (pattern, owners) = pattern_and_owners(line);
            let direct = pattern.ends_with("/*");
            let rule = Pattern::from_bytes_without_negation(pattern.as_bytes());
            if let (Some(pattern), Some(section)) = (rule, sections.last_mut()) {
                section.rules.push(Rule { pattern, direct, owners });
            }
        }
        Self { sections }
    }

    /// The owners of a file, by its path from the repository's root.
    pub fn owners(&self, path: &str) -> Vec<String> {
        let mut owners: Vec<String> = Vec::new();
        for section in &self.sections {
            let last = section.rules.iter().rev().find(|rule| rule.fits(path));
            let of_rule = last.map(|rule| if rule.owners.is_empty() { &section.owners } else { &rule.owners });
            let new = of_rule.into_iter().flatten().filter(|owner| !owners.contains(owner));
            owners.extend(new.cloned().collect::<Vec<_>>());
        }
        owners
    }
}

impl Rule {
    /// Whether it names the file, or a folder that it is in.
    fn fits(&self, path: &str) -> bool {
        let fits = |part: &str, is_folder: bool| {
            let name = part.rfind('/').map(|slash| slash + 1);
            let mode = wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
            self.pattern.matches_repo_relative_path(part.into(), name, Some(is_folder), Case::Sensitive, mode)
        };
        let mut folders = path.match_indices('/').map(|(slash, _)| &path[..slash]);
        fits(path, false) || (!self.direct && folders.any(|folder| fits(folder, true)))
    }
}

/// The name and default owners of `[Name][2] @owner` or `^[Name] @owner`.
fn section(line: &str) -> Option<(String, Vec<String>)> {
    let (name, rest) = line.trim_start_matches('^').strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix('[').and_then(|count| count.split_once(']')).map_or(rest, |(_, rest)| rest);
    // Anything else beside the brackets is a pattern that begins with one.
    let apart = rest.is_empty() || rest.starts_with(char::is_whitespace);
    apart.then(|| (name.to_lowercase(), named(rest)))
}

/// A space that belongs to the pattern is written `\ `.
fn pattern_and_owners(line: &str) -> (String, Vec<String>) {
    let mut pattern = String::new();
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, space)) if space.is_whitespace() || space == '#' => pattern.push(space),
                Some((_, other)) => pattern.extend(['\\', other]),
                None => pattern.push('\\'),
            },
            c if c.is_whitespace() => return (pattern, named(&line[at..])),
            c => pattern.push(c),
        }
    }
    (pattern, Vec::new())
}

/// `@user`, `@org/team` and addresses, up to a comment.
fn named(text: &str) -> Vec<String> {
    let words = text.split_whitespace().take_while(|word| !word.starts_with('#'));
    words.filter(|word| word.contains('@')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of GitHub's documentation, and GitLab's sections.
    #[test]
    fn the_last_rule_of_each_section_that_fits_names_the_owners() {
        let github = "\
# a comment
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/github
my\\ folder/ @spaces
";
        let gitlab = "\
* @everybody
[Platform][2] @platform
clusters/
clusters/prod @prod
^[Docs] @writers
*.md
[platform] @ignored
clusters/prod/shop @shop
";
        for (text, path, owners) in [
            (github, "a.txt", "@global-owner1 @global-owner2"),
            (github, "src/a.js", "@js-owner"),
            (github, "a.go", "docs@example.com"),
            (github, "build/logs/x/y.txt", "@octocat"),
            (github, "docs/a.md", "@doctocat"),
            (github, "deep/docs/a.md", "@global-owner1 @global-owner2"),
            (github, "deep/apps/x/y.yaml", "@octocat"),
            (github, "apps/github/x.yaml", ""),
            (github, "my folder/x.yaml", "@spaces"),
            (gitlab, "x.yaml", "@everybody"),
            (gitlab, "clusters/dev/x.yaml", "@everybody @platform"),
            (gitlab, "clusters/prod/x.yaml", "@everybody @prod"),
            (gitlab, "clusters/prod/shop/x.yaml", "@everybody @shop"),
            (gitlab, "clusters/README.md", "@everybody @writers @platform"),
            ("", "x.yaml", ""),
            ("docs/* @direct", "docs/a.md", "@direct"),
            ("docs/* @direct", "docs/deep/a.md", ""),
        ] {
            assert_eq!(CodeOwners::parse(text).owners(path).join(" "), owners, "{path}");
        }
    }
}
