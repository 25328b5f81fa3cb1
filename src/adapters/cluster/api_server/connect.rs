//! From a kubeconfig or a service account to a client that only reads.

use std::path::{Path, PathBuf};

use http::Uri;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, Client, ConfigExt};
use kube::config::{AuthInfo, Config, Kubeconfig, KubeconfigError};
use tower::ServiceBuilder;
use tower_http::decompression::DecompressionLayer;

use super::classify::credentials;
use super::guard::GuardLayer;
use super::proxy;
use super::settings::{Access, KubeSettings, Limits};

/// Why there is no client for a cluster, and what the reader can do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct ConnectError {
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

impl ConnectError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// The address and credentials of a cluster. Blocks: it reads files and may run a credential plugin.
pub(super) fn configuration(settings: &KubeSettings) -> Result<Config, ConnectError> {
    let config = match &settings.access {
        Access::InCluster => Config::incluster().map_err(|error| {
            ConnectError::new(format!("no service account to use: {error}"))
                .hint("`inCluster` works only in a pod that mounts its service account's token")
        })?,
        Access::Kubeconfig { files, context } => {
            let mut kubeconfig = merged(files)?;
            if context.is_some() {
                kubeconfig.current_context.clone_from(context);
            }
            check_context(&kubeconfig, settings.allow_exec_plugins)?;
            let is_proxied = proxied(&kubeconfig);
            let mut config = Config::try_from(kubeconfig).map_err(|error| kubeconfig_error(&error))?;
            match &config.proxy_url {
                Some(proxy) if is_proxied => proxy::check(proxy, &config.cluster_url)?,
                // The environment's also lands here.
                Some(_) => {
                    tracing::warn!("HTTPS_PROXY is not used for API servers, only their kubeconfig's proxy-url is");
                    config.proxy_url = None;
                }
                None => {}
            }
            config
        }
    };
    if config.accept_invalid_certs {
        tracing::warn!(cluster = %settings.name, "the kubeconfig says insecure-skip-tls-verify: the server may be anybody");
    }
    Ok(config)
}

/// The client: nothing stands between the guard and the connection pool.
pub(super) fn client(config: &Config, limits: &Limits) -> Result<Client, ConnectError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(limits.connect_timeout));
    match &config.proxy_url {
        Some(proxy) => {
            let tunnel = proxy::tunnel(proxy, tcp)?;
            over(config.rustls_https_connector_with_connector(tunnel).map_err(failed)?, config, limits)
        }
        None => over(config.rustls_https_connector_with_connector(tcp).map_err(failed)?, config, limits),
    }
}

/// The client over the connections that `connector` makes.
fn over<C>(connector: C, config: &Config, limits: &Limits) -> Result<Client, ConnectError>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let pool: legacy::Client<_, Body> = legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(limits.concurrency.max(1))
        .build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .option_layer(config.auth_layer().map_err(failed)?)
        .layer(config.extra_headers_layer().map_err(failed)?)
        .layer(GuardLayer::new(&config.cluster_url))
        .service(pool);
    Ok(Client::new(service, config.default_namespace.as_str()))
}

fn failed(error: kube::Error) -> ConnectError {
    ConnectError::new(match &error {
        kube::Error::Auth(error) => credentials(error),
        // Says which file or which part of TLS; holds no key.
        other => format!("the TLS configuration does not work: {other}"),
    })
}

/// Whether the kubeconfig, and not the environment, names a proxy.
fn proxied(kubeconfig: &Kubeconfig) -> bool {
    let named = |name: &String| kubeconfig.contexts.iter().find(|c| c.name == *name)?.context.as_ref();
    let context = kubeconfig.current_context.as_ref().and_then(named);
    let cluster = context.and_then(|context| kubeconfig.clusters.iter().find(|c| c.name == context.cluster));
    let proxy = cluster.and_then(|named| named.cluster.as_ref()?.proxy_url.as_ref());
    proxy.is_some_and(|url| !url.is_empty())
}

pub(super) fn merged(files: &[PathBuf]) -> Result<Kubeconfig, ConnectError> {
    let present: Vec<&PathBuf> = files.iter().filter(|file| file.exists()).collect();
    if present.is_empty() {
        let looked: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        return Err(ConnectError::new(format!("no kubeconfig: looked for {}", looked.join(", ")))
            .hint("set the cluster's `kubeconfig`, or `inCluster: true` where the program runs in the cluster"));
    }
    present.into_iter().try_fold(Kubeconfig::default(), |all, file| {
        let next = Kubeconfig::read_from(file).map_err(|error| in_file(file, &error))?;
        all.merge(next).map_err(|error| in_file(file, &error))
    })
}

