//! Names of the world out there: credentials, and what only speaks of them.

use serde_json::json;

use super::redacted;
use crate::model::secret::is_token;

/// A value that nothing can be taken from: neither random nor a switch nor a path.
const VALUE: &str = "correct horse";
const RANDOM: &str = "k3bQx9Zp0LmN4vRt";
const SECRET_NAME: &str = "shop-database";

fn hides_setting(name: &str, value: &str) -> bool {
    is_token(&redacted("ConfigMap", json!({"data": {name: value}}))["data"][name])
}

fn hides_field(name: &str, value: &str) -> bool {
    is_token(&redacted("Widget.example.com", json!({"spec": {name: value}}))["spec"][name])
}

#[test]
fn credentials_are_hidden() {
    for name in [
        "password",
        "PASSWORD",
        "DB_PASSWORD",
        "dbPassword",
        "db.password",
        "spring.datasource.password",
        "MYSQL_ROOT_PASSWORD",
        "POSTGRES_PASSWORD",
        "PGPASSWORD",
        "GF_SECURITY_ADMIN_PASSWORD",
        "adminpassword",
        "password2",
        "PASSWORD_OLD",
        "PASSWORD_1",
        "passwd",
        "DB_PASSWD",
        "htpasswd",
        ".htpasswd",
        "passphrase",
        "KEY_PASSPHRASE",
        "MYSQL_PWD",
        "db_pwd",
        "DB_PASS",
        "SMTP_PASS",
        "pass",
        "requirepass",
        "masterauth",
        "bindPW",
        "LDAP_ADMIN_PW",
        "secret",
        "APP_SECRET",
        "client_secret",
        "clientSecret",
        "CLIENTSECRET",
        "OAUTH2_PROXY_CLIENT_SECRET",
        "OAUTH2_PROXY_COOKIE_SECRET",
        "JWT_SECRET",
        "JWT_SECRET_KEY",
        "SECRET_KEY_BASE",
        "DJANGO_SECRET_KEY",
        "secretKey",
        "AWS_SECRET_ACCESS_KEY",
        "aws_secret_access_key",
        "AWS_SESSION_TOKEN",
        "MINIO_SECRET_KEY",
        "MINIO_ROOT_PASSWORD",
        "API_KEY",
        "apiKey",
        "api-key",
        "apikey",
        "X-Api-Key",
        "DD_API_KEY",
        "DD_APP_KEY",
        "STRIPE_API_KEYS",
        "accessKey",
        "ACCOUNT_KEY",
        "storage_account_key",
        "ENCRYPTION_KEY",
        "signingKey",
        "MASTER_KEY",
        "MEILI_MASTER_KEY",
        "PRIVATE_KEY",
        "privateKey",
        "ssh_key",
        "tls.key",
        "NEW_RELIC_LICENSE_KEY",
        "token",
        "TOKEN",
        "GITHUB_TOKEN",
        "authToken",
        "authtoken",
        "bearerToken",
        "SLACK_BOT_TOKEN",
        "VAULT_TOKEN",
        "_authToken",
        "credentials",
        "GOOGLE_CREDENTIALS",
        "gcp-creds",
        "CONNECTION_STRING",
        "AZURE_STORAGE_CONNECTION_STRING",
        "connectionString",
        "SENTRY_DSN",
        "Authorization",
        "Proxy-Authorization",
        "RABBITMQ_ERLANG_COOKIE",
        "VAULT_SECRET_ID",
        "client-key-data",
        ".dockerconfigjson",
        "users[0].password",
        "WEBHOOK_KEY",
        "passwords",
        "tokens",
        "PASSWORD_HASH",
        "password.txt",
        "keystorePass",
        "backup-code",
    ] {
        assert!(hides_setting(name, VALUE), "{name}");
    }
}

