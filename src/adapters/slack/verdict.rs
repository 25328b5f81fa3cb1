//! What an answer means.

use std::time::Duration;

use serde_json::Value;

use super::hints::{Meaning, meaning};
use super::wire::{Answer, Reply};

/// Longest word of Slack that is quoted.
const WORD: usize = 50;

/// What a request came to.
pub(super) enum Verdict {
    /// It was done. The answer's JSON, and the token's scopes where Slack lists them.
    Done { body: Value, scopes: Option<String> },
    /// Slack asks to wait.
    Wait { why: String, wait: Option<Duration> },
    /// Slack is out of reach or out of order. `open`: it may have done it nevertheless.
    Broken { why: String, open: bool },
    /// The message that is named is no more.
    Gone { why: String },
    /// It will not be done. `word` is Slack's, where it has one.
    Refused { word: String, why: String, hint: Option<String> },
    /// It was given, and no answer came.
    Silent { why: String },
}

/// Reads a reply to a method of the API.
pub(super) fn of_api(method: &str, reply: Reply, secret: &str) -> Verdict {
    let answer = match answered(method, reply) {
        Ok(answer) => answer,
        Err(verdict) => return verdict,
    };
    let json = serde_json::from_slice::<Value>(&answer.body).ok().filter(Value::is_object);
    match (answer.status, json) {
        (200, Some(body)) if body["ok"] == true => Verdict::Done { body, scopes: answer.scopes },
        (200, None) => {
            Verdict::Broken { why: format!("{method}: answered 200, but not as Slack does; check `url`"), open: false }
        }
        (_, Some(body)) => {
            let said = word(body["error"].as_str().unwrap_or_default(), secret);
            let mut verdict = of_word(method, &answer, said);
            if let Verdict::Refused { word, hint, .. } = &mut verdict
                && word == "missing_scope"
                && let Some(needed) = scopes_in(&body["needed"], secret)
            {
                *hint = Some(format!("needed: {needed}; {}", hint.take().unwrap_or_default()));
            }
            verdict
        }
        (_, None) => of_word(method, &answer, None),
    }
}

/// Reads a reply to an incoming webhook, which answers with a word.
pub(super) fn of_webhook(reply: Reply, secret: &str) -> Verdict {
    let what = "incoming webhook";
    let answer = match answered(what, reply) {
        Ok(answer) => answer,
        Err(verdict) => return verdict,
    };
    let text = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
    match (answer.status, text) {
        (200, "ok") => Verdict::Done { body: Value::Null, scopes: None },
        (200, _) => Verdict::Broken { why: format!("{what}: answered 200, but not as Slack does"), open: false },
        _ => of_word(what, &answer, word(text, secret)),
    }
}

fn answered(what: &str, reply: Reply) -> Result<Answer, Verdict> {
    match reply {
        Reply::Answer(answer) => Ok(answer),
        Reply::NotReached(why) => Err(Verdict::Broken { why: format!("{what}: {why}"), open: false }),
        Reply::Silent(why) => Err(Verdict::Silent { why: format!("{what}: no answer: {why}") }),
    }
}

/// By the status where that says it, else by the word.
fn of_word(what: &str, answer: &Answer, said: Option<String>) -> Verdict {
    let status = answer.status;
    let why = match (&said, status) {
        (Some(word), 200) => format!("{what}: Slack says {word}"),
        (Some(word), _) => format!("{what}: Slack answers {status} and says {word}"),
        (None, _) => format!("{what}: Slack answers {status}"),
    };
    let meant = meaning(said.as_deref().unwrap_or_default());
    match (status, meant) {
        (429, _) | (_, Meaning::Limited) => Verdict::Wait { why, wait: answer.retry_after },
        (408 | 503, _) | (_, Meaning::Busy) => Verdict::Broken { why, open: false },
        (500.., _) | (_, Meaning::Open) => Verdict::Broken { why, open: true },
        (_, Meaning::Gone) => Verdict::Gone { why },
        (300..400, _) => {
            let hint = Some("it leads elsewhere, where no secret is sent; check the address".to_owned());
            Verdict::Refused { word: String::new(), why, hint }
        }
        (_, Meaning::No(hint)) => {
            Verdict::Refused { word: said.unwrap_or_default(), why, hint: hint.map(str::to_owned) }
        }
    }
}

