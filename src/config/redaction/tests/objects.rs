//! Where in an object a credential may stand.

use base64::Engine as _;
use serde_json::json;

use super::*;
use crate::model::secret::{LAST_APPLIED, is_token, redaction_note};

const CANARY: &str = "CANARY-9d1x";

fn coded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn no_form_of_a_credential_survives_in_any_kind() {
    let deployment = json!({"spec": {"template": {"spec": {"containers": [{
        "name": "api",
        "args": ["--user", "shop", "--password", CANARY, format!("--token={CANARY}")],
        "command": ["sh", "-c", format!("mysql -u x --password={CANARY} db")],
        "env": [
            {"name": "DB_PASSWORD", "value": CANARY},
            {"name": "JAVA_OPTS", "value": format!("-Xmx1g -Ddb.password={CANARY}")},
            {"name": "DATABASE_URL", "value": format!("postgres://shop:{CANARY}@db/shop")},
        ],
        "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": format!("Basic {CANARY}")}]}},
    }]}}}});
    let applied = deployment.to_string();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n");
    for (kind, value) in [
        ("Deployment.apps", deployment.clone()),
        ("Deployment.apps", json!({"metadata": {"annotations": {LAST_APPLIED: applied}}})),
        ("Deployment.apps", json!({"metadata": {"annotations": {LAST_APPLIED: format!("broken password={CANARY}")}}})),
        ("Deployment.apps", json!({"metadata": {"annotations": {"kapp.k14s.io/original": applied}}})),
        ("Widget.example.com", json!({"spec": {"pod": deployment}})),
        ("Widget.example.com", json!({"spec": {"password": CANARY, "tokens": [CANARY], "list": [{"apiKey": CANARY}]}})),
        ("Widget.example.com", json!({"spec": {"values": format!("db:\n  password: {CANARY}\n")}})),
        ("Widget.example.com", json!({"spec": {"env": {"DB_PASSWORD": CANARY}, "user": {"password": [[CANARY]]}}})),
        (
            "Application.argoproj.io",
            json!({"spec": {"source": {"helm": {"parameters": [{"name": "db.password", "value": CANARY}]}}}}),
        ),
        ("ConfigMap", json!({"data": {"password": CANARY}})),
        ("ConfigMap", json!({"data": {"a.properties": format!("x=1\npassword={CANARY}\n"), "b.pem": pem}})),
        (
            "ConfigMap",
            json!({"binaryData": {"password": coded(CANARY), "a.yaml": coded(&format!("password: {CANARY}\n"))}}),
        ),
        ("ConfigMap", json!({"binaryData": {"password": CANARY}})),
        ("ConfigMap", json!({"data": [format!("password={CANARY}")]})),
        (
            "ConfigMap",
            json!({"metadata": {"annotations": {"example.com/api-token": CANARY}, "labels": {"token": CANARY}}}),
        ),
        (
            "Secret",
            json!({"metadata": {"annotations": {"note": format!("password={CANARY}")}}, "data": {"a": coded(CANARY)}}),
        ),
    ] {
        let text = redacted(kind, value.clone()).to_string();
        let parts = [CANARY.to_owned(), coded(CANARY), coded(&format!("password: {CANARY}\n"))];
        assert!(parts.iter().all(|part| !text.contains(part.trim_end_matches('='))), "{kind} {value}\n{text}");
    }
}

#[test]
fn ordinary_objects_stay_as_they_are() {
    for (kind, value) in [
        (
            "Deployment.apps",
            json!({"spec": {"template": {"spec": {
                "automountServiceAccountToken": false,
                "serviceAccountName": "api",
                "imagePullSecrets": [{"name": "regcred"}],
                "containers": [{
                    "image": "registry.example.com/token-service:1.2",
                    "env": [
                        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                        {"name": "TOKEN_URL", "value": "https://sso.example.com/token"},
                        {"name": "PASSWORD_FILE", "value": "/run/secrets/password"},
                        {"name": "DATABASE_URL", "value": "postgres://shop:$(DB_PASSWORD)@db/shop"},
                    ],
                    "args": ["--tls-private-key-file=/certs/tls.key", "--token-ttl=1h", "--secret-name", "db"],
                }],
                "tolerations": [{"key": "token", "operator": "Equal", "value": "yes-please"}],
                "volumes": [{"secret": {"secretName": "db"}}, {"projected": {"sources": [
                    {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}]}}],
            }}}}),
        ),
        (
            "ClusterRole.rbac.authorization.k8s.io",
            json!({"rules": [{"resources": ["secrets"], "verbs": ["get"], "resourceNames": ["token"]}]}),
        ),
        (
            "Ingress.networking.k8s.io",
            json!({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/auth-secret": "basic-auth"}},
            "spec": {"tls": [{"secretName": "tls"}]}}),
        ),
        (
            "ExternalSecret.external-secrets.io",
            json!({"spec": {"data": [{"secretKey": "password", "remoteRef": {"key": "db", "property": "password"}}]}}),
        ),
        ("SealedSecret.bitnami.com", json!({"spec": {"encryptedData": {"password": "AgB7kq3bQx9Zp0LmN4vRt"}}})),
        (
            "CustomResourceDefinition.apiextensions.k8s.io",
            json!({"spec": {"schema": {"description": "Token: the token. password=secret"}}}),
        ),
        ("Certificate.cert-manager.io", json!({"spec": {"secretName": "tls", "privateKey": {"algorithm": "RSA"}}})),
        ("ClusterIssuer.cert-manager.io", json!({"spec": {"acme": {"privateKeySecretRef": {"name": "x"}}}})),
        (
            "ServiceMonitor.monitoring.coreos.com",
            json!({"spec": {"endpoints": [{"bearerTokenFile": "/var/run/secrets/token",
            "basicAuth": {"password": {"name": "x", "key": "password"}}}]}}),
        ),
        (
            "Pod",
            json!({"metadata": {"annotations": {"checksum/secret": "9f86d081884c7d659a2feaa0c55ad015", "vault.hashicorp.com/role": "x"}}}),
        ),
        (
            "ConfigMap",
            json!({"data": {"nginx.conf": "location / {\n  proxy_pass http://api;\n  auth_basic_user_file /etc/htpasswd;\n}\n"},
            "binaryData": {"logo.png": "iVBORw0KGgo="}}),
        ),
    ] {
        assert_eq!(redacted(kind, value.clone()), value, "{kind}");
    }
}

