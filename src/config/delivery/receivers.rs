//! Receivers: where messages go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::SecretSource;
use crate::model::ids::ReceiverName;

/// Where Slack's API is.
pub const SLACK_API: &str = "https://slack.com/api/";
/// How long a receiver may take, in seconds.
const TIMEOUT: u64 = 30;

/// A receiver of messages. Exactly one of `slack`, `mail` and `webhook` says what it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawReceiver {
    /// The name that routes refer to.
    pub name: String,
    /// A Slack channel.
    pub slack: Option<RawSlack>,
    /// Mail addresses.
    pub mail: Option<RawMail>,
    /// Anything that takes JSON over https.
    pub webhook: Option<RawWebhook>,
    /// `values`, or `names-only`: the receiver learns which fields differ, and no value of them. Default `values`. For what leaves the house.
    pub fields: Option<Fields>,
    /// Time limit for handing over one message, as `30s`. Default `30s`.
    pub timeout: Option<String>,
}

/// What a receiver learns of the fields that differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fields {
    /// Both values, redacted where they are secret.
    #[default]
    Values,
    /// No value.
    NamesOnly,
}

/// A Slack channel: with a bot's token, which can answer in threads and mark what is resolved, or an incoming webhook, which cannot.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawSlack {
    /// With a token: the channel's id, as `C0123456789`, or `#name`. The bot must be in it.
    pub channel: Option<String>,
    /// File that holds the bot's token (`xoxb-…`), which needs the scope `chat:write`.
    pub token_file: Option<String>,
    /// Environment variable that holds the bot's token.
    pub token_env: Option<String>,
    /// File that holds the address of an incoming webhook.
    pub webhook_file: Option<String>,
    /// Environment variable that holds the address of an incoming webhook.
    pub webhook_env: Option<String>,
    /// Where Slack's API is. Default `https://slack.com/api/`.
    pub url: Option<String>,
    /// File with the certificate authorities (PEM) to trust, instead of the system's.
    pub ca_file: Option<String>,
}

/// Mail. Exactly one of `smtp` and `folder` says how it leaves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawMail {
    /// The sender, as `Driftledger <driftledger@example.com>`. Its domain stands in Message-ID and List-Id.
    pub from: String,
    /// The receivers' addresses.
    pub to: Vec<String>,
    /// Where answers go. Default: to the sender.
    pub reply_to: Option<String>,
    /// A mail server.
    pub smtp: Option<RawSmtp>,
    /// A folder into which each mail is written as an `.eml` file, for another program to send.
    pub folder: Option<String>,
}

/// A mail server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawSmtp {
    /// Its name.
    pub host: String,
    /// Its port. Default: 587 with `starttls`, 465 with `implicit`, 25 with `none`.
    pub port: Option<u16>,
    /// `starttls` (required, never given up), `implicit`, or `none`: everything, a password too, goes in the clear. Default `starttls`.
    pub tls: Option<Tls>,
    /// User name.
    pub username: Option<String>,
    /// File that holds the password.
    pub password_file: Option<String>,
    /// Environment variable that holds the password.
    pub password_env: Option<String>,
    /// File with the certificate authorities (PEM) to trust, instead of the system's.
    pub ca_file: Option<String>,
    /// The name by which this machine greets the server. Default: its host name.
    pub hello: Option<String>,
}

/// How a connection to a mail server is kept private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// The connection becomes private before anything of the message is said, or is given up.
    #[default]
    Starttls,
    /// It is private from its first byte.
    Implicit,
    /// It is not private.
    None,
}

/// Anything that takes JSON.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawWebhook {
    /// Its address. One that is a secret belongs into `urlFile` or `urlEnv`.
    pub url: Option<String>,
    /// File that holds its address.
    pub url_file: Option<String>,
    /// Environment variable that holds its address.
    pub url_env: Option<String>,
    /// File that holds the key with which each message is signed (HMAC-SHA256).
    pub secret_file: Option<String>,
    /// Environment variable that holds that key.
    pub secret_env: Option<String>,
    /// File with the certificate authorities (PEM) to trust, instead of the system's.
    pub ca_file: Option<String>,
}

/// A receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// Name.
    pub name: ReceiverName,
    /// What it is.
    pub kind: ReceiverKind,
    /// What it learns of fields.
    pub fields: Fields,
    /// For handing over one message.
    pub timeout: Duration,
}

/// What a receiver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverKind {
    /// A Slack channel.
    Slack(SlackReceiver),
    /// Mail.
    Mail(MailReceiver),
    /// A webhook.
    Webhook(WebhookReceiver),
}

