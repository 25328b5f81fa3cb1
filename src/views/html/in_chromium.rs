//! The report in a real browser: it breaks none of its own rules and asks for nothing.

use std::fs::File;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

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
    let (sender, asked) = mpsc::channel();
    // It notes what is asked for, answers nothing and hangs up. It ends with the test.
    std::thread::spawn(move || {
        for mut stream in proxy.incoming().flatten() {
            let mut bytes = [0; 512];
            let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
            let read = stream.read(&mut bytes).unwrap_or_default();
            let request = String::from_utf8_lossy(&bytes[..read]).lines().next().unwrap_or_default().to_owned();
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    let (dom, log) = chromium(&page, folder.path(), &address.to_string());
    let requests = asked.try_iter().collect();
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Visit { dom, console, requests }
}

fn chromium(page: &Path, folder: &Path, proxy: &str) -> (String, String) {
    let (dom, log) = (folder.join("dom"), folder.join("log"));
    let file = |path| File::create(path).expect("a file");
    let mut child = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions"])
        .args(["--enable-logging=stderr", "--proxy-bypass-list=<-loopback>", "--timeout=10000", "--dump-dom"])
        .arg(format!("--proxy-server=http://{proxy}"))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .stdout(file(&dom))
        .stderr(file(&log))
        .spawn()
        .expect("Chromium is installed");
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break status,
            None if start.elapsed() > Duration::from_secs(60) => {
                child.kill().expect("killed");
                child.wait().expect("ended");
                panic!("Chromium did not end");
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    let read = |path| String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned();
    assert!(status.success(), "{}", read(&log));
    (read(&dom), read(&log))
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
    let intruder =
        "<main><p style=\"color:red\">x</p><img src=\"http://evil.example/x.png\"><script>document.title='y'</script>";
    let seen = visit(&html.replacen("<main>", intruder, 1));
    assert!(seen.console.iter().any(|line| line.contains("Content Security Policy")), "{:?}", seen.console);
    assert!(!seen.requests.iter().any(|request| request.contains("evil.example")), "{:?}", seen.requests);
    assert!(!seen.dom.contains("<title>y</title>"));
    // Without the policy the picture is asked for: the proxy does see requests.
    let open = html.replacen("<main>", intruder, 1).replace("http-equiv=\"Content-Security-Policy\"", "name=\"none\"");
    let seen = visit(&open);
    assert!(seen.requests.iter().any(|request| request.contains("evil.example")), "{:?}", seen.requests);
}