#[test]
fn what_only_speaks_of_credentials_is_shown() {
    for name in [
        "tokenFile",
        "passwordFile",
        "PASSWORD_FILE",
        "POSTGRES_PASSWORD_FILE",
        "passwordfile",
        "secretName",
        "secretRef",
        "secretKeyRef",
        "tokenSecretRef",
        "TOKEN_URL",
        "tokenUrl",
        "tokenURL",
        "TOKEN_ENDPOINT",
        "automountServiceAccountToken",
        "passwordPolicy",
        "password.min.length",
        "PASSWORD_MIN_LENGTH",
        "TOKEN_PATH",
        "KEY_PATH",
        "privateKeyPath",
        "SSL_KEY_FILE",
        "maxTokens",
        "MAX_TOKENS",
        "max_tokens_per_request",
        "token_ttl",
        "tokenExpirationSeconds",
        "JWT_EXPIRES_IN",
        "SESSION_TIMEOUT",
        "SECRET_NAMESPACE",
        "secretStoreRef",
        "existingSecret",
        "imagePullSecrets",
        "IMAGE_PULL_SECRET",
        "tlsSecret",
        "credentialsProvider",
        "CREDENTIAL_PROVIDER_CLASS",
        "passwordEncoder",
        "TOKEN_ISSUER",
        "TOKEN_AUDIENCE",
        "publicKey",
        "PUBLIC_KEY",
        "public_key",
        "AWS_KEY_ID",
        "keyId",
        "apiKeyHeader",
        "API_KEY_NAME",
        "cookieName",
        "COOKIE_DOMAIN",
        "authType",
        "AUTH_MODE",
        "AUTH_ENABLED",
        "auth",
        "authMethod",
        "author",
        "authority",
        "authorizationUrl",
        "AUTHORIZATION_MODE",
        "compass",
        "bypass",
        "passthrough",
        "passive",
        "tokenizer",
        "tokenizerConfig",
        "secretary",
        "keyboard",
        "monkey",
        "keystore",
        "keystoreType",
        "PWD",
        "OLDPWD",
        "key",
        "keys",
        "name",
        "value",
        "signatureVersion",
        "session",
        "sessionAffinity",
        "credentials.json",
        "secrets.yaml",
        "application-secret.properties",
        "ssl_certificate",
        "TLS_CERT",
        "ca.crt",
        "token-config",
        "usernameKey",
        "passwordKey",
        "existingSecretPasswordKey",
        "secret-store",
        "host_key_checking",
        "proxy_pass",
        "service-account.name",
        "tokenReviewUrl",
        "",
        "-",
        "hash",
        "pin",
        "otp",
        "continue_token",
        "passwordResetMessage",
        "partition.key",
        "routing_key",
        "MAX_LOGIN_ATTEMPTS",
        "sort_key",
        "keyspace",
    ] {
        assert!(!hides_setting(name, VALUE), "{name}");
    }
}

#[test]
fn a_doubtful_name_hides_what_looks_like_a_credential() {
    for name in
        ["auth", "cookie", "salt", "routing_key", "signature", "jwt", "REDIS_AUTH", "session_id", "existingSecret"]
    {
        assert!(hides_setting(name, RANDOM), "{name}");
        assert!(!hides_setting(name, "basic"), "{name}");
    }
}

#[test]
fn a_value_that_is_no_secret_is_shown_under_any_name() {
    for value in
        ["", "true", "none", "${DB_PASSWORD}", "$(DB_PASSWORD)", "/run/secrets/db", "vault:secret/data/db#password"]
    {
        assert!(!hides_setting("password", value), "{value}");
    }
    for value in ["3600", "24h", "10"] {
        assert!(!hides_setting("token", value), "{value}");
        assert!(hides_setting("password", value), "{value}");
    }
}

#[test]
fn a_field_called_secret_mostly_names_one() {
    for name in ["secret", "tlsSecret", "credentialsSecret", "objectStorageSecret", "secrets", "awsCredentials"] {
        assert!(!hides_field(name, SECRET_NAME), "{name}");
        assert!(hides_field(name, RANDOM), "{name}");
    }
    for name in [
        "password",
        "adminPassword",
        "clientSecretKey",
        "token",
        "apiKey",
        "connectionString",
        "PASSWORD",
        "APP_SECRET",
    ] {
        assert!(hides_field(name, SECRET_NAME), "{name}");
    }
}
