//! One conversation with a mail server (RFC 5321), and what came of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Severity;

use crate::model::delivery::{Attempt, Receipt};

use super::failure::{Peer, Stage};
use super::stream::Unbuffered;

/// Longest wait for one address of a server that has several.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest wait for the answer to QUIT, which changes nothing any more.
const GOODBYE: Duration = Duration::from_secs(2);
/// Bytes of a message that are handed over at once.
const PIECE: usize = 64 * 1024;
/// The reply that says that the connection is being closed (RFC 5321, 3.8).
const CLOSING: u16 = 421;

/// A mail server, and how it is spoken to.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) privacy: Privacy,
    /// The user's name, for people, and what goes with it.
    pub(super) login: Option<(String, Credentials)>,
    pub(super) hello: ClientId,
    /// For a whole conversation.
    pub(super) timeout: Duration,
    pub(super) peer: Peer,
}

/// How a connection is kept private.
pub(super) enum Privacy {
    Starttls(TlsParameters),
    Implicit(TlsParameters),
    None,
}

impl Server {
    /// Hands one message over.
    pub(super) async fn send(&self, message: &Message) -> Attempt {
        // Whether the message's end was sent: from then on, silence does not mean that nobody has it.
        let given = AtomicBool::new(false);
        let conversation = async {
            let mut connection = self.open(&mut Vec::new()).await?;
            let came_of_it = self.hand_over(&mut connection, message, &given).await;
            Ok((connection, came_of_it))
        };
        match tokio::time::timeout(self.timeout, conversation).await {
            Ok(Ok((connection, came_of_it))) => {
                goodbye(connection).await;
                came_of_it.map_or_else(|failed| failed, Attempt::Taken)
            }
            Ok(Err(failed)) => failed,
            Err(_) if given.load(Ordering::Relaxed) => Attempt::Unanswered {
                why: format!("{} was given the message and said nothing for {}", self.peer.name, self.patience()),
            },
            Err(_) => self.too_slow(),
        }
    }

    /// Goes through all of a conversation but the message; what works is added to `works`.
    pub(super) async fn check(&self, works: &mut Vec<String>) -> Result<(), Attempt> {
        let conversation = async {
            let mut connection = self.open(works).await?;
            let answer = connection.command(Noop).await;
            Ok((connection, answer))
        };
        let (connection, answer) =
            tokio::time::timeout(self.timeout, conversation).await.unwrap_or_else(|_| Err(self.too_slow()))?;
        goodbye(connection).await;
        answer.map(drop).map_err(|error| self.peer.failed(Stage::Looking, &error))
    }

    /// Seconds for people.
    fn patience(&self) -> String {
        format!("{} s", self.timeout.as_secs_f64())
    }

    fn too_slow(&self) -> Attempt {
        let silent = match self.privacy {
            // It waits for our first byte while we wait for its.
            Privacy::Implicit(_) => "",
            _ => " (a port that wants TLS at once says nothing: that is `tls: implicit`)",
        };
        let why = format!("{} took longer than {}{silent}", self.peer.name, self.patience());
        Attempt::Later { why, wait: None }
    }

