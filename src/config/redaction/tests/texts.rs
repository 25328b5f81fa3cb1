//! Secrets inside texts of all formats: hidden, and the rest left as it is.

use serde_json::{Value, json};

use super::redacted;
use crate::model::secret::inside_of;

/// Redacts a text in a ConfigMap and writes each token as `‹name›`.
fn shown(text: &str) -> String {
    let value = redacted("ConfigMap", json!({"data": {"app.conf": text}}));
    let Value::String(text) = &value["data"]["app.conf"] else { panic!("{value}") };
    let mut out = String::new();
    let mut at = 0;
    for token in inside_of(text) {
        out.push_str(&text[at..token.start]);
        out.push_str(&format!("‹{}›", token.name));
        at = token.end;
    }
    out + &text[at..]
}

/// Case, text, what is shown of it.
fn table(cases: &[(&str, &str, &str)]) {
    for (case, text, expected) in cases {
        assert_eq!(shown(text), *expected, "{case}");
    }
}

#[test]
fn properties_and_env_files() {
    table(&[
        ("properties", "a=1\ndb.password=hunter2\nb=2\n", "a=1\ndb.password=‹db.password›\nb=2\n"),
        ("colon", "db.password: hunter2\n", "db.password: ‹db.password›\n"),
        ("tight colon", "x=1\ndb.password:hunter2\n", "x=1\ndb.password:‹db.password›\n"),
        ("blanks", "db.password = hunter 2 \nx=1", "db.password = ‹db.password› \nx=1"),
        ("blank as separator", "port 6379\nrequirepass hunter2\n", "port 6379\nrequirepass ‹requirepass›\n"),
        ("continued", "password=hunter\\\n  2\nx=1\n", "password=‹password›\nx=1\n"),
        ("windows", "password=hunter2\r\nx=1\r\n", "password=‹password›\r\nx=1\r\n"),
        ("env", "USER=x\nDB_PASSWORD=hunter2\n", "USER=x\nDB_PASSWORD=‹DB_PASSWORD›\n"),
        ("quoted", "DB_PASSWORD=\"hunter 2\"\nX=1", "DB_PASSWORD=\"‹DB_PASSWORD›\"\nX=1"),
        ("single quotes", "DB_PASSWORD='it''s'\nX=1", "DB_PASSWORD='‹DB_PASSWORD›'\nX=1"),
        ("escaped quote", "DB_PASSWORD=\"a\\\"b\"\nX=1", "DB_PASSWORD=\"‹DB_PASSWORD›\"\nX=1"),
        ("export", "export DB_PASSWORD=hunter2\necho x", "export DB_PASSWORD=‹DB_PASSWORD›\necho x"),
        ("comment", "# password=hunter2\n", "# password=‹password›\n"),
        ("delimiters inside", "password=a,b;c&d e\nx=1", "password=‹password›\nx=1"),
        ("empty", "password=\nuser=x\n", "password=\nuser=x\n"),
        ("reference", "password=${DB_PASSWORD}\n", "password=${DB_PASSWORD}\n"),
        ("default of a reference", "p=${DB_PASSWORD:-hunter2}\n", "p=${DB_PASSWORD:-‹DB_PASSWORD›}\n"),
        ("default as Spring has it", "p: ${db.password:hunter2}\n", "p: ${db.password:‹db.password›}\n"),
        ("no value at all", "the password\nnext line\n", "the password\nnext line\n"),
        ("comparison", "if [ $PASSWORD == hunter2 ]\n", "if [ $PASSWORD == hunter2 ]\n"),
    ]);
}

#[test]
fn ini_and_toml() {
    table(&[
        ("ini", "[db]\npassword = hunter2\nport = 1\n", "[db]\npassword = ‹password›\nport = 1\n"),
        ("section", "[password]\nlength = 8\n", "[password]\nlength = 8\n"),
        ("toml", "password = \"hunter2\" # note\nport = 1\n", "password = \"‹password›\" # note\nport = 1\n"),
        (
            "toml of lines",
            "password = \"\"\"\nhunter\n2\"\"\"\nport = 1\n",
            "password = \"\"\"‹password›\"\"\"\nport = 1\n",
        ),
        ("toml list", "tokens = [\"a1b\", 'c2d']\nport = 1\n", "tokens = [\"‹tokens›\", '‹tokens›']\nport = 1\n"),
        (
            "toml inline table",
            "db = { user = \"x\", password = \"hunter2\" }\n",
            "db = { user = \"x\", password = \"‹password›\" }\n",
        ),
    ]);
}

