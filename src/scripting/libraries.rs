//! Loaded libraries: what they are called, what they contain, and the interpreter their functions run in.
//!
//! What must be known of a function before it runs stands in an index of its own, so that looking never waits for a function
//! that is running. The interpreter's lock is taken under the exclusive gate, and before the index's.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mlua::{Function, Table};
use parking_lot::{Mutex, MutexGuard};

use super::flags::ScriptFlags;
use super::host::SharedHost;
use super::interpreter::{Interpreter, Purpose};
use super::library::{self, Registered, RegisteredFunction};
use super::results::{self, Errors};
use super::scripts::{IN_USE, no_memory};
use crate::resp::{Reply, WireError};

/// Bytes that a library, and a function, take in the index beside their texts.
const ENTRY_BYTES: usize = 160;

/// All libraries.
pub struct Libraries {
    /// Whether functions have what `lua-enable-deprecated-api` is about.
    deprecated: bool,
    interpreter: Mutex<Callbacks>,
    /// Bytes of the interpreter when it was last used.
    interpreter_bytes: AtomicUsize,
    index: Mutex<Index>,
}

/// The interpreter, and in it a table of functions by their number.
struct Callbacks {
    interpreter: Interpreter,
    functions: Table,
    next: i64,
}

#[derive(Default, Clone)]
struct Index {
    libraries: BTreeMap<String, Library>,
    /// The library of each function, by its name in lower case.
    owners: HashMap<String, String>,
}

#[derive(Clone)]
struct Library {
    source: Vec<u8>,
    functions: Vec<Loaded>,
}

#[derive(Clone)]
struct Loaded {
    function: RegisteredFunction,
    /// Its place in the table of functions.
    callback: i64,
}

/// A library as FUNCTION LIST shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryReport {
    /// Its name.
    pub name: String,
    /// Its text, the first line included.
    pub source: Vec<u8>,
    /// Its functions.
    pub functions: Vec<RegisteredFunction>,
}

/// What libraries take, for INFO and FUNCTION STATS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LibraryFigures {
    /// Libraries.
    pub libraries: usize,
    /// Functions of all of them.
    pub functions: usize,
    /// Bytes of their texts and of the index.
    pub library_bytes: usize,
}

/// What happens to libraries that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    /// All of them go.
    Flush,
    /// They stay; one of the same name is an error.
    Append,
    /// They stay; one of the same name is replaced.
    Replace,
}

impl Callbacks {
    fn new(deprecated: bool) -> mlua::Result<Self> {
        let interpreter = Interpreter::new(Purpose::Functions, deprecated)?;
        let functions = interpreter.lua().create_table()?;
        Ok(Self { interpreter, functions, next: 0 })
    }

    /// Keeps functions where their numbers find them.
    fn keep(&mut self, registered: Registered) -> Result<Vec<Loaded>, WireError> {
        let mut loaded = Vec::with_capacity(registered.len());
        for (function, callback) in registered {
            self.next += 1;
            self.functions.raw_set(self.next, callback).map_err(no_memory)?;
            loaded.push(Loaded { function, callback: self.next });
        }
        Ok(loaded)
    }

    fn drop_all(&self, functions: &[Loaded]) {
        for function in functions {
            // Taking an entry away needs no memory.
            let _ = self.functions.raw_set(function.callback, mlua::Value::Nil);
        }
    }
}

impl Index {
    /// Puts a library in. A function of the same name in another library is an error; nothing has changed then.
    fn add(&mut self, name: String, library: Library) -> Result<(), WireError> {
        for loaded in &library.functions {
            if self.owners.contains_key(&loaded.function.name.to_ascii_lowercase()) {
                return Err(WireError::new(format!("ERR Function {} already exists", loaded.function.name)));
            }
        }
        for loaded in &library.functions {
            self.owners.insert(loaded.function.name.to_ascii_lowercase(), name.clone());
        }
        self.libraries.insert(name, library);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Option<Library> {
        let library = self.libraries.remove(name)?;
        for loaded in &library.functions {
            self.owners.remove(&loaded.function.name.to_ascii_lowercase());
        }
        Some(library)
    }

    fn find(&self, name: &[u8]) -> Option<&Loaded> {
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        let library = self.libraries.get(self.owners.get(&name)?)?;
        library.functions.iter().find(|loaded| loaded.function.name.eq_ignore_ascii_case(&name))
    }
}

impl Libraries {
    /// No libraries; `deprecated` is what `lua-enable-deprecated-api` says. Fails only if there is no memory for an interpreter.
    pub fn new(deprecated: bool) -> mlua::Result<Self> {
        let callbacks = Callbacks::new(deprecated)?;
        let interpreter_bytes = AtomicUsize::new(callbacks.interpreter.used_memory());
        Ok(Self { deprecated, interpreter: Mutex::new(callbacks), interpreter_bytes, index: Mutex::default() })
    }

    /// Nobody waits for the interpreter: whoever finds it in use is a command of the very function that uses it.
    fn enter(&self) -> Result<MutexGuard<'_, Callbacks>, WireError> {
        self.interpreter.try_lock().ok_or(IN_USE)
    }

    fn note_memory(&self, callbacks: &Callbacks) {
        self.interpreter_bytes.store(callbacks.interpreter.used_memory(), Relaxed);
    }

