//! The command line of `redis-tls migrate`.

use std::path::PathBuf;

use clap::Args;

const AFTER: &str = "\
A password may stand in the URL (redis://user:password@host:port), where other users of this machine can see it, or in the
environment: REDIS_TLS_FROM_PASSWORD and REDIS_TLS_TO_PASSWORD.

First everything is copied, then the source's changes are followed as they happen. The first SIGINT or SIGTERM asks for the
cut-over: what the source has written until then is brought over, and a report is printed. A second one gives up at once.

Exit codes: 0 after a cut-over with equal counts of keys; 1 if there was none; 3 after a cut-over with differences, which the
report names.";

/// What is asked for.
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct MigrateOptions {
    /// The source: redis://[user[:password]@]host[:port], or rediss:// over TLS.
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// The target, in the same form.
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// The authorities that a server reached over TLS is verified with (PEM).
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// A certificate to show (PEM), where the server asks for one.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// The name that the server's certificate carries, if another than the host of the URL.
    #[arg(long, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// As --cacert, for a source that needs another.
    #[arg(long, value_name = "FILE")]
    pub from_cacert: Option<PathBuf>,
    /// As --cert, for a source that needs another.
    #[arg(long, value_name = "FILE", requires = "from_key")]
    pub from_cert: Option<PathBuf>,
    /// As --key, for a source that needs another.
    #[arg(long, value_name = "FILE", requires = "from_cert")]
    pub from_key: Option<PathBuf>,
    /// As --tls-server-name, for a source that carries another.
    #[arg(long, value_name = "NAME")]
    pub from_tls_server_name: Option<String>,
    /// Empty the target first; otherwise a target that holds anything is refused.
    #[arg(long)]
    pub flush_target: bool,
    /// Cut over as soon as everything has been copied.
    #[arg(long)]
    pub once: bool,
    /// At the cut-over, let the source's clients wait with their writes for so long, so that none is left behind.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub pause_source: Option<u64>,
    /// At the cut-over, compare DEBUG DIGEST of both, which reads every key. Keys that expire meanwhile, or writes, make them differ.
    #[arg(long)]
    pub digest: bool,
    /// How often a line of progress is printed; 0 for never.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub progress: u64,
    /// How long a server may take to answer, or be away before the migration is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}