#[test]
fn the_rest_of_a_text_is_compared_and_lines_elsewhere_change_no_token() {
    let of = |text: &str| {
        redacted("ConfigMap", json!({"data": {"app.env": text}}))["data"]["app.env"].as_str().unwrap().to_owned()
    };
    let git = of("LOG=info\nDB_PASSWORD=hunter2\nAPI_KEY=k1\n");
    let live = of("LOG=debug\nAPI_KEY=k2\nEXTRA=1\nDB_PASSWORD=hunter2\n");
    let line = |text: &str, start: &str| text.lines().find(|l| l.starts_with(start)).unwrap().to_owned();
    assert_eq!(line(&git, "DB_PASSWORD"), line(&live, "DB_PASSWORD"));
    assert_ne!(line(&git, "API_KEY"), line(&live, "API_KEY"));
    assert!(git.starts_with("LOG=info\n") && live.starts_with("LOG=debug\n"));
    assert_eq!(
        redaction_note(Some(&git.into()), Some(&live.into())).unwrap(),
        "2 values in it are redacted: DB_PASSWORD, API_KEY (API_KEY differs)"
    );
}

#[test]
fn a_live_value_that_is_written_like_a_token_is_not_taken_for_the_secret() {
    for object in [
        json!({"data": {"password": "hunter2"}}),
        json!({"data": {"a.env": "x=1\npassword=hunter2\n"}}),
        json!({"data": {"a.txt": "id AKIAIOSFODNN7EXAMPLE x"}}),
        json!({"data": {"a.json": "{\"auth\": \"dXNlcjpwYXNzd29yZA==\"}"}}),
    ] {
        let git = redacted("ConfigMap", object);
        assert_ne!(redacted("ConfigMap", git.clone()), git);
    }
}

#[test]
fn text_and_number_are_two_values() {
    let of = |value: Value| redacted("Widget.example.com", json!({"spec": {"password": value}}));
    assert_ne!(of(json!(123456)), of(json!("123456")));
    assert!(is_token(&of(json!(123456))["spec"]["password"]));
}

#[test]
fn what_sops_encrypted_outside_a_secret_compares_by_presence_too() {
    let value = redacted("ConfigMap", json!({"data": {"password": "ENC[AES256_GCM,data:x,type:str]"}}));
    assert_eq!(value["data"]["password"], crate::model::secret::SOPS_TOKEN);
}

#[test]
fn the_configuration_adds_and_excepts() {
    let raw = RawCredentialNames {
        defaults: None,
        names: vec!["acme-code".into(), "tokenUrl".into()],
        except: vec!["demoPassword".into(), "ConfigMap .data.token".into(), r#".spec.users["*"].password"#.into()],
    };
    let rules = RedactionRules { names: names(Some(&raw)).unwrap(), ..RedactionRules::default() };
    let of = |kind: &str, mut value: Value| {
        redact(&mut value, &object(kind), &RedactionKey::from_bytes([1; 32]), &rules);
        value
    };
    let data = of(
        "ConfigMap",
        json!({"data": {"ACME_CODE": "x1", "tokenUrl": "x2", "demo_password": "x3", "token": "x4", "api-key": "x5"}}),
    );
    let hidden: Vec<&str> =
        data["data"].as_object().unwrap().iter().filter(|(_, v)| is_token(v)).map(|(k, _)| k.as_str()).collect();
    assert_eq!(hidden, ["ACME_CODE", "api-key", "tokenUrl"]);
    let spec = of("Widget.example.com", json!({"spec": {"users": [{"password": "x1"}], "password": "x2"}}));
    assert_eq!(spec["spec"]["users"][0]["password"], "x1");
    assert!(is_token(&spec["spec"]["password"]));
}
