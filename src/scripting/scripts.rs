//! Cached scripts, known by the digest of their text, and the interpreter they run in.
//!
//! What must be known of a script before it runs stands in an index of its own, so that looking never waits for a script that
//! is running. The interpreter's lock is taken under the exclusive gate, and before the index's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mlua::{Function, Table};
use parking_lot::{Mutex, MutexGuard};

use super::debugger::Debugger;
use super::digest::{ScriptDigest, sha1hex};
use super::flags::{ScriptFlags, of_script};
use super::host::SharedHost;
use super::interpreter::{Ended, Interpreter, Purpose, SCRIPT};
use super::results::{self, Errors};
use crate::resp::{Reply, WireError};

/// Bytes that an entry of the cache takes beside the script's text.
const ENTRY_BYTES: usize = 120;

/// The scripts of EVAL.
pub struct Scripts {
    /// Whether scripts have what `lua-enable-deprecated-api` is about.
    deprecated: bool,
    interpreter: Mutex<Cache>,
    /// Bytes of the interpreter when it was last used.
    interpreter_bytes: AtomicUsize,
    index: Mutex<HashMap<ScriptDigest, Known>>,
}

/// The interpreter, and in it a table of compiled scripts by digest.
struct Cache {
    interpreter: Interpreter,
    compiled: Table,
}

#[derive(Clone, Copy)]
struct Known {
    flags: ScriptFlags,
    bytes: usize,
}

/// What scripts take, for INFO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptFigures {
    /// Cached scripts.
    pub count: usize,
    /// Bytes of their texts and of the index.
    pub script_bytes: usize,
    /// Bytes of the interpreter.
    pub interpreter_bytes: usize,
}

impl Cache {
    fn new(deprecated: bool) -> mlua::Result<Self> {
        let interpreter = Interpreter::new(Purpose::Scripts, deprecated)?;
        let compiled = interpreter.lua().create_table()?;
        Ok(Self { interpreter, compiled })
    }
}

impl Scripts {
    /// An empty cache; `deprecated` is what `lua-enable-deprecated-api` says. Fails only if there is no memory for an interpreter.
    pub fn new(deprecated: bool) -> mlua::Result<Self> {
        let cache = Cache::new(deprecated)?;
        let interpreter_bytes = AtomicUsize::new(cache.interpreter.used_memory());
        Ok(Self { deprecated, interpreter: Mutex::new(cache), interpreter_bytes, index: Mutex::default() })
    }

    /// Nobody waits for the interpreter: whoever finds it in use is a command of the very script that uses it.
    fn enter(&self) -> Result<MutexGuard<'_, Cache>, WireError> {
        self.interpreter.try_lock().ok_or(IN_USE)
    }

    fn note_memory(&self, cache: &Cache) {
        self.interpreter_bytes.store(cache.interpreter.used_memory(), Relaxed);
    }

    /// The flags of a cached script.
    pub fn find(&self, digest: &ScriptDigest) -> Option<ScriptFlags> {
        self.index.lock().get(digest).map(|known| known.flags)
    }

    /// The flags of a script that may not be cached yet; `None` if it will not compile.
    pub fn flags_of(&self, source: &[u8]) -> Option<ScriptFlags> {
        of_script(source).ok().map(|(flags, _)| flags)
    }

    /// Compiles and caches a script, if it is not yet.
    pub fn load(&self, source: &[u8]) -> Result<(ScriptDigest, ScriptFlags), WireError> {
        let digest = sha1hex(source);
        if let Some(flags) = self.find(&digest) {
            return Ok((digest, flags));
        }
        let (flags, code) = of_script(source)?;
        let cache = self.enter()?;
        let function = cache
            .interpreter
            .compile(&source[code..], SCRIPT)
            .map_err(|message| WireError::quoting(&[b"ERR Error compiling script (new function): ", &message]))?;
        cache.compiled.raw_set(key(&cache, &digest)?, function).map_err(no_memory)?;
        self.note_memory(&cache);
        self.index.lock().insert(digest, Known { flags, bytes: source.len() });
        Ok((digest, flags))
    }

    /// Runs a cached script and writes its reply. Errors come back for the caller to count.
    pub fn run(
        &self,
        digest: &ScriptDigest,
        keys: &[&[u8]],
        arguments: &[&[u8]],
        host: &SharedHost,
        reply: &mut Reply<'_>,
    ) -> Result<Errors, WireError> {
        self.run_as(digest, [keys, arguments], host, reply, |interpreter, script| interpreter.run(host, script, None))
    }

    /// Runs a cached script as [`Scripts::run`] does, under a debugger.
    pub fn debug(
        &self,
        debugger: &Debugger,
        digest: &ScriptDigest,
        keys_and_arguments: [&[&[u8]]; 2],
        host: &SharedHost,
        reply: &mut Reply<'_>,
    ) -> Result<Errors, WireError> {
        self.run_as(digest, keys_and_arguments, host, reply, |interpreter, script| {
            interpreter.debug(host, debugger, script)
        })
    }

    fn run_as(
        &self,
        digest: &ScriptDigest,
        [keys, arguments]: [&[&[u8]]; 2],
        host: &SharedHost,
        reply: &mut Reply<'_>,
        run: impl FnOnce(&Interpreter, &Function) -> Ended,
    ) -> Result<Errors, WireError> {
        let cache = self.enter()?;
        let function: Function = cache.compiled.raw_get(key(&cache, digest)?).map_err(no_memory)?;
        let interpreter = &cache.interpreter;
        for (name, values) in [("KEYS", keys), ("ARGV", arguments)] {
            let table = interpreter.strings(values).map_err(no_memory)?;
            interpreter.set_global(name, mlua::Value::Table(table)).map_err(no_memory)?;
        }
        interpreter.reset_environment(&function).map_err(no_memory)?;
        let ended = run(interpreter, &function);
        let errors = results::write(interpreter.lua(), &digest.to_string(), &ended, host, reply);
        drop(ended);
        interpreter.tidy();
        self.note_memory(&cache);
        Ok(errors)
    }

    /// Forgets all scripts and starts a new interpreter.
    pub fn flush(&self) -> Result<(), WireError> {
        let mut cache = self.enter()?;
        *cache = Cache::new(self.deprecated).map_err(no_memory)?;
        self.note_memory(&cache);
        *self.index.lock() = HashMap::new();
        Ok(())
    }

    /// What scripts take.
    pub fn figures(&self) -> ScriptFigures {
        let interpreter_bytes = self.interpreter_bytes.load(Relaxed);
        let index = self.index.lock();
        let texts: usize = index.values().map(|known| known.bytes).sum();
        let script_bytes = texts + index.len() * ENTRY_BYTES;
        ScriptFigures { count: index.len(), script_bytes, interpreter_bytes }
    }
}

fn key(cache: &Cache, digest: &ScriptDigest) -> Result<mlua::LuaString, WireError> {
    cache.interpreter.lua().create_string(digest.as_bytes()).map_err(no_memory)
}

/// A script may not do to its own interpreter what only commands outside do.
pub(super) const IN_USE: WireError = WireError::fixed("ERR This Redis command is not allowed from script");

/// The interpreter has no memory left for what the server itself needs of it.
pub(super) fn no_memory(error: mlua::Error) -> WireError {
    WireError::new(format!("ERR {error}"))
}
