//! The values a key can hold, and how the rest of the server looks at them.

use std::borrow::Cow;

use crate::data::hash::Hash;
use crate::data::list::List;
use crate::data::set::Set;
use crate::data::stream::Stream;
use crate::data::zset::ZSet;
use crate::resp::WireError;

/// Strings up to this length are reported as `embstr`.
pub const EMBSTR_MAX: usize = 44;
/// Strings up to this length live inside their entry.
pub const INLINE_MAX: usize = 192;

/// A value with memory of its own.
pub enum Object {
    /// A string that is long, or was changed in place.
    Raw(Vec<u8>),
    /// A list.
    List(Box<List>),
    /// A set.
    Set(Box<Set>),
    /// A hash.
    Hash(Box<Hash>),
    /// A sorted set.
    ZSet(Box<ZSet>),
    /// A stream.
    Stream(Box<Stream>),
}

/// What a new entry is made of.
pub enum NewValue<'a> {
    /// A string stored inside the entry.
    Inline(&'a [u8]),
    /// A string that is an integer.
    Int(i64),
    /// Anything else.
    Object(Object),
}

impl<'a> NewValue<'a> {
    /// The best form for a string: integer, inline, or memory of its own.
    pub fn string(bytes: &'a [u8]) -> Self {
        match crate::base::number::parse_i64(bytes) {
            Some(value) if bytes.len() <= 20 => Self::Int(value),
            _ if bytes.len() <= INLINE_MAX => Self::Inline(bytes),
            _ => Self::Object(Object::Raw(bytes.to_vec())),
        }
    }
}

/// A string value: bytes, or an integer that stands for its decimal text.
#[derive(Clone, Copy, Debug)]
pub enum StrRef<'a> {
    /// The bytes.
    Bytes(&'a [u8]),
    /// The integer.
    Int(i64),
}

impl<'a> StrRef<'a> {
    /// The bytes; an integer is formatted into `buffer`.
    pub fn bytes<'b>(self, buffer: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Int(value) => buffer.format(value).as_bytes(),
        }
    }

    /// The bytes, owned where they had to be made.
    pub fn to_cow(self) -> Cow<'a, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Int(value) => Cow::Owned(itoa::Buffer::new().format(value).as_bytes().to_vec()),
        }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.bytes(&mut itoa::Buffer::new()).len()
    }

    /// Whether it is the empty string.
    pub fn is_empty(self) -> bool {
        matches!(self, Self::Bytes([]))
    }
}

/// A look at a value.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// A string.
    Str(StrRef<'a>),
    /// A list.
    List(&'a List),
    /// A set.
    Set(&'a Set),
    /// A hash.
    Hash(&'a Hash),
    /// A sorted set.
    ZSet(&'a ZSet),
    /// A stream.
    Stream(&'a Stream),
}

impl ValueRef<'_> {
    /// The name TYPE answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Str(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Hash(_) => "hash",
            Self::ZSet(_) => "zset",
            Self::Stream(_) => "stream",
        }
    }
}

impl Object {
    /// A look at it.
    pub fn as_value(&self) -> ValueRef<'_> {
        match self {
            Self::Raw(bytes) => ValueRef::Str(StrRef::Bytes(bytes)),
            Self::List(list) => ValueRef::List(list),
            Self::Set(set) => ValueRef::Set(set),
            Self::Hash(hash) => ValueRef::Hash(hash),
            Self::ZSet(zset) => ValueRef::ZSet(zset),
            Self::Stream(stream) => ValueRef::Stream(stream),
        }
    }

    /// Whether dropping it may take long enough to be left to a background thread.
    pub fn is_heavy(&self) -> bool {
        const HEAVY: usize = 64;
        match self {
            Self::Raw(bytes) => bytes.len() > 1 << 20,
            Self::List(list) => list.len() > HEAVY,
            Self::Set(set) => set.len() > HEAVY,
            Self::Hash(hash) => hash.len() > HEAVY,
            Self::ZSet(zset) => zset.len() > HEAVY,
            Self::Stream(stream) => stream.weight() > HEAVY,
        }
    }
}

/// A container type that a key can hold: what typed access needs to know of it.
pub trait Container: Sized {
    /// The container in a value; another type is an error.
    fn of(value: ValueRef<'_>) -> Result<&Self, WireError>;
    /// The container in an object; another type is an error.
    fn of_mut(object: &mut Object) -> Result<&mut Self, WireError>;
    /// The object that holds it.
    fn into_object(self) -> Object;
    /// An empty one.
    fn empty() -> Self;
    /// Whether the key must go, since nothing is in it.
    fn has_none(&self) -> bool;
}

macro_rules! container {
    ($type:ident, may_be_empty: $may_be_empty:literal) => {
        impl Container for $type {
            fn of(value: ValueRef<'_>) -> Result<&Self, WireError> {
                match value {
                    ValueRef::$type(inner) => Ok(inner),
                    _ => Err(WireError::WRONG_TYPE),
                }
            }
            fn of_mut(object: &mut Object) -> Result<&mut Self, WireError> {
                match object {
                    Object::$type(inner) => Ok(inner),
                    _ => Err(WireError::WRONG_TYPE),
                }
            }
            fn into_object(self) -> Object {
                Object::$type(Box::new(self))
            }
            fn empty() -> Self {
                Self::new()
            }
            fn has_none(&self) -> bool {
                !$may_be_empty && self.len() == 0
            }
        }
    };
}
container!(List, may_be_empty: false);
container!(Set, may_be_empty: false);
container!(Hash, may_be_empty: false);
container!(ZSet, may_be_empty: false);
container!(Stream, may_be_empty: true);