fn in_file(file: &Path, error: &KubeconfigError) -> ConnectError {
    let inner = kubeconfig_error(error);
    ConnectError { message: format!("{}: {}", file.display(), inner.message), hint: inner.hint }
}

/// The parser's own words may quote the file, and a kubeconfig holds credentials.
fn kubeconfig_error(error: &KubeconfigError) -> ConnectError {
    let of_context =
        |message: String| ConnectError::new(message).hint("`kubectl config get-contexts` lists the contexts");
    match error {
        KubeconfigError::Parse(error) => ConnectError::new(match error.location() {
            Some(place) => format!("not a kubeconfig: line {}, column {}", place.line(), place.column()),
            None => "not a kubeconfig".to_owned(),
        }),
        KubeconfigError::CurrentContextNotSet => {
            of_context("no context is configured and the kubeconfig has no current-context".to_owned())
        }
        KubeconfigError::LoadContext(name) => of_context(format!("the kubeconfig has no context {name}")),
        KubeconfigError::LoadClusterOfContext(name) => of_context(format!("the kubeconfig has no cluster {name}")),
        KubeconfigError::ReadConfig(error, _) => ConnectError::new(format!("cannot be read: {}", error.kind())),
        KubeconfigError::LoadCertificateAuthority(_) | KubeconfigError::ParseCertificates(_) => {
            ConnectError::new("the kubeconfig's certificate authority cannot be read")
        }
        KubeconfigError::LoadClientCertificate(_) => ConnectError::new("the client certificate cannot be read"),
        KubeconfigError::LoadClientKey(_) => ConnectError::new("the client key cannot be read"),
        KubeconfigError::MissingClusterUrl => ConnectError::new("the kubeconfig's cluster has no server"),
        KubeconfigError::ParseClusterUrl(_) => ConnectError::new("the kubeconfig's server is no URL"),
        KubeconfigError::ParseProxyUrl(_) => ConnectError::new("the proxy is no URL"),
        _ => ConnectError::new("the kubeconfig cannot be used"),
    }
}

/// Refuses what would act as somebody else, run a program unasked or go another way than configured.
fn check_context(kubeconfig: &Kubeconfig, allow_exec_plugins: bool) -> Result<(), ConnectError> {
    let Some(context) = kubeconfig
        .current_context
        .as_ref()
        .and_then(|name| kubeconfig.contexts.iter().find(|c| c.name == *name).and_then(|c| c.context.as_ref()))
    else {
        return Ok(()); // Reading the configuration says it better.
    };
    let cluster = kubeconfig.clusters.iter().find(|c| c.name == context.cluster).and_then(|c| c.cluster.as_ref());
    if cluster.and_then(|c| c.server.as_ref()).and_then(|s| s.parse::<Uri>().ok()).is_some_and(|uri| !has_host(&uri)) {
        return Err(ConnectError::new("the kubeconfig's server has no scheme and host"));
    }
    let Some(user) = context.user.as_ref().filter(|name| !name.is_empty()) else { return Ok(()) };
    let Some(named) = kubeconfig.auth_infos.iter().find(|u| u.name == *user) else {
        return Err(ConnectError::new(format!("the kubeconfig has no user {user}")));
    };
    named.auth_info.as_ref().map_or(Ok(()), |auth| check_user(auth, allow_exec_plugins))
}

fn has_host(uri: &Uri) -> bool {
    uri.scheme().is_some() && uri.authority().is_some()
}

