//! Logs: to stderr, never to stdout, which carries only what was asked for.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging. `verbose` counts `-v`: warnings, then our own steps, then everything. `RUST_LOG` overrides.
pub fn start(verbose: u8) {
    let default = match verbose {
        0 => "warn,gix=error,kube=error",
        1 => "warn,driftledger=info",
        2 => "info,driftledger=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).try_init();
}
