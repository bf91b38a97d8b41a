//! A row of the parameter table, and the macro that declares rows and typed fields together.

use super::kind::Kind;
use super::settings::Settings;
use super::value::Value;
use crate::base::quoting::split_args;

/// May `CONFIG SET` change it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// At any time.
    Mutable,
    /// Only before the start.
    Immutable,
}

/// What a changed parameter sets off beyond its new value being read; see [`super::ApplyHooks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The plaintext listener moves.
    Port,
    /// The TLS listener moves.
    TlsPort,
    /// All listeners move.
    Bind,
    /// Certificates, trust and ciphers are read again.
    Tls,
    /// File descriptors for the new number of clients are needed.
    MaxClients,
    /// The default user's password changes.
    RequirePass,
    /// Eviction may have to begin.
    MaxMemory,
    /// The memory limit over all clients changes.
    ClientMemory,
    /// The rhythm of background work changes.
    Hz,
    /// The replication backlog is resized.
    ReplBacklog,
    /// The count of good replicas is taken again.
    GoodReplicas,
    /// The node is held to its group.
    Group,
    /// The append only file starts or stops.
    AppendOnly,
    /// The flush policy of the append only file changes.
    AppendFsync,
    /// Times are noted in the append only file, or no more.
    AofTimes,
    /// Old append only files may be removed.
    AofHistory,
    /// The kernel's out-of-memory score is adjusted.
    OomScore,
    /// What this node announces to its cluster changes.
    ClusterAnnounce,
    /// This node's flags in its cluster change.
    ClusterFlags,
    /// The log level changes.
    LogLevel,
    /// The data directory changes.
    Directory,
    /// The process title changes.
    ProcessTitle,
}

/// One parameter.
pub struct Parameter {
    /// The name as files and `CONFIG` spell it.
    pub name: &'static str,
    /// Older names.
    pub aliases: &'static [&'static str],
    /// How values are read and bounded.
    pub kind: Kind,
    /// The default, as a configuration file would give it.
    pub default: &'static str,
    /// May `CONFIG SET` change it?
    pub mutability: Mutability,
    /// Left out of `CONFIG GET` with patterns and out of the sample file.
    pub hidden: bool,
    /// `CONFIG SET` needs `enable-protected-configs`.
    pub protected: bool,
    /// The value is a secret: redacted in logs.
    pub sensitive: bool,
    /// Setting the same value again still has its effect (files whose content may have changed).
    pub volatile: bool,
    /// `CONFIG SET` answers LOADING while the data set is being loaded.
    pub denied_while_loading: bool,
    /// Accepted for compatibility; this server does nothing with it.
    pub inert: bool,
    /// What a change sets off.
    pub effect: Option<Effect>,
    doc: &'static str,
    field: fn(&Settings) -> &dyn Value,
    field_mut: fn(&mut Settings) -> &mut dyn Value,
}

impl Parameter {
    /// A visible, mutable parameter without side effects; the methods below make it something else.
    pub(super) const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        doc: &'static str,
        default: &'static str,
        kind: Kind,
        field: fn(&Settings) -> &dyn Value,
        field_mut: fn(&mut Settings) -> &mut dyn Value,
    ) -> Self {
        Self {
            name,
            aliases,
            kind,
            default,
            mutability: Mutability::Mutable,
            hidden: false,
            protected: false,
            sensitive: false,
            volatile: false,
            denied_while_loading: false,
            inert: false,
            effect: None,
            doc,
            field,
            field_mut,
        }
    }

    pub(super) const fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }

    pub(super) const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    pub(super) const fn protected(mut self) -> Self {
        self.protected = true;
        self
    }

    pub(super) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    pub(super) const fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    pub(super) const fn denied_while_loading(mut self) -> Self {
        self.denied_while_loading = true;
        self
    }

    pub(super) const fn inert(mut self) -> Self {
        self.inert = true;
        self
    }

    pub(super) const fn effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// What it is for, in a sentence or two.
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// The value as `CONFIG GET` shows it.
    pub fn get(&self, settings: &Settings) -> Vec<u8> {
        (self.field)(settings).show(&self.kind)
    }

    /// Do both settings agree on this parameter?
    pub fn same(&self, a: &Settings, b: &Settings) -> bool {
        self.get(a) == self.get(b)
    }

    /// Assigns the words of one directive. `repeated` says that the same parameter was given before in the same
    /// loading, so that kinds which gather several directives add to what is there.
    pub(super) fn assign(&self, settings: &mut Settings, args: &[&[u8]], repeated: bool) -> Result<(), String> {
        if !self.kind.takes_many() && args.len() != 1 {
            return Err("wrong number of arguments".into());
        }
        (self.field_mut)(settings).assign(args, &self.kind, repeated)
    }

    /// What `redis.conf` says after the name to bring this value about: one text per line, none for "not set".
    pub(super) fn conf_lines(&self, settings: &Settings) -> Vec<String> {
        (self.field)(settings).conf_lines(&self.kind)
    }
}

/// The value that a row's default stands for. The table's tests assign every default, so this cannot fail in a build
/// that passed them.
pub(super) fn default_value<T: Value + Default>(name: &str, default: &str, kind: &Kind) -> T {
    let words = if kind.takes_many() {
        split_args(default.as_bytes()).expect("a default in the table has balanced quotes")
    } else {
        vec![default.as_bytes().to_vec()]
    };
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let mut value = T::default();
    if let Err(reason) = value.assign(&words, kind, false) {
        panic!("the default of {name} is not a value of its own kind: {reason}");
    }
    value
}

/// Declares a theme: its rows for the table and the struct that holds its typed values.
///
/// ```text
/// parameters! {
///     /// Description of the theme.
///     pub struct Network, network;
///
///     /// Description of the parameter.
///     "tcp-backlog" | "older-name" => tcp_backlog: u32 = "511", int(0, INT_MAX), [immutable()];
/// }
/// ```
macro_rules! parameters {
    (
        $(#[doc = $theme_doc:literal])+
        pub struct $Theme:ident, $theme:ident;
        $(
            $(#[doc = $doc:literal])+
            $name:literal $(| $alias:literal)* => $field:ident: $ty:ty = $default:literal, $kind:expr
                $(, [$($trait:ident($($argument:expr)?)),+])?;
        )+
    ) => {
        $(#[doc = $theme_doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Theme {
            $($(#[doc = $doc])+ pub $field: $ty,)+
        }

        impl Default for $Theme {
            fn default() -> Self {
                Self {
                    $($field: $crate::config::parameter::default_value($name, $default, &$kind),)+
                }
            }
        }

        /// The rows of this theme.
        pub(in crate::config) static ROWS: &[$crate::config::parameter::Parameter] = &[
            $($crate::config::parameter::Parameter::new(
                $name,
                &[$($alias),*],
                concat!($($doc),+),
                $default,
                $kind,
                |settings| &settings.$theme.$field,
                |settings| &mut settings.$theme.$field,
            )$($(.$trait($($argument)?))+)?,)+
        ];
    };
}

pub(super) use parameters;