    /// The flags of a function, whose name may be spelled in either case.
    pub fn find(&self, function: &[u8]) -> Option<ScriptFlags> {
        self.index.lock().find(function).map(|loaded| loaded.function.flags)
    }

    /// Loads a library from its text and hands back its name. `unhurried`: without the limit of time.
    pub fn load(&self, source: &[u8], replace: bool, unhurried: bool) -> Result<String, WireError> {
        let (name, _) = library::metadata(source)?;
        if !replace && self.index.lock().libraries.contains_key(&name) {
            return Err(WireError::new(format!("ERR Library '{name}' already exists")));
        }
        let joining = if replace { Joining::Replace } else { Joining::Append };
        self.join(&[source], joining, unhurried)?;
        Ok(name)
    }

    /// Loads several libraries, all or none of them.
    pub fn join(&self, sources: &[&[u8]], joining: Joining, unhurried: bool) -> Result<(), WireError> {
        let mut callbacks = self.enter()?;
        let mut fresh = Index::default();
        let loaded = sources.iter().try_for_each(|source| {
            let (name, code) = library::metadata(source)?;
            if fresh.libraries.contains_key(&name) {
                return Err(WireError::new(format!("ERR Library '{name}' already exists")));
            }
            let registered = library::run(&callbacks.interpreter, &source[code..], unhurried)?;
            let functions = callbacks.keep(registered)?;
            let library = Library { source: source.to_vec(), functions };
            let kept = library.functions.clone();
            fresh.add(name, library).inspect_err(|_| callbacks.drop_all(&kept))
        });
        self.note_memory(&callbacks);
        let joined = loaded.and_then(|()| self.put(fresh.clone(), joining));
        match joined {
            Ok(gone) => gone.iter().for_each(|library| callbacks.drop_all(&library.functions)),
            Err(error) => {
                fresh.libraries.values().for_each(|library| callbacks.drop_all(&library.functions));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Enters loaded libraries; those they replace come back.
    fn put(&self, fresh: Index, joining: Joining) -> Result<Vec<Library>, WireError> {
        let mut index = self.index.lock();
        if joining == Joining::Flush {
            return Ok(std::mem::replace(&mut *index, fresh).libraries.into_values().collect());
        }
        let mut next = index.clone();
        let mut gone = Vec::new();
        for name in fresh.libraries.keys() {
            match next.remove(name) {
                Some(_) if joining == Joining::Append => {
                    return Err(WireError::new(format!("ERR Library {name} already exists")));
                }
                old => gone.extend(old),
            }
        }
        for (name, library) in fresh.libraries {
            next.add(name, library)?;
        }
        *index = next;
        Ok(gone)
    }

    /// Removes a library; `false` if there is none of that name.
    pub fn delete(&self, name: &[u8]) -> Result<bool, WireError> {
        let callbacks = self.enter()?;
        let removed = std::str::from_utf8(name).ok().and_then(|name| self.index.lock().remove(name));
        Ok(removed.inspect(|library| callbacks.drop_all(&library.functions)).is_some())
    }

    /// Removes all libraries and starts a new interpreter.
    pub fn flush(&self) -> Result<(), WireError> {
        let mut callbacks = self.enter()?;
        *callbacks = Callbacks::new(self.deprecated).map_err(no_memory)?;
        self.note_memory(&callbacks);
        *self.index.lock() = Index::default();
        Ok(())
    }

    /// All libraries, by name.
    pub fn report(&self) -> Vec<LibraryReport> {
        let index = self.index.lock();
        let report = |(name, library): (&String, &Library)| LibraryReport {
            name: name.clone(),
            source: library.source.clone(),
            functions: library.functions.iter().map(|loaded| loaded.function.clone()).collect(),
        };
        index.libraries.iter().map(report).collect()
    }

    /// Runs a function and writes its reply. Errors come back for the caller to count.
    pub fn run(
        &self,
        function: &[u8],
        keys: &[&[u8]],
        arguments: &[&[u8]],
        host: &SharedHost,
        reply: &mut Reply<'_>,
    ) -> Result<Errors, WireError> {
        let callbacks = self.enter()?;
        let found = self.index.lock().find(function).map(|loaded| (loaded.function.name.clone(), loaded.callback));
        let (name, callback) = found.ok_or(WireError::fixed("ERR Function not found"))?;
        let interpreter = &callbacks.interpreter;
        let callback: Function = callbacks.functions.raw_get(callback).map_err(no_memory)?;
        let keys = interpreter.strings(keys).map_err(no_memory)?;
        let arguments = interpreter.strings(arguments).map_err(no_memory)?;
        let ended = interpreter.run(host, &callback, Some((keys, arguments)));
        let errors = results::write(interpreter.lua(), &name, &ended, host, reply);
        drop(ended);
        interpreter.tidy();
        self.note_memory(&callbacks);
        Ok(errors)
    }

    /// What the index holds. Never waits for a function.
    pub fn figures(&self) -> LibraryFigures {
        let index = self.index.lock();
        let texts: usize = index.libraries.values().map(|library| library.source.len()).sum();
        let (libraries, functions) = (index.libraries.len(), index.owners.len());
        LibraryFigures { libraries, functions, library_bytes: texts + (libraries + functions) * ENTRY_BYTES }
    }

    /// Bytes of the interpreter when it was last used.
    pub fn interpreter_bytes(&self) -> usize {
        self.interpreter_bytes.load(Relaxed)
    }
}
