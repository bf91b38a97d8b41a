//! Every parameter of the server: one table, the typed live values, and the ways in and out.
//!
//! The table ([`table`]) declares each parameter once: name, aliases, kind, default, what a change sets off, and its
//! description. Everything else is a function of the table: the fields of [`Settings`], `CONFIG GET`, `SET` and
//! `REWRITE`, `redis.conf`, `redis-tls.toml`, the command line, and the commented sample file.
//!
//! Flow: [`CommandLine`] names the files, [`load()`] turns them into [`Loaded`] (settings and where each came from),
//! [`Loaded::validate`] checks across parameters, [`Config::new`] makes them live. This module knows no keys, clients or
//! sockets: what a changed parameter sets off stands behind [`ApplyHooks`].

mod command_line;
mod conf_file;
mod directive;
mod error;
mod file_type;
mod include;
mod kind;
mod live;
mod load;
mod parameter;
mod process_title;
mod rewrite;
mod rewrite_conf;
mod rewrite_toml;
mod sample;
mod set;
mod settings;
pub mod table;
mod text_checks;
mod toml_file;
mod validate;
mod value;
pub mod values;

pub use command_line::CommandLine;
pub use directive::{Directive, Origin, Source};
pub use error::{LoadError, REDIS_VERSION, RewriteError, SetError};
pub use kind::Kind;
pub use live::Config;
pub use load::{Loaded, load};
pub use parameter::{Effect, Mutability, Parameter};
pub use process_title::process_title;
pub use sample::sample_toml;
pub use set::{ApplyHooks, NoHooks};
pub use settings::Settings;
pub use validate::Conflict;
