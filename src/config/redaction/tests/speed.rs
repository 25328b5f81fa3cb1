//! Redaction runs on every object: it has to cost little where nothing is secret.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

fn deployment() -> Value {
    let container = |n: usize| {
        json!({"name": format!("c{n}"), "image": "registry.example.com/shop/api:1.4.2", "imagePullPolicy": "IfNotPresent",
            "args": ["--config=/etc/app/config.yaml", "--listen=:8080", "--log-format=json"],
            "env": (0..8).map(|e| json!({"name": format!("SETTING_{e}"), "value": "some ordinary value"})).collect::<Vec<_>>(),
            "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, {"name": "secrets", "mountPath": "/etc/secrets"}]})
    };
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "a", "labels": {"app": "a"}, "annotations": {"checksum/config": "abc"}},
        "spec": {"replicas": 3, "template": {"spec": {"serviceAccountName": "api", "automountServiceAccountToken": false,
            "volumes": [{"name": "secrets", "secret": {"secretName": "db"}}],
            "containers": (0..4).map(container).collect::<Vec<_>>()}}}})
}

/// Beside parsing the same bytes. The bound is loose: other programs run beside a test, and unoptimised code tells little.
#[test]
fn costs_no_more_than_parsing() {
    let text = deployment().to_string();
    let (object, key, rules) = (object("Deployment.apps"), RedactionKey::from_bytes([1; 32]), rules());
    let mut tree: Value = serde_json::from_str(&text).unwrap();
    let rounds = 300;
    let best = |work: &mut dyn FnMut()| {
        let round = |work: &mut dyn FnMut()| {
            let start = Instant::now();
            (0..rounds).for_each(|_| work());
            start.elapsed()
        };
        (0..5).map(|_| round(work)).min().unwrap_or(Duration::MAX)
    };
    let parse = best(&mut || drop(std::hint::black_box(serde_json::from_str::<Value>(&text))));
    let redact = best(&mut || {
        std::hint::black_box(redact(&mut tree, &object, &key, &rules));
    });
    println!("{} bytes: parsing {:?}, redacting {:?}", text.len(), parse / rounds, redact / rounds);
    let bound = if cfg!(debug_assertions) { 12 } else { 2 };
    assert!(redact < parse * bound, "parsing {parse:?}, redacting {redact:?}");
}

/// Text made to be slow: every beginning of something secret, and none of the ends.
#[test]
fn hostile_texts_take_linear_time() {
    let texts = [
        "password=\"".repeat(20_000),
        "token: [".repeat(20_000),
        "tokens:\n- ".repeat(20_000),
        "token: |\n".repeat(20_000),
        "http://u:p".repeat(20_000),
        "-----BEGIN PRIVATE KEY-----".repeat(10_000),
        "<password>".repeat(20_000),
        "password".repeat(30_000),
        "name: password value: ".repeat(10_000),
        "auth=${x} ".repeat(20_000),
        "token=\\\"".repeat(20_000),
        "redacted:0badcafe:".repeat(10_000),
        "token:\n\n".repeat(20_000),
        "token: a\n ".repeat(20_000),
    ];
    for text in texts {
        let start = Instant::now();
        redacted("ConfigMap", json!({"data": {"a": text}}));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?} {}", start.elapsed(), &text[..20]);
    }
}
