//! What works and what does not, for `doctor`. Nothing is posted.

use serde_json::Value;

use super::sender::{Call, SlackSender};
use super::verdict::Verdict;

/// Longest name that is shown.
const NAME: usize = 80;

/// What Slack says of a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlackCheck {
    /// What works, for people.
    pub works: Vec<String>,
    /// What does not, or cannot be known.
    pub problems: Vec<SlackProblem>,
}

/// What does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackProblem {
    /// What, for people; no secrets.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether messages cannot be delivered because of it.
    pub stops: bool,
}

impl SlackCheck {
    fn problem(&mut self, what: impl Into<String>, hint: Option<&str>, stops: bool) {
        self.problems.push(SlackProblem { what: what.into(), hint: hint.map(str::to_owned), stops });
    }

    fn verdict(&mut self, verdict: Verdict) {
        let (what, hint) = match verdict {
            Verdict::Refused { why, hint, .. } => (why, hint),
            Verdict::Wait { why, .. } | Verdict::Broken { why, .. } => (why, None),
            Verdict::Silent { why } | Verdict::Gone { why } => (why, None),
            Verdict::Done { .. } => ("an answer that makes no sense".to_owned(), None),
        };
        self.problems.push(SlackProblem { what, hint, stops: true });
    }
}

impl SlackSender {
    /// Asks who the token is, what it may, and whether the channel is one that it can post to. An incoming webhook can be asked nothing.
    pub async fn check(&self) -> SlackCheck {
        let mut check = SlackCheck::default();
        if !self.has_threads() {
            check.works.push("the incoming webhook's address has the form of one".into());
            let hint =
                "send a message with `notify test`; a bot's token instead of a webhook has threads, and can be asked";
            check.problem("an incoming webhook cannot be asked whether it works", Some(hint), false);
            return check;
        }
        let mut patience = self.limits.patience;
        let call = Call { method: "auth.test", query: Vec::new(), body: None, channel: None };
        let scopes = match self.steadily(&call, &mut patience).await {
            Verdict::Done { body, scopes } => {
                check.works.push(format!("the token is {}'s, of {}", name(&body["user"]), name(&body["team"])));
                scopes
            }
            verdict => {
                check.verdict(verdict);
                return check;
            }
        };
        let has = |wanted: &str| scopes.as_ref().map(|all| all.split(',').any(|scope| scope.trim() == wanted));
        if has("chat:write") == Some(false) {
            check.problem(
                "the token may not post",
                Some("add the scope `chat:write` to the Slack app and install it again"),
                true,
            );
        }
        if has("channels:history") == Some(false) && has("groups:history") == Some(false) {
            let what = "Slack cannot be asked for a message whose sending was cut off: it is then sent once more";
            let hint = "add the scope `channels:history` (`groups:history` for a private channel)";
            check.problem(what, Some(hint), false);
        }
        let anywhere = has("chat:write.public") == Some(true);
        self.check_channel(&mut check, anywhere, &mut patience).await;
        check
    }

    async fn check_channel(&self, check: &mut SlackCheck, anywhere: bool, patience: &mut std::time::Duration) {
        let info = match self.channel_id(None).await {
            Ok(id) => {
                let query = vec![("channel", id)];
                let call = Call { method: "conversations.info", query, body: None, channel: None };
                self.steadily(&call, patience).await
            }
            Err(verdict) => verdict,
        };
        match info {
            Verdict::Done { body, .. } => {
                let channel = &body["channel"];
                let shown = name(&channel["name"]);
                if channel["is_archived"] == true {
                    check.problem(format!("#{shown} is archived"), Some("unarchive it, or configure another"), true);
                } else if channel["is_member"] == false && !anywhere {
                    let hint = "`/invite @NAME` in the channel";
                    check.problem(format!("the bot is not in #{shown}"), Some(hint), true);
                } else {
                    check.works.push(format!("#{shown} is a channel that the bot can post to"));
                }
            }
            Verdict::Refused { word, .. } if word == "missing_scope" => {
                let what = "whether the channel is right cannot be asked";
                let hint = "add the scope `channels:read` (`groups:read` for a private channel), or send a message with `notify test`";
                check.problem(what, Some(hint), false);
            }
            verdict => check.verdict(verdict),
        }
    }
}

/// A name of Slack's as it may be shown.
fn name(value: &Value) -> String {
    let shown = |c: &char| !c.is_control();
    value.as_str().unwrap_or("?").chars().filter(shown).take(NAME).collect()
}
