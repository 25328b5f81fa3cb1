//! Progress on a terminal; nothing anywhere else.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line on stderr that says what is being done.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Draws only if stderr is a terminal and nobody asked for silence.
    pub fn new(quiet: bool) -> Self {
        let bar = if quiet || !std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new_spinner()
        };
        Self(bar)
    }

    /// A step of unknown length.
    pub fn doing(&self, what: &str) {
        self.0.set_style(ProgressStyle::default_spinner());
        self.0.set_message(what.to_owned());
        self.0.enable_steady_tick(Duration::from_millis(120));
    }

    /// A step of so many parts.
    pub fn start(&self, parts: u64, what: &str) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bar:30} {pos}/{len}") {
            self.0.set_style(style);
        }
        self.0.set_length(parts);
        self.0.set_position(0);
        self.0.set_message(what.to_owned());
    }

    /// One part is done.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
