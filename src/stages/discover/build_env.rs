//! Argo CD's build environment in what an Application says (`argoproj/argo-cd`, `util/argo/argo.go`, `newEnv`; `pkg/apis/application/v1alpha1`,
//! `Env.Envsubst`, which is Go's `os.Expand`): in parameters, names of files, images and labels `$NAME` and `${NAME}` are replaced, `$$` is a dollar sign, and what
//! nothing gives is empty.

use serde_json::Value;

use super::known::Declared;

/// What is only known when it is rendered: the commit and the cluster.
const NOT_KNOWN: [&str; 5] = [
    "ARGOCD_APP_REVISION",
    "ARGOCD_APP_REVISION_SHORT",
    "ARGOCD_APP_REVISION_SHORT_8",
    "KUBE_VERSION",
    "KUBE_API_VERSIONS",
];

/// A text with its variables replaced.
///
/// # Errors
/// For people: it hangs on what is not known.
pub(super) fn expand(text: &str, declared: &Declared<'_>, source: &Value) -> Result<String, String> {
    let (mut expanded, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, after) = match rest.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or_else(|| format!("its `{text}` has a `${{` without an end"))?,
            None if length_of_name(rest) == 0 => {
                expanded.push('$');
                continue;
            }
            None => rest.split_at(length_of_name(rest)),
        };
        rest = after;
        if NOT_KNOWN.contains(&name) {
            return Err(format!("its `{text}` hangs on {name}, which is not understood"));
        }
        match name {
            "$" => expanded.push('$'),
            name => expanded.push_str(&value(name, declared, source)),
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// A name's length, or that of the one sign that is a name by itself.
fn length_of_name(text: &str) -> usize {
    let is_special = |c: char| matches!(c, '*' | '#' | '$' | '@' | '!' | '?' | '-') || c.is_ascii_digit();
    match text.chars().next() {
        Some(first) if is_special(first) => 1,
        _ => text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len()),
    }
}

fn value(name: &str, declared: &Declared<'_>, source: &Value) -> String {
    let of_source = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match name {
        "ARGOCD_APP_NAME" => declared.name.to_owned(),
        "ARGOCD_APP_NAMESPACE" => declared.text("/destination/namespace").unwrap_or_default().to_owned(),
        "ARGOCD_APP_PROJECT_NAME" => declared.text("/project").unwrap_or("default").to_owned(),
        "ARGOCD_APP_SOURCE_REPO_URL" => of_source("repoURL"),
        "ARGOCD_APP_SOURCE_PATH" => of_source("path"),
        "ARGOCD_APP_SOURCE_TARGET_REVISION" => of_source("targetRevision"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_replaced_as_argo_cd_does() {
        let spec = json!({"destination": {"namespace": "shop"}, "project": "web"});
        let declared = Declared { kind: "Application", namespace: "argocd", name: "eu", spec: &spec };
        let source = json!({"path": "charts/shop", "targetRevision": "main", "repoURL": "https://git.example.com/a"});
        for (text, expected) in [
            ("plain", "plain"),
            ("$ARGOCD_APP_NAME-${ARGOCD_APP_NAMESPACE}.$ARGOCD_APP_PROJECT_NAME", "eu-shop.web"),
            ("$ARGOCD_APP_SOURCE_PATH@$ARGOCD_APP_SOURCE_TARGET_REVISION", "charts/shop@main"),
            ("pa$$word $5 ${NONE}x 9$ $.", "pa$word  x 9$ $."),
            (
                "$ARGOCD_APP_REVISION",
                "its `$ARGOCD_APP_REVISION` hangs on ARGOCD_APP_REVISION, which is not understood",
            ),
            ("${a", "its `${a` has a `${` without an end"),
        ] {
            assert_eq!(expand(text, &declared, &source).unwrap_or_else(|why| why), expected, "{text}");
        }
    }
}
