//! Assembling the server, running it, and taking it down.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::LocalSet;

use super::listening::Listening;
use super::{daemon, loading, logging, stopping, supervision};
use crate::acl::{self, CommandIndex, Users};
use crate::base::clock::UnixMillis;
use crate::base::memory::used_memory;
use crate::commands;
use crate::config::{CommandLine, Config, Loaded, REDIS_VERSION, Settings, load};
use crate::engine::{CommandTable, Engine, Parts, tls_options};
use crate::group::{Configured, GroupIdentity};
use crate::network::WorkerPool;
use crate::tasks::{self, Watched};
use crate::tls::development::create_certificates;
use crate::tls::live::LiveTls;
use crate::tls::mode::TransitEncryption;

/// The configuration that is read when none is named.
const DEFAULT_CONFIG: &str = "redis-tls.toml";

/// Starts the server and serves until it is told to end.
pub fn serve(args: &[OsString]) -> ExitCode {
    match prepare(args) {
        Ok(prepared) => run(prepared),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything that can be refused before a thread or a socket exists.
struct Prepared {
    loaded: Loaded,
    table: CommandTable,
    users: Users,
    tls: Option<Arc<LiveTls>>,
    hint: Option<String>,
}

fn prepare(args: &[OsString]) -> Result<Prepared, String> {
    let mut line = CommandLine::parse(args);
    let by_default = args.is_empty() && Path::new(DEFAULT_CONFIG).exists();
    if by_default {
        line.file = Some(DEFAULT_CONFIG.into());
        make_data_folder()?;
    }
    let loaded = load(&line, &mut std::io::stdin()).map_err(|error| error.to_string())?;
    loaded.validate().map_err(|error| error.to_string())?;
    refuse_missing_features(&loaded)?;
    let table = configured_table(&loaded)?;
    let users = configured_users(&table, &loaded)?;
    let settings = &loaded.settings;
    if by_default && settings.transit_encryption {
        make_missing_certificates(settings)?;
    }
    let tls = if settings.transit_encryption {
        let options = tls_options(settings).map_err(|error| error.to_string())?;
        Some(Arc::new(LiveTls::start(options).map_err(|error| error.to_string())?))
    } else {
        None
    };
    let hint = by_default.then(|| client_line(settings));
    Ok(Prepared { loaded, table, users, tls, hint })
}

/// Refuses a configuration that counts on what this version does not do: starting without it would lose data or open what is
/// meant to be closed.
pub(super) fn refuse_missing_features(loaded: &Loaded) -> Result<(), String> {
    let settings = &loaded.settings;
    let features = [(settings.cluster.cluster_enabled, "cluster-enabled yes", "there is no cluster")];
    match features.iter().find(|(asked_for, ..)| *asked_for) {
        Some((_, directive, instead)) => Err(format!(
            "'{directive}' is not supported yet: in this version {instead}; remove the directive to start without it"
        )),
        None => Ok(()),
    }
}

/// The command table, with the names that the configuration gives to commands.
pub(super) fn configured_table(loaded: &Loaded) -> Result<CommandTable, String> {
    let mut table = commands::table();
    for line in &loaded.renamed_commands {
        let [from, to] = line.args.as_slice() else { continue };
        table.rename(from, to).map_err(|reason| line.refused(reason).to_string())?;
    }
    Ok(table)
}

/// The users that the configuration names, in terms of the command table.
pub(super) fn configured_users(table: &CommandTable, loaded: &Loaded) -> Result<Users, String> {
    acl::configured(CommandIndex::new(table.rows().iter().map(|row| &row.spec)), loaded)
}

fn warn_of_disabled_users(loaded: &Loaded, users: &Users) {
    let named = loaded.users.iter().filter_map(|line| users.get(line.args.first()?));
    for user in named.filter(|user| !user.rules().enabled) {
        tracing::info!(
            "The user '{}' is disabled (there is no 'on' modifier in the user description). Make sure this is not a \
             configuration error.",
            user.name_text()
        );
    }
}

/// The shipped configuration keeps its data in a folder of its own, which a fresh clone does not have.
fn make_data_folder() -> Result<(), String> {
    let text = std::fs::read_to_string(DEFAULT_CONFIG).map_err(|error| format!("{DEFAULT_CONFIG}: {error}"))?;
    let document: Result<toml_edit::DocumentMut, _> = text.parse();
    // A file that does not parse is reported, with its line, by the loader.
    let Ok(document) = document else { return Ok(()) };
    let named = document.iter().find_map(|(name, item)| match item {
        toml_edit::Item::Value(value) if name == "dir" => value.as_str().map(str::to_owned),
        toml_edit::Item::Table(table) => table.get("dir").and_then(|value| value.as_str()).map(str::to_owned),
        _ => None,
    });
    match named {
        Some(dir) => std::fs::create_dir_all(&dir).map_err(|error| format!("{dir}: {error}")),
        None => Ok(()),
    }
}

fn make_missing_certificates(settings: &Settings) -> Result<(), String> {
    let certificate = Path::new(&settings.tls.tls_cert_file);
    if certificate.exists() {
        return Ok(());
    }
    let folder = certificate.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let created = create_certificates(&folder, &[]).map_err(|error| error.to_string())?;
    for path in created.made {
        println!("created {}", path.display());
    }
    Ok(())
}

/// The line to type for a first look.
fn client_line(settings: &Settings) -> String {
    if settings.transit_encryption {
        format!("redis-cli --tls --cacert {} -p {}", settings.tls.tls_ca_cert_file, settings.network.tls_port)
    } else {
        format!("redis-cli -p {}", settings.network.port)
    }
}

fn run(prepared: Prepared) -> ExitCode {
    let daemonize = prepared.loaded.settings.general.daemonize;
    // Before any thread exists: a fork keeps only the thread that calls it.
    if daemonize && let Err(error) = daemon::into_background() {
        eprintln!("daemonize: {error}");
        return ExitCode::FAILURE;
    }
    if let Err(error) = logging::start(&prepared.loaded.settings, daemonize) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    match assemble(prepared) {
        Ok(assembled) => serve_until_shutdown(assembled),
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

struct Assembled {
    engine: &'static Engine,
    listening: Arc<Listening>,
    /// What the watchdog is to watch.
    workers: Vec<Watched>,
    hint: Option<String>,
}

fn assemble(prepared: Prepared) -> Result<Assembled, String> {
    let Prepared { loaded, table, users, tls, hint } = prepared;
    let file = loaded.file.clone();
    let settings = loaded.settings.clone();
    let mode = if settings.transit_encryption { TransitEncryption::On } else { TransitEncryption::Off };
    tracing::info!("oO0OoO0OoO0Oo redis-tls is starting oO0OoO0OoO0Oo");
    tracing::info!(
        "redis-tls version={}, redis={REDIS_VERSION}, bits=64, PID: {}",
        env!("CARGO_PKG_VERSION"),
        std::process::id()
    );
    warn_of_disabled_users(&loaded, &users);
    let now = UnixMillis::now();
    // Listening comes before the data folder is touched: a busy port must leave nothing behind.
    let listeners = Listening::open(&settings).map_err(|error| error.to_string())?;
    let folder = PathBuf::from(&settings.general.dir);
    let configured = Configured { mode, id: &settings.replication.group_id };
    let group = GroupIdentity::open(&folder, configured, now.seconds()).map_err(|error| error.to_string())?;
    tracing::info!("Group {} with transit encryption {}", group.id, group.mode);
    let workers = match settings.network.worker_threads {
        // One core is left to handshakes, background work and the kernel: measured on two cores, a second worker makes each
        // request dearer and none of them sooner.
        0 => std::thread::available_parallelism().map_or(1, |cores| (cores.get() - 1).max(1)),
        count => count as usize,
    };
    let parts = Parts { config: Config::new(loaded), config_file: file, table, users, tls, workers, now_ms: now.0 };
    // One engine per process, for as long as the process lives.
    let engine: &'static Engine = Box::leak(Box::new(Engine::new(parts)));
    engine.startup_memory.store(used_memory(), Relaxed);
    // The folder may be changed later; the group is that of the one the server was started in.
    let folder = folder.canonicalize().unwrap_or(folder);
    engine.replication.membership.enter(group, folder);
    loading::announce(engine);
    engine.follow_configured();
    let pool = Arc::new(WorkerPool::start(engine, workers).map_err(|error| format!("no threads: {error}"))?);
    let workers = pool.threads().map(|(name, runtime)| Watched { name, runtime: runtime.clone() }).collect();
    let listening = Listening::start(engine, pool, listeners).map_err(|error| format!("no threads: {error}"))?;
    let rebind = Arc::clone(&listening);
    engine.set_rebind(Box::new(move |settings| rebind.move_to(settings)));
    if let Err(error) = daemon::write_pidfile(&settings) {
        tracing::warn!("{error}");
    }
    supervision::adjust_process(engine, &settings);
    Ok(Assembled { engine, listening, workers, hint })
}

fn serve_until_shutdown(assembled: Assembled) -> ExitCode {
    let Assembled { engine, listening, workers, hint } = assembled;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ending = LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(tasks::run_periodic(engine));
        tokio::task::spawn_local(tasks::run_watchdog(engine, workers));
        tokio::task::spawn_local(async move {
            if let Err(error) = tasks::run_signals(engine).await {
                tracing::error!("signals cannot be handled: {error}");
            }
        });
        tokio::select! {
            loaded = loading::run(engine) => loaded?,
            shutdown = engine.shutdown_requested() => return Ok(shutdown.exit_code),
        }
        if let Err(error) = tasks::start_replica_link(engine) {
            tracing::error!("no thread for the link to a primary: {error}");
        }
        let mode = if engine.tls.is_some() { "tls" } else { "tcp" };
        tracing::info!("Ready to accept connections {mode}");
        if let Some(line) = hint {
            tracing::info!("Try: {line}");
        }
        supervision::announce_ready(&engine.config.settings());
        loop {
            let shutdown = engine.shutdown_requested().await;
            if let Some(exit_code) = stopping::prepare(engine, shutdown).await {
                return Ok::<_, loading::LoadFailed>(exit_code);
            }
        }
    });
    let exit_code = match ending {
        Ok(exit_code) => exit_code,
        Err(loading::LoadFailed) => return ExitCode::FAILURE,
    };
    supervision::announce_stopping(&engine.config.settings());
    listening.stop();
    let settings = engine.config.settings();
    daemon::remove_pidfile(&settings);
    tracing::warn!("redis-tls is now ready to exit, bye bye...");
    ExitCode::from(exit_code as u8)
}
