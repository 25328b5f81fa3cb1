//! `notify`: messages, and what became of them.

use tokio::runtime::Handle;

use super::report;
use crate::adapters::ledger::{Ledger, OpenOptions};
use crate::app::announce::{self, Tested};
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;
use crate::app::pipeline::{VERSION, now};
use crate::config::Config;
use crate::model::ids::{ReceiverName, RouteName};
use crate::model::outbox::{MessageId, MessageState, Outbox, OutboxMessage};
use crate::views::table;

/// Look after messages: what waits, what is dead, and whether receivers can be reached.
#[derive(Debug, clap::Args)]
pub struct Notify {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the messages that were not delivered yet, the dead ones included.
    List,
    /// List the messages that a receiver refused for good. They are not tried again by themselves.
    Dead,
    /// Show a message with everything that happened to it.
    Show {
        /// Its number.
        #[arg(value_name = "ID")]
        message: i64,
    },
    /// Send a test to the receivers of a route, or to one receiver. Nothing is recorded.
    Test {
        /// A route of the configuration.
        #[arg(long, value_name = "NAME", required_unless_present = "receiver")]
        route: Option<String>,
        /// A receiver of the configuration.
        #[arg(long, value_name = "NAME", conflicts_with = "route")]
        receiver: Option<String>,
    },
    /// Put dead messages back, and send what waits, now.
    Retry {
        /// Their numbers; left out: all that are dead.
        #[arg(value_name = "ID")]
        messages: Vec<i64>,
    },
    /// Give messages up.
    Drop {
        /// Their numbers.
        #[arg(value_name = "ID", required = true)]
        messages: Vec<i64>,
        /// Why; the ledger keeps it.
        #[arg(long, value_name = "REASON")]
        why: String,
    },
}

impl Notify {
    /// Does it.
    ///
    /// # Errors
    /// Configuration or ledger cannot be read or written, or a name is not known.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        match self.what {
            What::List => list(&report::open(global)?.outbox()?),
            What::Dead => list(&report::open(global)?.dead_letters()?),
            What::Show { message } => {
                let story = report::open(global)?.message(MessageId(message))?;
                let story = story.ok_or_else(|| AppError::new(format!("the ledger holds no message {message}")))?;
                output::stdout(&table::message(&story));
                Ok(Exit::InSync)
            }
            What::Test { route, receiver } => test(global.read_config()?, route, receiver).await,
            What::Retry { messages } => blocking(global, move |ledger, config| retry(ledger, &config, &messages)).await,
            What::Drop { messages, why } => blocking(global, move |ledger, _| drop_all(ledger, &messages, &why)).await,
        }
    }
}

fn list(outbox: &Outbox) -> Result<Exit, AppError> {
    output::stdout(&table::outbox(outbox, output::style(true)));
    let dead = |message: &OutboxMessage| matches!(message.state, MessageState::Dead { .. });
    let undelivered = !outbox.problems.is_empty() || outbox.messages.iter().any(dead);
    Ok(if undelivered { Exit::Undelivered } else { Exit::InSync })
}

async fn test(config: Config, route: Option<String>, receiver: Option<String>) -> Result<Exit, AppError> {
    let receivers = match (&route, receiver) {
        (Some(name), _) => {
            let route = config.delivery.routes.iter().find(|known| known.name.as_str() == name);
            let known: Vec<&str> = config.delivery.routes.iter().map(|route| route.name.as_str()).collect();
            let route = route.ok_or_else(|| {
                AppError::new(format!("there is no route `{name}`")).hint(format!("known: {}", known.join(", ")))
            })?;
            route.receivers.iter().chain(&route.fallback).cloned().collect()
        }
        (None, name) => vec![ReceiverName::new(name.unwrap_or_default())],
    };
    let route = RouteName::new(route.unwrap_or_else(|| "test".to_owned()));
    let tested =
        tokio::task::spawn_blocking(move || announce::test(&config, &route, &receivers, now(), &Handle::current()));
    let tested = tested.await.map_err(|error| AppError::new(format!("the test was given up: {error}")))??;
    let mut text = String::new();
    for Tested { receiver, problem } in &tested {
        text.push_str(&match problem {
            None => format!("{receiver}: taken\n"),
            Some(why) => format!("{receiver}: NOT taken: {why}\n"),
        });
    }
    output::stdout(&text);
    Ok(if tested.iter().all(|one| one.problem.is_none()) { Exit::InSync } else { Exit::Undelivered })
}

/// Runs something under the ledger's lock.
async fn blocking(
    global: &Global,
    work: impl FnOnce(&mut Ledger, Config) -> Result<Exit, AppError> + Send + 'static,
) -> Result<Exit, AppError> {
    let config = global.read_config()?;
    let done = tokio::task::spawn_blocking(move || {
        let options =
            OpenOptions { create: false, key_file: config.ledger.key_file.clone(), ..OpenOptions::new(VERSION) };
        let mut ledger = Ledger::open(&config.ledger.path, &options, now())?;
        work(&mut ledger, config)
    });
    done.await.map_err(|error| AppError::new(format!("it was given up: {error}")))?
}

fn retry(ledger: &mut Ledger, config: &Config, messages: &[i64]) -> Result<Exit, AppError> {
    let chosen: Vec<MessageId> = if messages.is_empty() {
        ledger.dead_letters()?.messages.iter().map(|message| message.id).collect()
    } else {
        messages.iter().copied().map(MessageId).collect()
    };
    for message in &chosen {
        ledger.retry_message(*message, now())?;
    }
    let delivered = announce::deliver(ledger, config, now, &Handle::current())?;
    output::stdout(&format!("{} put back, {} sent\n", chosen.len(), delivered.sent));
    for line in announce::lines(&delivered) {
        output::stdout(&format!("{line}\n"));
    }
    Ok(if delivered.is_complete() { Exit::InSync } else { Exit::Undelivered })
}

fn drop_all(ledger: &mut Ledger, messages: &[i64], why: &str) -> Result<Exit, AppError> {
    if why.trim().is_empty() {
        return Err(AppError::new("a message is given up for a reason").hint("say it with --why"));
    }
    for message in messages {
        ledger.drop_message(MessageId(*message), now(), why)?;
        output::stdout(&format!("message {message} is given up\n"));
    }
    Ok(Exit::InSync)
}
