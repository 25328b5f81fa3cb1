//! The test cluster, through kubectl.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A variable of the test cluster's `env` file.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start the test cluster and read its env file"))
}

pub struct Cluster {
    kubectl: String,
}

/// A live object as kubectl prints it, managedFields included.
pub type Live = Value;

impl Cluster {
    pub fn new() -> Self {
        Self { kubectl: variable("DRIFTLEDGER_TEST_KUBECTL") }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(arguments);
        command
    }

    /// Runs kubectl; its output, or what it said on stderr.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        self.with_input(arguments, "", &[])
    }

    pub fn with_input(&self, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl runs");
        // kubectl reads all of its input before it says much.
        let mut stdin = child.stdin.take().expect("stdin");
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("kubectl ends");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The live objects of several kinds (`deployments.v1.apps`) in all namespaces.
    pub fn live(&self, kinds: &[String]) -> Result<Vec<Live>, String> {
        let kinds = kinds.join(",");
        let text = self.kubectl(&["get", &kinds, "--all-namespaces", "--show-managed-fields", "-o", "json"])?;
        let mut list: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        Ok(list["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// The live objects once the controllers have come to rest: what they write in `status` is not waited for.
    pub fn settled(&self, kinds: &[String], ours: impl Fn(&Live) -> bool) -> Vec<Live> {
        let start = Instant::now();
        let mut last: Option<Vec<Live>> = None;
        loop {
            let now: Vec<Live> = self
                .live(kinds)
                .expect("the live objects can be read")
                .into_iter()
                .filter(|object| ours(object))
                .collect();
            let waiting =
                now.iter().any(|object| unobserved(object) || unscaled(object, &now) || unbound(object, &now));
            let same = last.as_ref().is_some_and(|last| same_content(last, &now));
            if same && !waiting {
                return now;
            }
            if start.elapsed() > Duration::from_secs(60) {
                eprintln!("truth: the controllers did not come to rest in a minute");
                return now;
            }
            last = Some(now);
            std::thread::sleep(Duration::from_millis(1500));
        }
    }

    /// Tries again for a while: what is served of a new definition takes a moment to reach every part of the server.
    pub fn until_it_works(&self, what: &str, mut attempt: impl FnMut() -> Result<(), String>) {
        for tries in 0.. {
            match attempt() {
                Ok(()) => return,
                Err(why) => assert!(tries < 20, "{what}: {why}"),
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

/// Whether its controller has not yet seen its present content.
fn unobserved(object: &Live) -> bool {
    let controlled = ["Deployment", "StatefulSet", "DaemonSet"].iter().any(|kind| object["kind"] == *kind);
    controlled && object["status"]["observedGeneration"] != object["metadata"]["generation"]
}

/// Whether an autoscaler has not yet brought its target within its bounds.
fn unscaled(object: &Live, all: &[Live]) -> bool {
    let least = object["spec"]["minReplicas"].as_i64().unwrap_or(1);
    let target = all.iter().find(|target| {
        target["kind"] == object["spec"]["scaleTargetRef"]["kind"]
            && target["metadata"]["name"] == object["spec"]["scaleTargetRef"]["name"]
            && target["metadata"]["namespace"] == object["metadata"]["namespace"]
    });
    let replicas = target.and_then(|target| target["spec"]["replicas"].as_i64());
    // None is how an autoscaler is told to stand by.
    object["kind"] == "HorizontalPodAutoscaler" && replicas.is_some_and(|n| n > 0 && n < least)
}

/// Whether a claim has a volume of its class that it is not bound to yet.
fn unbound(object: &Live, all: &[Live]) -> bool {
    let class = &object["spec"]["storageClassName"];
    object["kind"] == "PersistentVolumeClaim"
        && object["spec"]["volumeName"].is_null()
        && class.as_str().is_some_and(|class| !class.is_empty())
        && all.iter().any(|volume| volume["kind"] == "PersistentVolume" && volume["spec"]["storageClassName"] == *class)
}

fn same_content(a: &[Live], b: &[Live]) -> bool {
    let content = |object: &Live| {
        let mut object = object.clone();
        object["status"] = Value::Null;
        for field in ["resourceVersion", "managedFields"] {
            object["metadata"][field] = Value::Null;
        }
        object
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| content(a) == content(b))
}