/// A Slack channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackReceiver {
    /// How it is reached.
    pub way: SlackWay,
    /// The certificate authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// How a Slack channel is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlackWay {
    /// By a bot.
    Bot {
        /// Id or `#name`.
        channel: String,
        /// Its token.
        token: SecretSource,
        /// The API's address, with a slash at its end.
        url: String,
    },
    /// By an incoming webhook, the address of which is a secret: no threads, no updates.
    Webhook(SecretSource),
}

/// Mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailReceiver {
    /// Sender.
    pub from: String,
    /// Receivers; at least one.
    pub to: Vec<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// The sender's domain.
    pub domain: String,
    /// How it leaves.
    pub transport: MailTransport,
}

/// How mail leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailTransport {
    /// Through a mail server.
    Smtp {
        /// Name.
        host: String,
        /// Port.
        port: u16,
        /// Privacy.
        tls: Tls,
        /// User name and password.
        login: Option<(String, SecretSource)>,
        /// The certificate authorities to trust, instead of the system's.
        ca_file: Option<PathBuf>,
        /// This machine's name.
        hello: Option<String>,
    },
    /// Into a folder.
    Folder(PathBuf),
}

/// A webhook.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookReceiver {
    /// Its address, where it is no secret.
    pub url: Option<String>,
    /// Where its address is, otherwise.
    pub url_secret: Option<SecretSource>,
    /// Where the key for signing is.
    pub secret: Option<SecretSource>,
    /// The certificate authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for WebhookReceiver {
    /// Without the address, which may hold a secret after all.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookReceiver").field("url_secret", &self.url_secret).finish_non_exhaustive()
    }
}

/// A problem: the key below the receiver, and what to do.
type Problems = Vec<(String, String)>;

impl RawReceiver {
    /// The receiver, or what is wrong with it. Relative paths start at `folder`.
    pub(in crate::config) fn read(&self, folder: &Path) -> Result<ReceiverConfig, Problems> {
        let mut problems = Problems::new();
        let timeout = match self.timeout.as_deref().map(str::parse::<jiff::SignedDuration>) {
            None => Duration::from_secs(TIMEOUT),
            Some(parsed) => {
                parsed.ok().and_then(|d| Duration::try_from(d).ok()).filter(|d| !d.is_zero()).unwrap_or_else(|| {
                    problems.push(("timeout".into(), "is no duration; write `30s` or `1m`".into()));
                    Duration::ZERO
                })
            }
        };
        let kinds = [self.slack.is_some(), self.mail.is_some(), self.webhook.is_some()];
        if kinds.iter().filter(|given| **given).count() != 1 {
            problems.push((String::new(), "needs exactly one of `slack`, `mail` and `webhook`".into()));
            return Err(problems);
        }
        let kind = None
            .or_else(|| self.slack.as_ref().map(|raw| raw.read(folder, &mut problems).map(ReceiverKind::Slack)))
            .or_else(|| self.mail.as_ref().map(|raw| raw.read(folder, &mut problems).map(ReceiverKind::Mail)))
            .or_else(|| self.webhook.as_ref().map(|raw| raw.read(folder, &mut problems).map(ReceiverKind::Webhook)))
            .flatten();
        match kind {
            Some(kind) if problems.is_empty() => Ok(ReceiverConfig {
                name: ReceiverName::new(&self.name),
                kind,
                fields: self.fields.unwrap_or_default(),
                timeout,
            }),
            _ => Err(problems),
        }
    }
}

/// The one place of a secret, out of its two keys; `Err` where both are given.
pub(super) fn secret(file: Option<&String>, env: Option<&String>, folder: &Path) -> Result<Option<SecretSource>, ()> {
    match (file, env) {
        (Some(_), Some(_)) => Err(()),
        (Some(file), None) => Ok(Some(SecretSource::File(folder.join(file)))),
        (None, Some(env)) => Ok(Some(SecretSource::Environment(env.clone()))),
        (None, None) => Ok(None),
    }
}

fn below(folder: &Path, path: Option<&String>) -> Option<PathBuf> {
    path.map(|path| folder.join(path))
}