    /// Connects, makes the connection private and logs in.
    async fn open(&self, works: &mut Vec<String>) -> Result<AsyncSmtpConnection, Attempt> {
        let name = &self.peer.name;
        let failed = |stage| move |error| self.peer.failed(stage, &error);
        let wait = CONNECT.min(self.timeout);
        let mut connection = if let Privacy::Implicit(tls) = &self.privacy {
            let place = (self.host.as_str(), self.port);
            AsyncSmtpConnection::connect_tokio1(place, Some(wait), &self.hello, Some(tls.clone()), None).await
        } else {
            let stream = Unbuffered::connect(&self.host, self.port, wait).await;
            let stream = stream.map_err(|error| self.peer.unreachable(&error))?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello).await
        }
        .map_err(failed(Stage::Opening))?;
        works.push(format!("{name} answers"));
        match &self.privacy {
            Privacy::Starttls(_) if !connection.can_starttls() => return Err(self.no_starttls()),
            Privacy::Starttls(tls) => {
                connection.starttls(tls.clone(), &self.hello).await.map_err(failed(Stage::Private))?;
                works.push("the connection is private (STARTTLS)".into());
            }
            Privacy::Implicit(_) => works.push("the connection is private (TLS)".into()),
            Privacy::None => works.push("the connection is not private, as configured (`tls: none`)".into()),
        }
        if let Some((user, credentials)) = &self.login {
            if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
                return Err(Attempt::Refused {
                    why: format!("{name} offers no login by AUTH PLAIN or LOGIN"),
                    hint: Some("use the port for submission (often 587), or leave out `username`".into()),
                });
            }
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(failed(Stage::Login))?;
            works.push(format!("the login as {user} works"));
        }
        Ok(connection)
    }

    /// Going on in the clear is what somebody who takes the offer out of the answer wants.
    fn no_starttls(&self) -> Attempt {
        Attempt::Refused {
            why: format!("{} does not offer STARTTLS, or somebody in between hides it", self.peer.name),
            hint: Some(
                "use a port that offers it (often 587) or `tls: implicit` (often on 465); only `tls: none` sends in the clear".into(),
            ),
        }
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
        given: &AtomicBool,
    ) -> Result<Receipt, Attempt> {
        let refused = self.name_parties(connection, message).await?;
        let go = connection.command(Data).await.map_err(|error| self.peer.failed(Stage::Content, &error))?;
        if go.code().severity != Severity::PositiveIntermediate {
            let why = format!("{} answers DATA with {}, which means nothing there", self.peer.name, go.code());
            return Err(Attempt::Later { why, wait: None });
        }
        let bytes = message.formatted();
        let mut pieces = bytes.chunks(PIECE);
        let pieces = std::iter::from_fn(|| {
            let piece = pieces.next();
            // Asked for one more, lettre sends the end next.
            given.store(piece.is_none(), Ordering::Relaxed);
            piece
        });
        let answer = connection.message_iter(pieces).await;
        match answer {
            Ok(answer) if answer.code().severity == Severity::PositiveCompletion => {
                let words = format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" "));
                Ok(Receipt { refused, says: Some(self.peer.quoted(&words)), ..Receipt::default() })
            }
            Ok(answer) => {
                let why =
                    format!("{} answers the message with {}, which means nothing there", self.peer.name, answer.code());
                Err(Attempt::Unanswered { why })
            }
            Err(error) if error.status().is_none() && given.load(Ordering::Relaxed) => {
                let why = format!("it had the whole message, then {}", self.peer.lost(Stage::Content, &error));
                Err(Attempt::Unanswered { why })
            }
            Err(error) => Err(self.peer.failed(Stage::Content, &error)),
        }
    }

    /// Names the sender and the receivers; gives back the receivers that are refused, if it is not all of them.
    async fn name_parties(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> Result<Vec<(String, String)>, Attempt> {
        let envelope = message.envelope();
        let ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        let mut parameters = Vec::new();
        if !envelope.to().iter().chain(envelope.from()).all(ascii) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Attempt::Refused {
                    why: format!("{} takes no addresses that are not ASCII (SMTPUTF8)", self.peer.name),
                    hint: Some("write domains in their ASCII form, as `xn--…`".into()),
                });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let sender = Mail::new(envelope.from().cloned(), parameters);
        connection.command(sender).await.map_err(|error| self.peer.failed(Stage::Sender, &error))?;
        let mut refused = Vec::new();
        let mut for_now = false;
        for address in envelope.to() {
            let Err(error) = connection.command(Rcpt::new(address.clone(), Vec::new())).await else { continue };
            match error.status().map(u16::from) {
                None | Some(CLOSING) => return Err(self.peer.failed(Stage::Receivers, &error)),
                Some(_) => {
                    for_now |= error.is_transient();
                    let temporary = if error.is_transient() { "temporary: " } else { "" };
                    refused.push((address.to_string(), format!("{temporary}{}", self.peer.answer(&error))));
                }
            }
        }
        if refused.len() < envelope.to().len() {
            return Ok(refused);
        }
        let each: Vec<String> = refused.iter().map(|(address, answer)| format!("{address}: {answer}")).collect();
        let why = format!("{} refuses every receiver: {}", self.peer.name, each.join("; "));
        Err(match for_now {
            // Nobody has it yet, so trying again gives it to nobody twice.
            true => Attempt::Later { why, wait: None },
            false => Attempt::Refused { why, hint: Some("correct `to`".into()) },
        })
    }
}

/// Ends a conversation. What the server says to it does not matter.
async fn goodbye(mut connection: AsyncSmtpConnection) {
    if !connection.has_broken() {
        let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
    }
}
