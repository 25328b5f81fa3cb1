//! Fetching through a proxy, as the environment's variables say; each in a process of its own.

use super::*;

/// An HTTP proxy that tunnels (RFC 9110, CONNECT) to this machine, and keeps what it was asked.
fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            log.lock().unwrap().push(head.clone());
            let target = head.strip_prefix("CONNECT localhost:").expect("a tunnel is asked for");
            let port = target.split_whitespace().next().unwrap().parse::<u16>().unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::thread::spawn(move || std::io::copy(&mut server, &mut client));
        }
    });
    (port, asked)
}

/// Fetches in a process with these variables more; what it says holds nothing secret.
fn fetch_with(url: &str, ca: &Path, says: &str, more: &[(&str, &str)]) {
    let own =
        [("DRIFTLEDGER_TEST_URL", url), ("DRIFTLEDGER_TEST_CA", ca.to_str().unwrap()), ("DRIFTLEDGER_TEST_SAYS", says)];
    let mut command = again("by_proxy::child_fetches_as_told", &[]);
    // None of whoever runs the tests.
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = command.envs(own).envs(more.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_no_canary(&said);
}

#[test]
#[ignore = "a part of the others"]
fn child_fetches_as_told() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let ca_file = Some(variable("DRIFTLEDGER_TEST_CA").into());
    let source = RepositorySource { ca_file, ..source(&variable("DRIFTLEDGER_TEST_URL")) };
    assert_says(&gap_of(&source), &variable("DRIFTLEDGER_TEST_SAYS"), "");
}

#[test]
fn proxy_variables_are_honoured() {
    let server = status(404);
    let (port, asked) = proxy();
    let address = format!("http://ann:{}@127.0.0.1:{port}", DISGUISES[0]);
    let cases = [
        ("https_proxy", "no_proxy", "", true),
        ("HTTPS_PROXY", "no_proxy", "", true),
        ("https_proxy", "no_proxy", "localhost", false),
        ("HTTPS_PROXY", "NO_PROXY", "git.example.com,localhost", false),
        ("https_proxy", "no_proxy", "git.example.com", true),
    ];
    for (n, (variable, except, hosts, proxied)) in cases.into_iter().enumerate() {
        let url = server.url("/p.git");
        fetch_with(&url, &server.ca(), "knows no such repository", &[(variable, &address), (except, hosts)]);
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        assert_eq!(asked.len(), usize::from(proxied), "{variable} {except}={hosts}");
        // The proxy's own credentials, for it alone.
        assert!(asked.iter().all(|head| head.contains(DISGUISES[2])), "{asked:?}");
        assert_eq!(server.seen().len(), n + 1);
    }
}

#[test]
fn a_proxy_never_sees_a_repositorys_credentials() {
    let server = status(404);
    let (port, asked) = proxy();
    let address = format!("http://127.0.0.1:{port}");
    let url = server.url_with(&format!("ann:{}", DISGUISES[0]), "/p.git");
    fetch_with(&url, &server.ca(), "knows no such repository", &[("https_proxy", &address)]);
    let heads = std::mem::take(&mut *asked.lock().unwrap());
    assert_eq!(heads.len(), 1);
    assert_no_canary(&heads[0]);
    assert!(!heads[0].to_lowercase().contains("authorization"), "{heads:?}");
    assert!(server.seen()[0].header("authorization").is_some(), "the server does");

    let plain = Server::plain(|_| Reply::Status(404, Vec::new()));
    let url = plain.url_with(&format!("ann:{}", DISGUISES[0]), "/p.git");
    fetch_with(&url, &server.ca(), "not sent over plain http", &[("http_proxy", &address), ("ALL_PROXY", &address)]);
    assert_eq!((asked.lock().unwrap().len(), plain.seen().len()), (0, 0));
}