pub(super) fn check_user(user: &AuthInfo, allow_exec_plugins: bool) -> Result<(), ConnectError> {
    let impersonates = user.impersonate.is_some()
        || user.impersonate_uid.is_some()
        || user.impersonate_groups.is_some()
        || user.impersonate_user_extra.is_some()
        || user.other.keys().any(|key| key.starts_with("as-"));
    if impersonates {
        return Err(ConnectError::new("the kubeconfig's user impersonates another (`as`), which is refused")
            .hint("an auditor must appear in audit logs as itself: give it credentials and a role of its own"));
    }
    if (user.exec.is_some() || user.auth_provider.is_some()) && !allow_exec_plugins {
        return Err(ConnectError::new("the kubeconfig's user runs a program to get credentials (`exec` or `auth-provider`)")
            .hint("set `allowExecPlugins: true` for this cluster if that program may be run, or use a service account's token"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::model::ids::ClusterName;

    use super::*;

    fn settings(kubeconfig: &str, allow_exec_plugins: bool) -> (tempfile::TempDir, KubeSettings) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, kubeconfig).unwrap();
        let access = Access::Kubeconfig { files: vec![folder.path().join("absent"), file], context: None };
        let name = ClusterName::new("prod");
        (folder, KubeSettings { name, access, allow_exec_plugins, limits: Limits::default() })
    }

    fn kubeconfig(cluster: &str, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{{cluster}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\n\
             contexts: [{{name: x, context: {{cluster: c, user: u}}}}, {{name: y, context: {{cluster: c, user: nobody}}}}]\n\
             current-context: x\n"
        )
    }

    const SERVER: &str = "server: 'https://kubernetes.test:6443/prefix'";

    fn refused(cluster: &str, user: &str) -> ConnectError {
        let (_folder, settings) = settings(&kubeconfig(cluster, user), false);
        configuration(&settings).map(|_| ()).expect_err(user)
    }

    #[test]
    fn takes_a_plain_kubeconfig() {
        let (_folder, settings) = settings(&kubeconfig(SERVER, "token: abc"), false);
        assert_eq!(configuration(&settings).unwrap().cluster_url, "https://kubernetes.test:6443/prefix");
    }

    #[test]
    fn refuses_to_act_as_somebody_else() {
        for user in ["as: admin", "as-uid: '1'", "as-groups: [system:masters]", "as-user-extra: {a: [b]}", "as-new: x"]
        {
            let error = refused(SERVER, &format!("token: abc, {user}"));
            assert!(error.message.contains("impersonates"), "{user}: {error}");
        }
    }

    #[test]
    fn runs_no_program_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("ran");
        let exec = format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1, command: touch, args: ['{}'], interactiveMode: Never}}",
            trace.display()
        );
        for user in [exec.as_str(), "auth-provider: {name: gcp, config: {cmd-path: touch}}"] {
            let error = refused(SERVER, user);
            assert!(error.hint.is_some_and(|hint| hint.contains("allowExecPlugins")), "{user}: {error}");
        }
        assert!(!trace.exists());
        let (_folder, settings) = settings(&kubeconfig(SERVER, &exec), true);
        assert!(configuration(&settings).is_ok(), "with a yes it is taken");
    }

    #[test]
    fn says_what_is_wrong_and_never_what_is_secret() {
        let (folder, mut other) = settings(&kubeconfig(SERVER, "token: hunter2"), false);
        let files = vec![folder.path().join("config")];
        for (context, message) in [("y", "the kubeconfig has no user nobody"), ("z", "the kubeconfig has no context z")]
        {
            other.access = Access::Kubeconfig { files: files.clone(), context: Some(context.to_owned()) };
            assert_eq!(configuration(&other).map(|_| ()).unwrap_err().message, message);
        }
        other.access = Access::Kubeconfig { files: vec![folder.path().join("absent")], context: None };
        assert!(configuration(&other).map(|_| ()).unwrap_err().message.starts_with("no kubeconfig: looked for "));

        for (server, proxy, message) in [
            (SERVER, "socks5://p:1", "kind that is not supported"),
            (SERVER, "https://p:1", "kind that is not supported"),
            (SERVER, "p", "kind that is not supported"),
            (SERVER, "http://p p", "the proxy is no URL"),
            ("server: 'http://kubernetes.test'", "http://ann:hunter2@p:1", "its proxy would see the credentials"),
        ] {
            let error = refused(&format!("{server}, proxy-url: '{proxy}'"), "token: hunter2");
            assert!(error.message.contains(message) && !format!("{error:?}").contains("hunter2"), "{proxy}: {error:?}");
        }
        assert_eq!(
            refused("server: kubernetes", "token: abc").message,
            "the kubeconfig's server has no scheme and host"
        );
        for broken in ["token: {hunter2: [hunter2]}", "token: hunter2, exec: hunter2", "token: 'hunter2"] {
            let (_folder, settings) = settings(&kubeconfig(SERVER, broken), false);
            let error = configuration(&settings).map(|_| ()).expect_err(broken);
            assert!(error.message.contains("not a kubeconfig: line "), "{broken}: {error:?}");
            assert!(!format!("{error:?}").contains("hunter2"), "{broken}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_plugin_that_fails_is_not_quoted() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        for script in ["echo hunter2; echo hunter2 >&2; exit 3", "echo hunter2", "exit 0"] {
            let exec = format!(
                "exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, '{script}'], interactiveMode: Never}}"
            );
            let (_folder, settings) = settings(&kubeconfig(SERVER, &exec), true);
            let config = configuration(&settings).unwrap();
            let error = client(&config, &settings.limits).map(|_| ()).expect_err(script);
            assert!(error.message.contains("credential plugin"), "{script}: {error:?}");
            assert!(!format!("{error:?}").contains("hunter2"), "{script}: {error:?}");
        }
    }

    #[test]
    fn outside_a_pod_there_is_no_service_account() {
        let (_folder, mut settings) = settings(&kubeconfig(SERVER, "token: abc"), false);
        settings.access = Access::InCluster;
        assert!(configuration(&settings).map(|_| ()).unwrap_err().message.starts_with("no service account to use"));
    }
}
