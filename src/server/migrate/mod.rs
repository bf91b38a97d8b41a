//! `redis-tls migrate`: everything of one server brought over to another while it is being used.
//!
//! The tool is a replica to the source and a client to the target, so that neither has to know the other, nor its mode: a plaintext Redis
//! moves into an encrypted group this way. It copies, follows the live stream, and reports the cut-over. It knows no engine and no keyspace
//! of a server; nothing of the data stays here but what is in flight.
//!
//! | file | what it is |
//! |---|---|
//! | `options` | the command line |
//! | `endpoint`, `calls` | a server: URL, password and TLS; questions to it |
//! | `source`, `stream` | the replica's end; the stream taken apart into commands |
//! | `target` | many requests in flight, and their answers |
//! | `copy`, `follow` | the snapshot, and the live stream |
//! | `lag`, `expiry`, `passes` | whether the target keeps up; nothing expires while it does not; that is put right |
//! | `stop`, `progress`, `report` | signals in, lines and the report out |
//!
//! What always holds: the target is not touched before the source has agreed to be followed; a target that holds anything is refused unless
//! it is to be emptied; and the source is told of nothing as done that the target has not answered. A target that is lost in the middle ends it:
//! which of the commands in flight it has carried out nobody knows, so that it can only be emptied and copied to anew.

mod calls;
mod copy;
mod endpoint;
mod expiry;
mod follow;
mod lag;
mod options;
mod passes;
mod progress;
mod report;
mod source;
mod stop;
mod stream;
mod target;

use std::process::ExitCode;
use std::time::{Duration, Instant};

pub use options::MigrateOptions;

use calls::{Calls, Identity, KeyCounts};
use endpoint::{Endpoint, TlsFiles};
use expiry::PutOff;
use follow::Follower;
use progress::Progress;
use report::{Report, counts_agree};
use source::Source;
use stop::Stop;
use target::Target;

/// The exit code of a cut-over with differences.
const DIFFERENT: u8 = 3;
/// How long the counts of keys may take to agree.
const SETTLE: Duration = Duration::from_secs(3);
/// How long a digest may take.
const DIGEST: Duration = Duration::from_secs(3600);

/// Migrates; the report goes to standard output, everything else to standard error.
pub fn run(options: &MigrateOptions) -> ExitCode {
    match migrate(options) {
        Ok(report) => {
            print!("{}", report.text());
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn endpoints(options: &MigrateOptions) -> Result<(Endpoint, Endpoint), String> {
    let both = TlsFiles {
        cacert: options.cacert.clone(),
        cert: options.cert.clone(),
        key: options.key.clone(),
        server_name: options.tls_server_name.clone(),
    };
    let from = TlsFiles {
        cacert: options.from_cacert.clone().or(options.cacert.clone()),
        cert: options.from_cert.clone().or(options.cert.clone()),
        key: options.from_key.clone().or(options.key.clone()),
        server_name: options.from_tls_server_name.clone().or(options.tls_server_name.clone()),
    };
    let timeout = Duration::from_secs(options.timeout);
    let source = Endpoint::new(&options.from, "REDIS_TLS_FROM_PASSWORD", from, timeout);
    let target = Endpoint::new(&options.to, "REDIS_TLS_TO_PASSWORD", both, timeout);
    Ok((source.map_err(|error| format!("--from: {error}"))?, target.map_err(|error| format!("--to: {error}"))?))
}

fn migrate(options: &MigrateOptions) -> Result<Report, String> {
    let (from, to) = endpoints(options)?;
    let stop = Stop::default();
    stop.listen().map_err(|error| format!("signals cannot be received: {error}"))?;
    let (mut from_calls, mut to_calls) = (Calls::open(&from)?, Calls::open(&to)?);
    let (from_identity, to_identity) = (from_calls.identity()?, to_calls.identity()?);
    check_target(&mut to_calls, &to_identity, &from_identity, options.flush_target)?;
    let version = to_identity.payload_version()?;
    drop(from_calls);

    let begun = Instant::now();
    let (mut source, copied_at) = Source::begin(&from)?;
    if options.flush_target {
        to_calls.call(&[b"FLUSHALL"])?;
        to_calls.call(&[b"FUNCTION", b"FLUSH"])?;
    }
    drop(to_calls);
    let mut target = Target::open(&to)?;
    let mut progress = Progress::new(options.progress, &from);
    let header = source.header()?;
    // From here on the target has a part of the data.
    let unfinished = |error: String| {
        format!(
            "{error}\nno cut-over: the source is as it was, {to} has a part of the data; begin again with --flush-target"
        )
    };
    let mut put_off = PutOff::new(version);
    let copied = copy::copy(&mut source, header, &mut target, &mut put_off, &mut progress).map_err(unfinished)?;
    let copy_time = begun.elapsed();
    eprintln!("copied {} keys in {:.1} s; following the source", copied.keys, copy_time.as_secs_f64());
    if options.once {
        stop.ask();
    }
    let followed = Follower {
        source: &mut source,
        target: &mut target,
        from: &from,
        to: &to,
        put_off: &mut put_off,
        progress: &mut progress,
        stop: &stop,
        pause: options.pause_source.map(Duration::from_secs),
    }
    .run(copied_at)
    .map_err(unfinished)?;

    let uncompared = |error: String| {
        format!(
            "{error}\neverything up to {} was brought over, but source and target were not compared",
            followed.reached
        )
    };
    let (mut from_calls, mut to_calls) =
        (Calls::open(&from).map_err(uncompared)?, Calls::open(&to).map_err(uncompared)?);
    let counts = compare(&mut from_calls, &mut to_calls).map_err(uncompared)?;
    let digests = options.digest.then(|| digests(&mut from_calls, &mut to_calls)).transpose().map_err(uncompared)?;
    let source_end = from_calls.offset().map_err(uncompared)?;
    Ok(Report {
        source: format!("{from} ({})", from_identity.version),
        target: format!("{to} ({})", to_identity.version),
        history: source.history.to_string(),
        copied_at: copied_at.0,
        copied,
        copy_time,
        followed,
        refusals: target.refusals(),
        cuts: source.cuts,
        source_end,
        counts,
        digests,
    })
}

/// The target must be a primary, another server than the source, and empty unless it is to be emptied.
fn check_target(calls: &mut Calls, target: &Identity, source: &Identity, flush: bool) -> Result<(), String> {
    if !target.run_id.is_empty() && target.run_id == source.run_id {
        return Err("source and target are the same server".into());
    }
    if !calls.is_primary()? {
        return Err("the target is a replica: name its primary instead".into());
    }
    if flush {
        return Ok(());
    }
    let keys: u64 = calls.key_counts()?.values().map(|count| count.keys).sum();
    if keys > 0 {
        return Err(format!("the target holds {keys} keys: --flush-target empties it first"));
    }
    if calls.has_functions()? {
        return Err("the target holds libraries of functions: --flush-target removes them first".into());
    }
    Ok(())
}

/// The numbers of keys of both sides, once they agree or have had the time to.
fn compare(from: &mut Calls, to: &mut Calls) -> Result<(KeyCounts, KeyCounts), String> {
    let end = Instant::now() + SETTLE;
    loop {
        let counts = (from.key_counts()?, to.key_counts()?);
        if counts_agree(&counts.0, &counts.1) || Instant::now() > end {
            return Ok(counts);
        }
        std::thread::sleep(SETTLE / 30);
    }
}

fn digests(from: &mut Calls, to: &mut Calls) -> Result<(String, String), String> {
    from.be_patient(DIGEST)?;
    to.be_patient(DIGEST)?;
    Ok((from.digest()?, to.digest()?))
}
