//! What a value says of itself, whatever its name: evidently no secret, or evidently made by a machine to be one.

/// True for what cannot be a secret under any name: nothing, a switch, a reference to where the secret is.
pub(super) fn is_no_secret(value: &str) -> bool {
    let value = value.trim();
    // A comment behind a reference is not part of it.
    let bare = value.split_once(" #").map_or(value, |(before, _)| before.trim_end());
    value.is_empty() || is_switch(bare) || is_reference(bare) || is_path(bare)
}

fn is_switch(value: &str) -> bool {
    const WORDS: [&str; 14] =
        ["true", "false", "yes", "no", "on", "off", "null", "none", "nil", "~", "enabled", "disabled", "{}", "[]"];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word)) || value.bytes().all(|b| b == b'*')
}

/// A number or a length of time: no token, though maybe a password.
pub(super) fn is_small_number(value: &str) -> bool {
    let digits = value.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let unit = &value[digits..];
    (1..=6).contains(&digits) && matches!(unit, "" | "ms" | "s" | "m" | "h" | "d" | "k" | "K" | "M" | "Ki" | "Mi" | "%")
}

/// `${NAME}`, `$(NAME)`, `%(name)s`, `{{ .Values.x }}`, and the ways in which secret managers are named.
fn is_reference(value: &str) -> bool {
    let name = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/' | b' '))
    };
    let between = |open: &str, close: &str| {
        let inner = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(name)
    };
    if between("${", "}") || between("$(", ")") || between("%(", ")s") {
        return true;
    }
    if let Some(inner) = value.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
        // A text inside a template may be the secret itself.
        return !inner.contains(['"', '\'', '`']) && !inner.contains("}}");
    }
    const SCHEMES: [&str; 10] = [
        "vault:",
        "ref+",
        "op://",
        "arn:aws:",
        "sm://",
        "gcp:secretmanager:",
        "secretref:",
        "file:/",
        "awssm://",
        "azurekeyvault://",
    ];
    let known = SCHEMES.iter().any(|scheme| value.starts_with(scheme));
    known && !value.contains(char::is_whitespace) && value.contains('/')
}

/// `/etc/app/token`, `./token`: where a secret is. Random base64 that begins with a slash is none.
fn is_path(value: &str) -> bool {
    const ROOTS: [&str; 16] = [
        "etc", "run", "var", "mnt", "opt", "usr", "home", "tmp", "app", "data", "config", "secrets", "secret", "vault",
        "root", "certs",
    ];
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    let mut parts = value.split('/');
    let rooted = match parts.next() {
        Some("") => parts.next().is_some_and(|root| ROOTS.contains(&root)) && value.matches('/').count() > 1,
        Some("." | ".." | "~") => true,
        _ => false,
    };
    rooted && parts.all(plain)
}

/// Whether a text looks as if a machine had made it: long, without blanks, of letters and digits without words.
pub(super) fn is_random(value: &str) -> bool {
    let value = value.trim();
    let allowed = |b: u8| b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b'{' | b'}' | b'<' | b'>' | b',' | b'"');
    if value.len() < 12 || !value.bytes().all(allowed) || value.contains("://") || is_made_of_words(value) {
        return false;
    }
    let class = |b: u8| {
        if b.is_ascii_digit() {
            0
        } else if b.is_ascii_uppercase() {
            1
        } else if b.is_ascii_lowercase() {
            2
        } else {
            3
        }
    };
    let classes: [usize; 4] = value.bytes().fold([0; 4], |mut seen, b| {
        seen[class(b)] += 1;
        seen
    });
    let mixed = classes[..3].iter().filter(|n| **n > 0).count() >= 2;
    mixed && entropy(value) >= 2.8
}

/// `redis-0`, `my-app.shop.svc`, `HS256`, `camelCaseWords`: parts of letters with at most a few digits behind them.
fn is_made_of_words(value: &str) -> bool {
    value.split(|c: char| !c.is_ascii_alphanumeric()).all(|part| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = part.len() - letters.len();
        let capitals = letters.bytes().filter(u8::is_ascii_uppercase).count();
        let one_case = capitals <= 1 || capitals == letters.len();
        // Names in camel case have a capital every few letters, random ones every other.
        let camel = capitals * 4 <= letters.len();
        letters.bytes().all(|b| b.is_ascii_alphabetic()) && digits <= 4 && letters.len() <= 24 && (one_case || camel)
    })
}

/// Bits for each byte.
fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    value.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let all = value.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / all).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_switches_and_paths_are_no_secrets() {
        for value in [
            "",
            " ",
            "true",
            "No",
            "none",
            "****",
            "${DB_PASSWORD}",
            "$(DB_PASSWORD)",
            "%(password)s",
            "{{ .Values.password }}",
            "{{ .Env.X | b64enc }}",
            "${DB_PASSWORD} # from the Secret",
            "vault:secret/data/db#password",
            "op://ops/db/password",
            "/etc/db/password",
            "/var/run/secrets/token",
            "./token",
            "~/.token",
            "arn:aws:secretsmanager:eu-west-1:1:secret/x",
        ] {
            assert!(is_no_secret(value), "{value}");
        }
        for value in [
            "hunter2",
            "1",
            "$ecret",
            "${A:-hunter2}",
            "{{ \"hunter2\" }}",
            "{{a}} x {{b}}",
            "/9j4AAQSk",
            "/etc",
            "vault",
            "a/b",
            "Tr0ub4dor&3",
            "${}",
            "/xk2/etc/passwd",
        ] {
            assert!(!is_no_secret(value), "{value}");
        }
    }

    #[test]
    fn machines_texts_are_told_from_peoples() {
        for value in [
            "dXNlcjpwYXNzd29yZA==",
            "9f86d081884c7d659a2feaa0c55ad015",
            "k3bQx9Zp0LmN4vRt",
            "AbCdEfGhIjKlMnOp",
            "v1.0-9f3c1a77e2b04d5f8c6a",
        ] {
            assert!(is_random(value), "{value}");
        }
        for value in [
            "basic",
            "my-tls-secret",
            "redis-0.redis.shop.svc",
            "oauth2-proxy",
            "HMAC-SHA256",
            "camelCaseWordsHere",
            "registry.example.com/shop/api",
            "https://example.com/9f86d081884c7d65",
            "a b c d e f 1 2 3",
            "letsencrypt-prod2024",
            "SCRAM-SHA-512",
            "application-configuration",
        ] {
            assert!(!is_random(value), "{value}");
        }
    }

    #[test]
    fn small_numbers() {
        for value in ["3600", "24h", "10.5", "90%", "100Mi"] {
            assert!(is_small_number(value), "{value}");
        }
        for value in ["", "x", "1234567", "24hours", "12ab"] {
            assert!(!is_small_number(value), "{value}");
        }
    }
}
