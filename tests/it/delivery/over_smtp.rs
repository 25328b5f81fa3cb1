//! What a mail server gets of scans.

use driftledger::model::outbox::MessageState;
use serde_json::json;

use super::world::World;
use crate::mail_server::{LOGIN, PASSWORD, Server, USER};

const ROUTES: &str = "routes:\n  - {name: rest, receivers: [team]}\n";
const MINUTE: i64 = 60;

fn receiver(server: &Server) -> String {
    format!(
        "  - name: team\n    timeout: 5s\n    mail:\n      from: 'Driftledger <drift@example.com>'\n      \
         to: [ops@example.com, audit@example.com]\n      smtp: {{host: localhost, port: {}, tls: starttls, \
         username: {USER}, passwordFile: secrets/password, caFile: {}}}\n",
        server.port,
        server.ca().display()
    )
}

#[test]
#[ignore = "needs aiosmtpd: run tests/run"]
fn a_scan_mails_what_it_found_and_what_a_server_that_was_away_missed() {
    let options = ["--tls", "starttls", "--login", LOGIN, "--utf8"];
    let server = Server::start(&options);
    let world = World::new(&[&receiver(&server)], ROUTES);
    world.file("secrets/password", &format!("{PASSWORD}\n"));
    assert_eq!(world.scan().code, 0);
    assert_eq!(server.taken().len(), 1, "that it begins");
    world.later(5 * MINUTE);
    world.image("registry.test/api:debug", "kubectl-edit");
    assert_eq!(world.scan().code, 1);
    let [_, mail] = server.taken().try_into().expect("two mails");
    assert_eq!(mail["to"], json!(["ops@example.com", "audit@example.com"]), "{mail:#}");
    let text = server.raw(2).replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
    for words in [
        "CRITICAL",
        "shop/api: image not from Git",
        "registry.test/api:1.8.2",
        "registry.test/api:debug",
        "kubectl-edit",
        "List-Id:",
        "Auto-Submitted: auto-generated",
        "text/html",
        "Seal #",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }

    // The server is away: what was to be told waits, and the scan says so.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("a port").port();
    world.configure(
        &[&receiver(&server).replace(&format!("port: {},", server.port), &format!("port: {closed},"))],
        ROUTES,
    );
    world.later(5 * MINUTE);
    world.image("registry.test/api:1.8.2", "argocd-controller");
    let said = world.scan();
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(said.err.contains("not delivered: message 3 to team") && said.err.contains("localhost"), "{}", said.err);
    let [waiting] = world.outbox().try_into().expect("one message");
    assert!(matches!(waiting.state, MessageState::Waiting { .. }), "{waiting:?}");

    world.configure(&[&receiver(&server)], ROUTES);
    world.later(60 * MINUTE);
    assert_eq!(world.scan().code, 0);
    assert_eq!(server.taken().len(), 3);
    assert!(server.raw(3).contains("RESOLVED"), "{}", server.raw(3));
    world.later(60 * MINUTE);
    world.scan();
    assert_eq!(server.taken().len(), 3, "once");
    world.assert_clean();
}
