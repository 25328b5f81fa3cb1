//! Paths that a repository writes down.

/// A path of the repository: as written from a folder, or with a leading `/` from the root. `None` where it leads out.
pub fn within(folder: &str, written: &str) -> Option<String> {
    let (mut parts, written): (Vec<&str>, &str) = match written.strip_prefix('/') {
        Some(rest) => (Vec::new(), rest),
        None => (folder.split('/').filter(|part| !part.is_empty()).collect(), written),
    };
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A path in a folder; an empty one is the root.
pub fn beside(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_repository() {
        for (folder, written, expected) in [
            ("apps/shop", "values-prod.yaml", Some("apps/shop/values-prod.yaml")),
            ("apps/shop", "../common/values.yaml", Some("apps/common/values.yaml")),
            ("apps/shop", "/env/prod.yaml", Some("env/prod.yaml")),
            ("", "./values.yaml", Some("values.yaml")),
            ("apps", "../../etc/passwd", None),
            ("apps", "/../etc/passwd", None),
        ] {
            assert_eq!(within(folder, written).as_deref(), expected, "{folder} {written}");
        }
    }
}
