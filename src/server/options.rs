//! The command line of the program: subcommands of our own, and everything else as `redis-server` takes it.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::migrate::{self, MigrateOptions};
use super::{check_aof, check_rdb, start};
use crate::base::process;
use crate::config::{CommandLine, Settings, load};
use crate::group::{Configured, GroupIdentity};
use crate::tls::development::create_certificates;
use crate::tls::mode::TransitEncryption;

const USAGE: &str = "\
redis-tls: a TLS-native, Redis-compatible server

Usage: redis-tls [CONFIG] [-] [--directive value ...]
       redis-tls certs create --out DIR [--san NAME ...]
       redis-tls check CONFIG
       redis-tls check-rdb FILE
       redis-tls check-aof [--fix | --truncate-to-timestamp SECONDS] FILE
       redis-tls migrate --from redis://HOST:PORT --to rediss://HOST:PORT [--cacert FILE] ...
       redis-tls --version | --help

CONFIG is a redis-tls.toml or a redis.conf; `-` reads directives from standard input. Every parameter can be given as
--name value and then overrides the file. Without arguments redis-tls.toml of the current folder is read, and
development certificates are made where they are missing.

  redis-tls --port 0 --tls-port 6379 --tls-cert-file server.crt --tls-key-file server.key --tls-ca-cert-file ca.crt
";

#[derive(Parser)]
#[command(name = "redis-tls", disable_help_subcommand = true)]
struct Tools {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Subcommand)]
enum Tool {
    /// Certificates for development.
    Certs {
        #[command(subcommand)]
        action: Certs,
    },
    /// Reads a configuration and says whether a server would start with it.
    Check {
        /// The file.
        config: PathBuf,
    },
    /// Reads an append only file and says how much of it is good.
    CheckAof {
        /// Cut off what is not.
        #[arg(long, conflicts_with = "truncate_to_timestamp")]
        fix: bool,
        /// Cut off what was written after this Unix time in seconds.
        #[arg(long)]
        truncate_to_timestamp: Option<i64>,
        /// The manifest, or a single file.
        file: PathBuf,
    },
    /// Reads a snapshot and says what is in it, or where it is damaged.
    CheckRdb {
        /// The file.
        file: PathBuf,
    },
    /// Brings everything of one server over to another while it is being used: a copy, the live stream, and the cut-over.
    Migrate(Box<MigrateOptions>),
}

#[derive(Subcommand)]
enum Certs {
    /// Makes a CA, a server and a client certificate; files that exist are kept.
    Create {
        /// The folder.
        #[arg(long)]
        out: PathBuf,
        /// A further host name or address of the server.
        #[arg(long = "san")]
        sans: Vec<String>,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    process::make_room_for_title();
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let first = args.first().and_then(|arg| arg.to_str());
    match first {
        Some("--version" | "-v") => {
            println!("redis-tls v={} redis={}", env!("CARGO_PKG_VERSION"), crate::config::REDIS_VERSION);
            ExitCode::SUCCESS
        }
        Some("--help" | "-h") => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        Some("certs" | "check" | "check-aof" | "check-rdb" | "migrate") => match Tools::try_parse() {
            Ok(tools) => run_tool(tools.tool),
            Err(error) => {
                // Help goes to standard output, mistakes to standard error; a closed stream is nobody's concern.
                let _ = error.print();
                ExitCode::from(u8::from(error.use_stderr()))
            }
        },
        _ => start::serve(&args),
    }
}

fn run_tool(tool: Tool) -> ExitCode {
    let outcome = match tool {
        Tool::Certs { action: Certs::Create { out, sans } } => create_certificates(&out, &sans)
            .map(|created| {
                for path in &created.made {
                    println!("created {}", path.display());
                }
                println!("redis-cli --tls --cacert {}", created.ca.certificate.display());
            })
            .map_err(|error| error.to_string()),
        Tool::Check { config } => check(&config),
        Tool::CheckAof { fix, truncate_to_timestamp, file } => {
            return check_aof::run(&file, check_aof::Wanted::new(fix, truncate_to_timestamp));
        }
        Tool::CheckRdb { file } => return check_rdb(&file),
        Tool::Migrate(options) => return migrate::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn check_rdb(file: &std::path::Path) -> ExitCode {
    match check_rdb::run(file) {
        Ok((report, whole)) => {
            // Whoever reads only the beginning has seen what they wanted.
            let _ = std::io::stdout().write_all(report.as_bytes());
            ExitCode::from(u8::from(!whole))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn check(config: &std::path::Path) -> Result<(), String> {
    let line = CommandLine { file: Some(config.to_path_buf()), ..CommandLine::default() };
    let loaded = load(&line, &mut std::io::empty()).map_err(|error| error.to_string())?;
    loaded.validate().map_err(|error| error.to_string())?;
    start::refuse_missing_features(&loaded)?;
    start::configured_users(&start::configured_table(&loaded)?, &loaded)?;
    if loaded.settings.transit_encryption {
        let options = crate::engine::tls_options(&loaded.settings).map_err(|error| error.to_string())?;
        let tls = crate::tls::live::LiveTls::start(options).map_err(|error| error.to_string())?;
        println!("certificate: {}", tls.current().certificate().subject);
    }
    check_data_folder(&loaded.settings)?;
    println!("{}: a server would start with it", config.display());
    Ok(())
}

/// The data folder must be there, and belong to the configured group, to one of the configured mode, or to none.
fn check_data_folder(settings: &Settings) -> Result<(), String> {
    let dir = std::path::Path::new(&settings.general.dir);
    if !dir.is_dir() {
        return Err(format!("dir {}: there is no such folder; create it, or name another", dir.display()));
    }
    let mode = if settings.transit_encryption { TransitEncryption::On } else { TransitEncryption::Off };
    let configured = Configured { mode, id: &settings.replication.group_id };
    GroupIdentity::find(dir, configured).map_err(|error| error.to_string()).map(drop)
}
