//! A kubeconfig's `proxy-url`: a tunnel (RFC 9110, CONNECT) through which the API server is reached by TLS, so that the proxy sees its
//! name and port and nothing else.

use base64::Engine;
use http::{HeaderValue, Uri, uri::Scheme};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use percent_encoding::percent_decode_str;

use super::connect::ConnectError;

/// Refuses a proxy that would see credentials, or that is of another kind.
pub(super) fn check(proxy: &Uri, server: &Uri) -> Result<(), ConnectError> {
    if proxy.scheme() != Some(&Scheme::HTTP) || proxy.host().is_none_or(str::is_empty) {
        return Err(ConnectError::new("the kubeconfig's proxy-url is of a kind that is not supported")
            .hint("write http://host:port, the address of an HTTP proxy"));
    }
    if server.scheme() != Some(&Scheme::HTTPS) {
        return Err(ConnectError::new(
            "the kubeconfig's server is plain http, and its proxy would see the credentials",
        )
        .hint("write an https server, or leave the proxy-url out"));
    }
    Ok(())
}

/// Connections through the proxy. What stands before `@` in its URL is for the proxy alone.
pub(super) fn tunnel(proxy: &Uri, tcp: HttpConnector) -> Result<Tunnel<HttpConnector>, ConnectError> {
    let tunnel = Tunnel::new(proxy.clone(), tcp);
    let Some((userinfo, _)) = proxy.authority().and_then(|authority| authority.as_str().rsplit_once('@')) else {
        return Ok(tunnel);
    };
    let decoded: Vec<u8> = percent_decode_str(userinfo).collect();
    let pair = base64::engine::general_purpose::STANDARD.encode(decoded);
    let value = HeaderValue::try_from(format!("Basic {pair}"));
    value.map(|value| tunnel.with_auth(value)).map_err(|_| ConnectError::new("the proxy's credentials cannot be sent"))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::super::settings::{Access, KubeSettings, Limits};
    use super::super::source::KubeCluster;
    use crate::model::ids::ClusterName;
    use crate::ports::LiveSource;

    /// What a proxy that answers so is told, and the first bytes of what then goes through it; and why there was no discovery.
    async fn asked(answer: &'static str, userinfo: &str) -> (Vec<String>, Vec<u8>, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{userinfo}{}", listener.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: 'https://kubernetes.test:6443', proxy-url: '{proxy}'}}}}]\n\
             users: [{{name: u, user: {{token: hunter2}}}}]\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\ncurrent-context: x\n"
        );
        std::fs::write(&file, text).unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut tell = Some(tell);
            // What may pass is tried again.
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut lines = Vec::new();
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    if line.trim_end().is_empty() {
                        break;
                    }
                    lines.push(line.trim_end().to_owned());
                }
                stream.write_all(answer.as_bytes()).await.unwrap();
                let mut through = vec![0; 3];
                let read = stream.read(&mut through).await.unwrap_or(0);
                through.truncate(read);
                let _ = tell.take().map(|tell| tell.send((lines, through)));
            }
        });
        let access = Access::Kubeconfig { files: vec![file], context: None };
        let limits = Limits { pause: std::time::Duration::from_millis(5), ..Limits::default() };
        let settings = KubeSettings { name: ClusterName::new("prod"), access, allow_exec_plugins: false, limits };
        let cluster = KubeCluster::connect(settings).await.unwrap();
        let gap = cluster.discover().await.unwrap_err();
        let (lines, through) = told.await.unwrap();
        (lines, through, gap.message)
    }

    #[tokio::test]
    async fn the_proxy_learns_the_servers_name_and_no_more() {
        let (lines, through, _) = asked("HTTP/1.1 200 Connected\r\n\r\n", "").await;
        assert_eq!(lines, ["CONNECT kubernetes.test:6443 HTTP/1.1", "Host: kubernetes.test:6443"]);
        assert_eq!(through[..2], [0x16, 0x03], "a TLS handshake, and no request in clear text");
    }

    #[tokio::test]
    async fn the_proxys_own_credentials_are_decoded_and_a_refusal_is_told() {
        let refusal = "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n";
        let (lines, through, message) = asked(refusal, "ann:p%40ss@").await;
        assert_eq!(lines[2], "Proxy-Authorization: Basic YW5uOnBAc3M=");
        assert!(through.is_empty());
        assert!(message.contains("the proxy of the kubeconfig: proxy authorization required"), "{message}");
        assert!(!message.contains("p%40ss") && !message.contains("hunter2"), "{message}");
    }
}
