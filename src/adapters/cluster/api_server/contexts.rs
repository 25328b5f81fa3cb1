//! What a kubeconfig offers, without using it.

use std::path::PathBuf;

use super::connect::{ConnectError, check_user, merged};
use crate::model::gap::{Gap, GapKind, Hides};

/// A context of a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeContext {
    /// Its name.
    pub name: String,
    /// Whether its user runs a program to get credentials.
    pub runs_program: bool,
}

/// The named context, or the current one; `None` where there is no kubeconfig.
///
/// # Errors
/// The files are no kubeconfig, or have no such context: the message names those there are.
pub fn kube_context(files: &[PathBuf], wanted: Option<&str>) -> Result<Option<KubeContext>, Gap> {
    if wanted.is_none() && !files.iter().any(|file| file.exists()) {
        return Ok(None);
    }
    let gap = |error: ConnectError| {
        let gap = Gap::new(GapKind::Unreachable, error.message, Hides::Cluster);
        error.hint.into_iter().fold(gap, Gap::hint)
    };
    let kubeconfig = merged(files).map_err(gap)?;
    let known = || kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some(name) = wanted.or(kubeconfig.current_context.as_deref()).filter(|name| !name.is_empty()) else {
        let message = "the kubeconfig has no current context";
        return Err(Gap::new(GapKind::Unreachable, message, Hides::Cluster)
            .hint(format!("name one with --context: {}", known())));
    };
    let Some(context) = kubeconfig.contexts.iter().find(|context| context.name == name) else {
        let message = format!("the kubeconfig has no context {name}");
        return Err(Gap::new(GapKind::Unreachable, message, Hides::Cluster).hint(format!("known: {}", known())));
    };
    let user = context.context.as_ref().and_then(|context| context.user.as_ref());
    let user = user.and_then(|user| kubeconfig.auth_infos.iter().find(|named| named.name == *user));
    let user = user.and_then(|named| named.auth_info.as_ref());
    // Refused without a yes and not with it: that is what a program is.
    let runs_program = user.is_some_and(|user| check_user(user, false).is_err() && check_user(user, true).is_ok());
    Ok(Some(KubeContext { name: name.to_owned(), runs_program }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_told_and_whether_it_runs_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let files = [file.clone()];
        assert_eq!(kube_context(&files, None), Ok(None));
        assert!(kube_context(&files, Some("x")).is_err(), "who names a context means a kubeconfig");
        let text = "apiVersion: v1\nkind: Config\nclusters: []\n\
                    users: [{name: p, user: {token: t}}, {name: e, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}}}]\n\
                    contexts: [{name: x, context: {cluster: c, user: p}}, {name: y, context: {cluster: c, user: e}}]\n\
                    current-context: x\n";
        std::fs::write(&file, text).unwrap();
        let context = |name: &str, runs_program| Ok(Some(KubeContext { name: name.to_owned(), runs_program }));
        assert_eq!(kube_context(&files, None), context("x", false));
        assert_eq!(kube_context(&files, Some("y")), context("y", true));
        assert_eq!(kube_context(&files, Some("z")).unwrap_err().hint.as_deref(), Some("known: x, y"));
    }
}