#[test]
fn yaml() {
    table(&[
        ("plain", "db:\n  password: hunter2\n  port: 1\n", "db:\n  password: ‹password›\n  port: 1\n"),
        ("quoted", "password: \"hunter2\"\n", "password: \"‹password›\"\n"),
        ("in a list", "- password: hunter2\n  user: x\n", "- password: ‹password›\n  user: x\n"),
        ("quoted key", "\"password\": hunter2\nuser: x\n", "\"password\": ‹password›\nuser: x\n"),
        ("flow", "db: {password: hunter 2, user: x}\n", "db: {password: ‹password›, user: x}\n"),
        ("block", "password: |\n  hunter\n\n  two\nuser: x\n", "password: |\n  ‹password›\nuser: x\n"),
        (
            "folded block in a list",
            "- token: >-\n    abc\n    def\n  user: x\n",
            "- token: >-\n    ‹token›\n  user: x\n",
        ),
        ("continued plain", "password: hunter\n  two\nuser: x\n", "password: ‹password›\nuser: x\n"),
        ("below", "password:\n  hunter2\nuser: x\n", "password:\n  ‹password›\nuser: x\n"),
        ("list below", "tokens:\n- abc1\n- \"def2\"\nuser: x\n", "tokens:\n- ‹tokens›\n- \"‹tokens›\"\nuser: x\n"),
        ("list", "tokens: [abc1, def2]\n", "tokens: [‹tokens›, ‹tokens›]\n"),
        ("mapping below", "secret:\n  name: x\n  password: hunter2\n", "secret:\n  name: x\n  password: ‹password›\n"),
        ("mapping", "password: {secretRef: x}\n", "password: {secretRef: x}\n"),
        ("null", "password: ~\ntoken: null\n", "password: ~\ntoken: null\n"),
        ("template", "password: {{ .Values.password }}\n", "password: {{ .Values.password }}\n"),
        (
            "variable",
            "- name: DB_PASSWORD\n  value: hunter2\n- name: B\n",
            "- name: DB_PASSWORD\n  value: ‹DB_PASSWORD›\n- name: B\n",
        ),
        (
            "variable in flow",
            "- {name: DB_PASSWORD, value: hunter2}\n",
            "- {name: DB_PASSWORD, value: ‹DB_PASSWORD›}\n",
        ),
        ("variable from elsewhere", "- name: DB_PASSWORD\n  valueFrom: x\n", "- name: DB_PASSWORD\n  valueFrom: x\n"),
    ]);
}