impl RawSlack {
    fn read(&self, folder: &Path, problems: &mut Problems) -> Option<SlackReceiver> {
        let mut problem = |key: &str, message: &str| problems.push((key.to_owned(), message.to_owned()));
        let token = secret(self.token_file.as_ref(), self.token_env.as_ref(), folder);
        let webhook = secret(self.webhook_file.as_ref(), self.webhook_env.as_ref(), folder);
        let url = self.url.as_deref().unwrap_or(SLACK_API);
        if !is_private(url) {
            problem("slack.url", "must be https: the token goes there");
        }
        let way = match (token, webhook) {
            (Ok(Some(token)), Ok(None)) => {
                let channel = self.channel.clone().filter(|channel| !channel.is_empty());
                let Some(channel) = channel else {
                    problem("slack", "needs `channel`: the id of the channel that the bot posts to");
                    return None;
                };
                SlackWay::Bot { channel, token, url: format!("{}/", url.trim_end_matches('/')) }
            }
            (Ok(None), Ok(Some(address))) => {
                if self.channel.is_some() {
                    problem(
                        "slack.channel",
                        "belongs to a bot's token: an incoming webhook posts to the channel it was made for",
                    );
                }
                SlackWay::Webhook(address)
            }
            _ => {
                problem("slack", "needs exactly one of `tokenFile`, `tokenEnv`, `webhookFile` and `webhookEnv`");
                return None;
            }
        };
        Some(SlackReceiver { way, ca_file: below(folder, self.ca_file.as_ref()) })
    }
}

/// Whether what goes to an address is private on its way: https, or this machine.
pub(super) fn is_private(url: &str) -> bool {
    let local = |rest: &str| {
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        matches!(host, "127.0.0.1" | "localhost" | "[::1]")
    };
    url.starts_with("https://") || url.strip_prefix("http://").is_some_and(local)
}

impl RawMail {
    fn read(&self, folder: &Path, problems: &mut Problems) -> Option<MailReceiver> {
        let mut problem = |key: &str, message: &str| problems.push((key.to_owned(), message.to_owned()));
        let domain = domain_of(&self.from);
        if domain.is_none() {
            problem(
                "mail.from",
                "is no mail address; write `driftledger@example.com` or `Driftledger <driftledger@example.com>`",
            );
        }
        if self.to.is_empty() {
            problem("mail.to", "is empty; name at least one address");
        }
        for (n, address) in self.to.iter().enumerate().filter(|(_, address)| domain_of(address).is_none()) {
            problem(&format!("mail.to[{n}]"), &format!("`{address}` is no mail address"));
        }
        if self.reply_to.as_deref().is_some_and(|address| domain_of(address).is_none()) {
            problem("mail.replyTo", "is no mail address");
        }
        let transport = match (&self.smtp, &self.folder) {
            (Some(smtp), None) => smtp.read(folder, problems)?,
            (None, Some(path)) => MailTransport::Folder(folder.join(path)),
            _ => {
                problem("mail", "needs exactly one of `smtp` and `folder`");
                return None;
            }
        };
        let (from, to, reply_to) = (self.from.clone(), self.to.clone(), self.reply_to.clone());
        Some(MailReceiver { from, to, reply_to, domain: domain?, transport })
    }
}

/// The domain of `name@domain` or `Name <name@domain>`, where that is what it looks like.
fn domain_of(address: &str) -> Option<String> {
    let inner = address.rsplit_once('<').map_or(Some(address), |(_, rest)| rest.trim_end().strip_suffix('>'))?;
    let (local, domain) = inner.trim().rsplit_once('@')?;
    let plain = |text: &str| {
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;".contains(c))
    };
    (plain(local) && plain(domain)).then(|| domain.to_ascii_lowercase())
}

impl RawSmtp {
    fn read(&self, folder: &Path, problems: &mut Problems) -> Option<MailTransport> {
        let mut problem = |key: &str, message: &str| problems.push((key.to_owned(), message.to_owned()));
        let tls = self.tls.unwrap_or_default();
        let password = secret(self.password_file.as_ref(), self.password_env.as_ref(), folder);
        let login = match (&self.username, password) {
            (Some(user), Ok(Some(password))) => Some((user.clone(), password)),
            (None, Ok(None)) => None,
            (_, Err(())) => {
                problem("mail.smtp", "takes one of `passwordFile` and `passwordEnv`");
                return None;
            }
            _ => {
                problem("mail.smtp", "`username` and a password (`passwordFile` or `passwordEnv`) go together");
                return None;
            }
        };
        let port = self.port.unwrap_or(match tls {
            Tls::Starttls => 587,
            Tls::Implicit => 465,
            Tls::None => 25,
        });
        let (host, hello) = (self.host.clone(), self.hello.clone());
        Some(MailTransport::Smtp { host, port, tls, login, ca_file: below(folder, self.ca_file.as_ref()), hello })
    }
}