/// Slack's word, if that is what it is: an answer of something else may hold anything, the address that was asked included.
fn word(text: &str, secret: &str) -> Option<String> {
    let plain = !text.is_empty() && text.len() <= WORD && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    (plain && !secret.contains(text)).then(|| text.to_owned())
}

/// A list of scopes, as `channels:history,groups:history`.
fn scopes_in(value: &Value, secret: &str) -> Option<String> {
    let text = value.as_str()?;
    let plain = |b: u8| b.is_ascii_lowercase() || matches!(b, b':' | b'.' | b'_' | b',');
    let is_list = !text.is_empty() && text.len() <= 4 * WORD && text.bytes().all(plain);
    (is_list && !secret.contains(text)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "xoxb-000000000000-abcdefghijkl";
    const ADDRESS: &str = "https://hooks.slack.test/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx";

    fn answer(status: u16, body: &str) -> Reply {
        Reply::Answer(Answer { status, retry_after: None, scopes: None, body: body.into() })
    }

    fn shown(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Done { .. } => String::new(),
            Verdict::Wait { why, .. } | Verdict::Broken { why, .. } => why.clone(),
            Verdict::Gone { why } | Verdict::Silent { why } => why.clone(),
            Verdict::Refused { word, why, hint } => format!("{word} {why} {hint:?}"),
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let table = [
            ("not_in_channel", "/invite"),
            ("channel_not_found", "check `channel`"),
            ("is_archived", "unarchive"),
            ("invalid_auth", "tokenFile"),
            ("token_revoked", "tokenFile"),
            ("account_inactive", "tokenFile"),
            ("missing_scope", "needed: chat:write; add the scope"),
            ("msg_too_long", "a defect"),
            ("msg_blocks_too_long", "a defect"),
            ("invalid_blocks", "a defect"),
            ("no_text", "a defect"),
            ("restricted_action", "administrators"),
        ];
        for (word, expected) in table {
            let body = format!(r#"{{"ok":false,"error":"{word}","needed":"chat:write"}}"#);
            let Verdict::Refused { why, hint, .. } = of_api("chat.postMessage", answer(200, &body), TOKEN) else {
                panic!("{word} is refused");
            };
            assert_eq!(why, format!("chat.postMessage: Slack says {word}"));
            assert!(hint.clone().unwrap_or_default().contains(expected), "{word}: {hint:?}");
        }
    }

    #[test]
    fn what_is_not_slack_is_not_quoted() {
        for body in ["<html>not_here</html>", "not here", "NOT_HERE", "", "{", "[\"x\"]"] {
            for (status, expected) in [(404, "incoming webhook: Slack answers 404"), (200, "not as Slack does")] {
                let text = shown(&of_webhook(answer(status, body), ADDRESS));
                assert!(text.contains(expected), "{status} {body}: {text}");
                assert!(!text.contains("here"), "{text}");
            }
        }
        assert!(matches!(of_api("auth.test", answer(200, "<html>"), TOKEN), Verdict::Broken { open: false, .. }));
        assert!(matches!(of_api("auth.test", answer(302, ""), TOKEN), Verdict::Refused { .. }));
    }

    proptest! {
        /// Whatever of the secret an answer repeats, the verdict does not.
        #[test]
        fn no_verdict_holds_a_secret(
            status in prop_oneof![Just(200_u16), Just(400), Just(404), Just(429), Just(500), Just(302)],
            (from, to) in (0_usize..60, 6_usize..80),
            json in any::<bool>(),
        ) {
            for secret in [TOKEN, ADDRESS] {
                let part: String = secret.chars().skip(from % secret.len()).take(to).collect();
                prop_assume!(part.len() >= 6);
                let body = if json {
                    serde_json::json!({"ok": false, "error": part, "needed": part}).to_string()
                } else {
                    part.clone()
                };
                for verdict in [of_api("m", answer(status, &body), secret), of_webhook(answer(status, &body), secret)] {
                    prop_assert!(!shown(&verdict).contains(&part), "{}", shown(&verdict));
                }
            }
        }
    }
}
