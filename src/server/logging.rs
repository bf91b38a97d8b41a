//! Log lines, in Redis's form: `pid:role date time mark message`.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::terminal;
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::config::values::LogLevel;

/// The least severe level that is logged: 0 is warnings only, 3 is everything.
static VERBOSITY: AtomicU8 = AtomicU8::new(1);

enum Output {
    Stdout,
    File(Mutex<File>),
    Nothing,
}

struct Lines {
    output: Output,
}

/// Starts logging as the settings say.
pub fn start(settings: &Settings, daemonized: bool) -> Result<(), String> {
    set_level(settings.logging.loglevel);
    let logfile = &settings.logging.logfile;
    let output = if logfile.is_empty() {
        if daemonized { Output::Nothing } else { Output::Stdout }
    } else {
        let file = OpenOptions::new().append(true).create(true).open(logfile);
        Output::File(Mutex::new(file.map_err(|error| format!("Can't open the log file {logfile}: {error}"))?))
    };
    let subscriber = tracing_subscriber::registry().with(Lines { output });
    tracing::subscriber::set_global_default(subscriber).map_err(|error| error.to_string())
}

/// Changes the level.
pub fn set_level(level: LogLevel) {
    let verbosity = match level {
        LogLevel::Warning | LogLevel::Nothing => 0,
        LogLevel::Notice => 1,
        LogLevel::Verbose => 2,
        LogLevel::Debug => 3,
    };
    VERBOSITY.store(verbosity, Relaxed);
}

fn rank(level: &Level) -> (u8, char) {
    match *level {
        Level::ERROR | Level::WARN => (0, '#'),
        Level::INFO => (1, '*'),
        Level::DEBUG => (2, '-'),
        Level::TRACE => (3, '.'),
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        rank(metadata.level()).0 <= VERBOSITY.load(Relaxed)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (_, mark) = rank(event.metadata().level());
        let mut text = Text::default();
        event.record(&mut text);
        let line = format!(
            "{}:M {} {mark} {}{}\n",
            std::process::id(),
            timestamp(UnixMillis::now()),
            text.message,
            text.fields
        );
        // A log that cannot be written has no place to say so.
        let _ = match &self.output {
            Output::Stdout => {
                terminal::log(&line);
                Ok(())
            }
            Output::File(file) => file.lock().write_all(line.as_bytes()),
            Output::Nothing => Ok(()),
        };
    }
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// `24 Nov 2026 11:05:09.123`, local time.
fn timestamp(now: UnixMillis) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds: libc::time_t = now.seconds();
    let mut local = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid; all-zero is a valid `tm`, which is what stays if the call fails.
    let local = unsafe {
        libc::localtime_r(&seconds, local.as_mut_ptr());
        local.assume_init()
    };
    format!(
        "{:02} {} {} {:02}:{:02}:{:02}.{:03}",
        local.tm_mday,
        MONTHS[local.tm_mon.clamp(0, 11) as usize],
        local.tm_year + 1900,
        local.tm_hour,
        local.tm_min,
        local.tm_sec,
        now.0.rem_euclid(1000)
    )
}