impl RawWebhook {
    fn read(&self, folder: &Path, problems: &mut Problems) -> Option<WebhookReceiver> {
        let mut problem = |key: &str, message: &str| problems.push((key.to_owned(), message.to_owned()));
        let address = secret(self.url_file.as_ref(), self.url_env.as_ref(), folder);
        let (url, url_secret) = match (&self.url, address) {
            (Some(url), Ok(None)) => (Some(url.clone()), None),
            (None, Ok(Some(place))) => (None, Some(place)),
            _ => {
                problem("webhook", "needs exactly one of `url`, `urlFile` and `urlEnv`");
                return None;
            }
        };
        if url.as_deref().is_some_and(|url| !is_private(url)) {
            problem("webhook.url", "must be https: findings go there");
        }
        let Ok(secret) = secret(self.secret_file.as_ref(), self.secret_env.as_ref(), folder) else {
            problem("webhook", "takes one of `secretFile` and `secretEnv`");
            return None;
        };
        Some(WebhookReceiver { url, url_secret, secret, ca_file: below(folder, self.ca_file.as_ref()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ReceiverConfig, Problems> {
        let documents = crate::yaml::read_documents(text, &crate::yaml::Limits::default());
        let node = documents.into_iter().next().expect("a document").expect("YAML").root;
        let raw: RawReceiver = serde_json::from_value(crate::yaml::to_json(&node)).expect("a receiver");
        raw.read(Path::new("/etc/d"))
    }

    #[test]
    fn each_kind_is_read_with_its_defaults() {
        let bot = read("{name: a, slack: {channel: C01, tokenFile: token}}").expect("a bot");
        let way = SlackWay::Bot {
            channel: "C01".into(),
            token: SecretSource::File("/etc/d/token".into()),
            url: SLACK_API.into(),
        };
        assert_eq!(bot.kind, ReceiverKind::Slack(SlackReceiver { way, ca_file: None }));
        assert_eq!((bot.fields, bot.timeout.as_secs()), (Fields::Values, 30));
        let mail = "{name: a, fields: names-only, timeout: 1m, mail: {from: 'D <d@Example.com>', to: [x@y.z], smtp: {host: m}}}";
        let mail = read(mail).expect("mail");
        let ReceiverKind::Mail(MailReceiver { domain, transport: MailTransport::Smtp { port, tls, .. }, .. }) =
            mail.kind
        else {
            panic!("a mail server");
        };
        assert_eq!(
            (domain.as_str(), port, tls, mail.fields, mail.timeout.as_secs()),
            ("example.com", 587, Tls::Starttls, Fields::NamesOnly, 60)
        );
        let hook = read("{name: a, webhook: {urlEnv: HOOK, secretFile: key}}").expect("a webhook");
        let ReceiverKind::Webhook(hook) = hook.kind else { panic!("a webhook") };
        assert_eq!(hook.secret, Some(SecretSource::File("/etc/d/key".into())));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key() {
        for (text, key, message) in [
            ("{name: a}", "", "needs exactly one of `slack`, `mail` and `webhook`"),
            ("{name: a, slack: {channel: c}}", "slack", "needs exactly one of `tokenFile`"),
            ("{name: a, slack: {tokenFile: t}}", "slack", "needs `channel`"),
            ("{name: a, slack: {channel: c, webhookFile: t}}", "slack.channel", "belongs to a bot's token"),
            (
                "{name: a, slack: {channel: c, tokenFile: t, url: 'http://slack.example.com'}}",
                "slack.url",
                "must be https",
            ),
            ("{name: a, mail: {from: me, to: [x@y], folder: f}}", "mail.from", "is no mail address"),
            ("{name: a, mail: {from: a@b, to: [], folder: f}}", "mail.to", "is empty"),
            ("{name: a, mail: {from: a@b, to: ['x y@z'], folder: f}}", "mail.to[0]", "`x y@z` is no mail address"),
            ("{name: a, mail: {from: a@b, to: [c@d]}}", "mail", "needs exactly one of `smtp` and `folder`"),
            (
                "{name: a, mail: {from: a@b, to: [c@d], smtp: {host: h, username: u}}}",
                "mail.smtp",
                "`username` and a password",
            ),
            ("{name: a, webhook: {}}", "webhook", "needs exactly one of `url`"),
            ("{name: a, webhook: {url: 'http://example.com/x'}}", "webhook.url", "must be https"),
            ("{name: a, timeout: soon, webhook: {url: 'https://a'}}", "timeout", "is no duration"),
        ] {
            let problems = read(text).expect_err(text);
            assert!(
                problems.len() == 1 && problems[0].0 == key && problems[0].1.starts_with(message),
                "{text}: {problems:?}"
            );
        }
        assert!(read("{name: a, slack: {channel: c, tokenFile: t, url: 'http://127.0.0.1:8080/api'}}").is_ok());
    }
}
