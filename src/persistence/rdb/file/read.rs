//! Reading a file item by item.

use std::io::Read;

use super::super::code::{Version, is_kind, module as part, opcode};
use super::super::error::RdbError;
use super::super::read::Reader;
use super::super::{code, decode, module};
use crate::base::clock::UnixMillis;
use crate::data::limits::Limits;
use crate::data::{Malformed, Mending};
use crate::keyspace::OwnedValue;

/// Files before this version end without a checksum.
const FIRST_WITH_CHECKSUM: u16 = 5;

/// What to do about data of modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modules {
    /// An error: it would be lost.
    Refused,
    /// Stepped over, where the file is only looked at.
    Skipped,
}

/// A key with its value.
pub struct Key {
    /// Its name.
    pub name: Vec<u8>,
    /// The number of the value's type.
    pub kind: u8,
    /// Its value; `None` for a container without elements, which older releases of Redis could write, and for a skipped module's.
    pub value: Option<OwnedValue>,
    /// When it expires.
    pub expiry: Option<UnixMillis>,
    /// Seconds since its last use, where the file says.
    pub idle_s: Option<u64>,
    /// Its frequency counter, where the file says.
    pub frequency: Option<u8>,
    /// What of its value was off, and has been put right.
    pub mended: Option<Malformed>,
}

/// What a file consists of.
pub enum Item {
    /// A name and a value about the file.
    Fact(Vec<u8>, Vec<u8>),
    /// The code of a library of functions.
    Function(Vec<u8>),
    /// Data of this module type that belongs to no key, stepped over.
    ModuleData(String),
    /// The database of the keys that follow.
    Database(u64),
    /// How many keys the database has, and how many of them expire.
    Sizes(u64, u64),
    /// A key.
    Key(Key),
    /// The end; whether its checksum was there to be compared, which it then was.
    End {
        /// Whether there was one.
        summed: bool,
    },
}

/// Reads a file.
pub struct FileReader<R> {
    reader: Reader<R>,
    version: u16,
    modules: Modules,
    /// The name of the key whose value is being read.
    key: Option<Vec<u8>>,
}

impl<R: Read> FileReader<R> {
    /// Reads the head of a file. The checksum at its end will be compared, or not.
    pub fn new(source: R, checksum: bool, modules: Modules) -> Result<Self, RdbError> {
        let mut reader = Reader::new(source, checksum);
        let magic: [u8; 5] = reader.array()?;
        if &magic != b"REDIS" {
            return Err(RdbError::Corrupt("Wrong signature trying to load DB from file"));
        }
        let digits: [u8; 4] = reader.array()?;
        let version = std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0);
        if !(1..=Version::NEWEST).contains(&version) {
            return Err(RdbError::Version(String::from_utf8_lossy(&digits).into_owned()));
        }
        Ok(Self { reader, version, modules, key: None })
    }

    /// Has values that are off put right instead of refused, or not.
    pub fn mend(&mut self, allowed: bool) {
        self.reader.mending = Mending::allowed_if(allowed);
    }

    /// The version of the format.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// The name of the key that is being read, or was when reading failed.
    pub fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }

    /// What follows the file in its source: bytes already taken out of it, and the source.
    pub fn into_rest(self) -> (Vec<u8>, R) {
        self.reader.into_rest()
    }

    /// The next item. After the end, or an error, there is none.
    pub fn next_item(&mut self, limits: &Limits) -> Result<Item, RdbError> {
        let (mut expiry, mut idle_s, mut frequency) = (None, None, None);
        self.key = None;
        loop {
            let reader = &mut self.reader;
            let kind = match reader.byte()? {
                opcode::EXPIRE_TIME => {
                    expiry = Some(UnixMillis(i64::from(reader.seconds()?) * 1000));
                    continue;
                }
                opcode::EXPIRE_TIME_MS => {
                    // Redis stores -1 for "none", and keeps no other time before 1970 either.
                    expiry = Some(reader.millis()?).filter(|when| *when != -1).map(UnixMillis);
                    continue;
                }
                opcode::FREQ => {
                    frequency = Some(reader.byte()?);
                    continue;
                }
                opcode::IDLE => {
                    idle_s = Some(reader.length()?);
                    continue;
                }
                opcode::SLOT_INFO => {
                    for _ in 0..3 {
                        reader.length()?;
                    }
                    continue;
                }
                opcode::EOF => return self.end(),
                opcode::SELECT_DB => return Ok(Item::Database(reader.length()?)),
                opcode::RESIZE_DB => return Ok(Item::Sizes(reader.length()?, reader.length()?)),
                opcode::AUX => return Ok(Item::Fact(reader.string()?, reader.string()?)),
                opcode::MODULE_AUX => return self.module_data(),
                opcode::FUNCTION_2 => return Ok(Item::Function(reader.string()?)),
                opcode::FUNCTION_OLD => return Err(RdbError::OldFunction),
                kind if is_kind(kind) => kind,
                _ => return Err(RdbError::Corrupt("Invalid object type")),
            };
            self.key = Some(reader.string()?);
            let value = match decode::value(&mut self.reader, kind, limits) {
                Ok(value) => Some(value),
                Err(RdbError::EmptyKey) => None,
                Err(RdbError::Module(_)) if self.modules == Modules::Skipped && kind == code::kind::MODULE => {
                    module::skip(&mut self.reader)?;
                    None
                }
                Err(error) => return Err(error),
            };
            let name = self.key.take().unwrap_or_default();
            let mended = self.reader.mending.take_mended();
            return Ok(Item::Key(Key { name, kind, value, expiry, idle_s, frequency, mended }));
        }
    }

    fn module_data(&mut self) -> Result<Item, RdbError> {
        let name = module::type_name(self.reader.length()?);
        if self.modules == Modules::Refused {
            return Err(RdbError::Module(name));
        }
        // When it was saved comes first, as a part like the others.
        if self.reader.length()? != part::UINT {
            return Err(RdbError::Corrupt("bad when_opcode"));
        }
        self.reader.length()?;
        module::skip(&mut self.reader)?;
        Ok(Item::ModuleData(name))
    }

    fn end(&mut self) -> Result<Item, RdbError> {
        if self.version < FIRST_WITH_CHECKSUM {
            return Ok(Item::End { summed: false });
        }
        let computed = self.reader.checksum();
        let stored = u64::from_le_bytes(self.reader.array()?);
        match computed {
            Some(computed) if stored != 0 && stored != computed => Err(RdbError::Checksum { computed, stored }),
            _ => Ok(Item::End { summed: computed.is_some() && stored != 0 }),
        }
    }
}
