//! Outputs held against what their readers use: the official schema of SARIF, an XML parser, Prometheus' own lint. `tests/run` gets
//! what these need and names what it cannot get.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{junit, metrics, sample, sarif};
use crate::model::outbox::MessageCounts;
use crate::model::report::ScanReport;

fn reports() -> [(&'static str, ScanReport); 4] {
    [
        ("drifted", sample::drifted()),
        ("in sync", sample::in_sync()),
        ("hostile", sample::hostile()),
        ("huge", sample::huge(2_000)),
    ]
}

/// Runs a program with a text on its stdin; what it said must be nothing but success.
fn accepts(what: &str, command: &mut Command, text: &str) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(what);
    let mut stdin = child.stdin.take().expect("a pipe");
    let text = text.to_owned();
    let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect(what);
    writing.join().expect("written").expect("written");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{what}: {said}");
}

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", script]);
    command
}

#[test]
#[ignore = "needs the schema of SARIF: run tests/run"]
fn with_sarif_schema_every_report_is_valid() {
    let schema = std::env::var("DRIFTLEDGER_TEST_SARIF_SCHEMA").expect("DRIFTLEDGER_TEST_SARIF_SCHEMA");
    let script = "import json, sys, jsonschema\n\
                  schema = json.load(open(sys.argv[1]))\n\
                  of = jsonschema.validators.validator_for(schema)\n\
                  checked = of(schema, format_checker=jsonschema.FormatChecker())\n\
                  for error in checked.iter_errors(json.load(sys.stdin)): print(list(error.path), error.message[:300])";
    for (name, mut report) in reports() {
        for target in &mut report.scan.targets {
            target.repository_url = Some("https://git.example.com/acme/platform.git".to_owned());
        }
        accepts(name, python(script).arg(&schema), &sarif::scan(&report));
    }
}

/// Not held against a schema: none is packaged. Counts and the names that `junit-10.xsd` knows are checked here.
#[test]
#[ignore = "needs Python: run tests/run"]
fn with_python_every_junit_report_is_read() {
    let script = "import sys, xml.etree.ElementTree as tree\n\
                  root = tree.fromstring(sys.stdin.buffer.read())\n\
                  known = {'testsuites': {'name', 'time', 'tests', 'failures', 'errors'},\n\
                  'testsuite': {'name', 'tests', 'failures', 'errors', 'skipped', 'timestamp'},\n\
                  'properties': set(), 'property': {'name', 'value'}, 'testcase': {'name', 'classname'},\n\
                  'failure': {'type', 'message'}, 'error': {'type', 'message'}, 'skipped': {'message'}}\n\
                  for element in root.iter():\n\
                  \x20   assert element.tag in known and set(element.attrib) <= known[element.tag], element.attrib\n\
                  for suite in [root, *root]:\n\
                  \x20   for counted, tag in (('failures', 'failure'), ('errors', 'error')):\n\
                  \x20       assert int(suite.get(counted)) == len(list(suite.iter(tag))), suite.attrib\n\
                  \x20   assert int(suite.get('tests')) >= len(list(suite.iter('testcase'))) > 0, suite.attrib";
    for (name, report) in reports() {
        accepts(name, &mut python(script), &junit::scan(&report));
    }
}

#[test]
#[ignore = "needs promtool: run tests/run"]
fn with_promtool_the_metrics_have_nothing_to_complain_of() {
    let promtool = std::env::var("DRIFTLEDGER_TEST_PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let messages = MessageCounts { waiting: 2, dead: 1, sent: 40, dropped: 0 };
    let ledger = metrics::LedgerState { messages, intact: true };
    for (name, report) in reports() {
        let text = metrics::scan(&report, Some(&ledger));
        accepts(name, Command::new(&promtool).args(["check", "metrics"]), &text);
    }
}
