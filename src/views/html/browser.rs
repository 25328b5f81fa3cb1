//! The report in a real browser: it breaks none of its own rules and asks for nothing.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::views::sample;

use super::scan;

/// What Chromium made of a page.
struct Visit {
    dom: String,
    /// Lines of the console, errors of the policy among them.
    console: Vec<String>,
    /// First lines of what it asked the network for.
    requests: Vec<String>,
}

fn visit(html: &str) -> Visit {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("report.html");
    std::fs::write(&page, html).expect("written");
    // Everything that leaves the browser has to come through here.
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = proxy.local_addr().expect("an address");
    let (dom, log) = chromium(&page, folder.path(), &address.to_string());
    proxy.set_nonblocking(true).expect("non-blocking");
    let mut requests = Vec::new();
    while let Ok((mut stream, _)) = proxy.accept() {
        let mut bytes = [0; 512];
        stream.set_nonblocking(false).expect("blocking");
        stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        let read = std::io::Read::read(&mut stream, &mut bytes).unwrap_or_default();
        requests.push(String::from_utf8_lossy(&bytes[..read]).lines().next().unwrap_or_default().to_owned());
    }
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Visit { dom, console, requests }
}

fn chromium(page: &Path, folder: &Path, proxy: &str) -> (String, String) {
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions"])
        .args(["--enable-logging=stderr", "--proxy-bypass-list=<-loopback>", "--virtual-time-budget=2000", "--dump-dom"])
        .arg(format!("--proxy-server=http://{proxy}"))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("Chromium is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A request that a page could have made; the browser's own services are none.
fn is_from_page(request: &str) -> bool {
    !["google.com", "googleapis.com", "gstatic.com", "gvt1.com"].iter().any(|host| request.contains(host))
}

#[test]
#[ignore = "needs Chromium: run tests/run"]
fn a_browser_finds_nothing_wrong_and_asks_for_nothing() {
    for report in [sample::drifted(), sample::hostile(), sample::in_sync()] {
        let html = scan(&report).expect("the template renders");
        let seen = visit(&html);
        assert!(seen.dom.contains("<h1 id=\"verdict\">") && seen.dom.contains("Driftledger 0.1.0"));
        assert_eq!(seen.dom.matches("<article").count(), report.findings.len());
        assert_eq!(seen.console, Vec::<String>::new());
        assert_eq!(seen.requests.into_iter().filter(|r| is_from_page(r)).collect::<Vec<_>>(), Vec::<String>::new());
    }
    // The same page with an intruder: the policy stops it, and this test would have seen it.
    let html = scan(&sample::in_sync()).expect("the template renders");
    let intruder = "<main><p style=\"color:red\">x</p><img src=\"http://evil.example/x.png\"><script>document.title='y'</script>";
    let seen = visit(&html.replacen("<main>", intruder, 1));
    assert!(seen.console.iter().any(|line| line.contains("Content Security Policy")), "{:?}", seen.console);
    assert!(!seen.requests.iter().any(|request| request.contains("evil.example")), "{:?}", seen.requests);
    assert!(!seen.dom.contains("<title>y</title>"));
    // Without the policy the picture is asked for: the proxy does see requests.
    let open = html.replacen("<main>", intruder, 1).replace("http-equiv=\"Content-Security-Policy\"", "name=\"none\"");
    let seen = visit(&open);
    assert!(seen.requests.iter().any(|request| request.contains("evil.example")), "{:?}", seen.requests);
}