#[test]
fn json() {
    table(&[
        ("tight", r#"{"user":"x","password":"hunter2","n":1}"#, r#"{"user":"x","password":"‹password›","n":1}"#),
        ("number", r#"{"password":123456,"n":1}"#, r#"{"password":‹password›,"n":1}"#),
        (
            "pretty",
            "{\n  \"password\": \"hunter2\",\n  \"n\": 1\n}",
            "{\n  \"password\": \"‹password›\",\n  \"n\": 1\n}",
        ),
        ("escapes", r#"{"password":"a\"b\\","n":"x"}"#, r#"{"password":"‹password›","n":"x"}"#),
        ("list", r#"{"tokens": ["a1", "b2"], "n": 1}"#, r#"{"tokens": ["‹tokens›", "‹tokens›"], "n": 1}"#),
        ("switch", r#"{"password":null,"token":true}"#, r#"{"password":null,"token":true}"#),
        ("object", r#"{"password":{"name":"x"}}"#, r#"{"password":{"name":"x"}}"#),
        (
            "in json",
            r#"{"c":"{\"password\":\"hunter2\",\"n\":1}"}"#,
            r#"{"c":"{\"password\":\"‹password›\",\"n\":1}"}"#,
        ),
        (
            "variable",
            r#"[{"name":"DB_PASSWORD","value":"hunter2"}]"#,
            r#"[{"name":"DB_PASSWORD","value":"‹DB_PASSWORD›"}]"#,
        ),
        (
            "registry",
            r#"{"auths":{"r.io":{"auth":"dXNlcjpwYXNzd29yZA=="}}}"#,
            r#"{"auths":{"r.io":{"auth":"‹auth›"}}}"#,
        ),
    ]);
}

#[test]
fn xml_shell_and_the_rest() {
    table(&[
        ("element", "<a><password>hunter2</password><n>1</n></a>", "<a><password>‹password›</password><n>1</n></a>"),
        ("attribute", "<db user=\"x\" password=\"hunter2\"/>", "<db user=\"x\" password=\"‹password›\"/>"),
        (
            "property",
            "<property name=\"db.password\" value=\"h2\"/>",
            "<property name=\"db.password\" value=\"‹db.password›\"/>",
        ),
        (
            "hadoop",
            "<name>fs.s3a.secret.key</name>\n<value>h2</value>",
            "<name>fs.s3a.secret.key</name>\n<value>‹fs.s3a.secret.key›</value>",
        ),
        ("flag", "mysql --user=x --password=hunter2 db\n", "mysql --user=x --password=‹password› db\n"),
        ("flag and blank", "run --password hunter2 --x\n", "run --password ‹password› --x\n"),
        ("arguments in json", "[\"--password\", \"hunter2\", \"--x\"]", "[\"--password\", \"‹password›\", \"--x\"]"),
        ("arguments in yaml", "- --password\n- hunter2\n- --x\n", "- --password\n- ‹password›\n- --x\n"),
        ("flag without value", "mysql --password --user x\n", "mysql --password --user x\n"),
        ("java", "java -Ddb.password=hunter2 -jar x\n", "java -Ddb.password=‹db.password› -jar x\n"),
        ("java alone", "-Dpassword=hunter2", "-Dpassword=‹password›"),
        (
            "header",
            "curl -H \"Authorization: Bearer a.b\" http://x",
            "curl -H \"Authorization: ‹Authorization›\" http://x",
        ),
        ("in quotes", "run \"DB_PASSWORD=a, b\" x\n", "run \"DB_PASSWORD=‹DB_PASSWORD›\" x\n"),
        ("libpq", "host=a password=hunter2 port=1\n", "host=a password=‹password› port=1\n"),
        ("ado", "Server=a;Password=hunter 2;Port=1\n", "Server=a;Password=‹Password›;Port=1\n"),
        ("query", "http://x/?user=a&password=hunter2&n=1 y", "http://x/?user=a&password=‹password›&n=1 y"),
        ("php", "$db_password = 'hunter2';\n$x = 1;\n", "$db_password = '‹db_password›';\n$x = 1;\n"),
        ("php array", "$c['password'] = 'hunter2';\n", "$c['password'] = '‹password›';\n"),
        ("ruby", "{ :password => \"hunter2\" }", "{ :password => \"‹password›\" }"),
        ("sql", "ALTER ROLE shop PASSWORD 'hunter2';\n", "ALTER ROLE shop PASSWORD '‹PASSWORD›';\n"),
        ("mysql", "CREATE USER x IDENTIFIED BY 'hunter2';\n", "CREATE USER x IDENTIFIED BY '‹password›';\n"),
        ("netrc", "machine h login u password hunter2\n", "machine h login u password ‹password›\n"),
        ("npm", "//registry.npmjs.org/:_authToken=abc\n", "//registry.npmjs.org/:_authToken=‹_authToken›\n"),
        ("nginx", "  proxy_pass http://api:8080;\n", "  proxy_pass http://api:8080;\n"),
        ("helm", "--set a=b,auth.password=hunter2,c=d", "--set a=b,auth.password=‹auth.password›,c=d"),
        ("prose", "The token: see below. No secret here.\n", "The token: see below. No secret here.\n"),
        (
            "metrics",
            "sum(rate(token_requests_total[5m])) by (token)\n",
            "sum(rate(token_requests_total[5m])) by (token)\n",
        ),
    ]);
}

#[test]
fn urls() {
    table(&[
        ("password", "postgres://shop:hunter2@db:5432/shop", "postgres://shop:‹url-password›@db:5432/shop"),
        ("no user", "redis://:hunter2@redis:6379/0", "redis://:‹url-password›@redis:6379/0"),
        ("at in password", "amqp://u:a@b@mq:5672", "amqp://u:‹url-password›@mq:5672"),
        ("slash in password", "amqp://u:a/b@mq:5672", "amqp://u:‹url-password›@mq:5672"),
        ("reference", "postgres://shop:$(DB_PASSWORD)@db/shop", "postgres://shop:$(DB_PASSWORD)@db/shop"),
        ("port", "http://api:8080/users/@me", "http://api:8080/users/@me"),
        ("user only", "ssh://git@example.com/x", "ssh://git@example.com/x"),
        ("token as user", "https://0123456789abcdef0123456789abcdef@sentry.io/1", "https://‹url-user›@sentry.io/1"),
        ("several", "a=http://u:p1@x\nb=http://u:p2@y\n", "a=http://u:‹url-password›@x\nb=http://u:‹url-password›@y\n"),
        ("go", "shop:hunter2@tcp(db:3306)/shop", "shop:‹url-password›@tcp(db:3306)/shop"),
    ]);
}

#[test]
fn shapes() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----\n";
    let shown_pem = "-----BEGIN RSA PRIVATE KEY-----\n‹private-key›\n-----END RSA PRIVATE KEY-----\n";
    table(&[
        ("aws", "id AKIAIOSFODNN7EXAMPLE end", "id ‹aws-access-key› end"),
        ("github", "x ghp_0123456789abcdefghijABCDEFGHIJ012345 y", "x ‹github-token› y"),
        ("slack", "xoxb-123456789012-abcdefGHIJ", "‹slack-token›"),
        ("jwt", "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF_- y", "x ‹json-web-token› y"),
        ("hook", "https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/‹slack-webhook›"),
        ("pem", pem, shown_pem),
        (
            "certificate",
            "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n",
        ),
        ("disk is no key", "disk-0123456789abcdefghij0123", "disk-0123456789abcdefghij0123"),
        ("a token of ours", "x redacted:0badcafe:1a2b3c4d5e6f(password) y", "x ‹redacted› y"),
    ]);
}

#[test]
fn a_whole_configuration_stays_readable() {
    let text = "server:\n  port: 8080\nspring:\n  datasource:\n    url: jdbc:postgresql://db/shop?user=shop&password=hunter2\n    username: shop\n    password: hunter2\nsecurity:\n  token-ttl: 3600\n  jwt:\n    secret: s3cr3t\n";
    assert_eq!(
        shown(text),
        "server:\n  port: 8080\nspring:\n  datasource:\n    url: jdbc:postgresql://db/shop?user=shop&password=‹password›\n    username: shop\n    password: ‹password›\nsecurity:\n  token-ttl: 3600\n  jwt:\n    secret: ‹secret›\n"
    );
}
