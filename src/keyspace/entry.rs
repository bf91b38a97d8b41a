//! One key with its value: a single allocation behind a single pointer.
//!
//! ```text
//! 0      4     5      6    8          12          16
//! | lru  |kind|flags| -- | key bytes | value len | [expiry 8] | payload (0, 8 or 24) | key | [inline value] |
//! ```
//!
//! A table slot holds only the pointer, so growing a table moves 8 bytes per key, and comparing a key touches
//! the cache line that the command reads anyway. Short strings live in the entry itself; integers take 8 bytes; everything
//! else is an [`Object`]. Changing the shape (expiry on or off, another kind of value) builds a new entry; the
//! table swaps the pointer.
//!
//! This is the only file of the keyspace with raw memory: the layout above is known here and nowhere else.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::value::{NewValue, Object, StrRef, ValueRef};
use crate::base::clock::UnixMillis;
use crate::base::prefetch::prefetch;

#[repr(C)]
struct Header {
    /// LRU clock or LFU counter, 24 bits (see `freshness`); updated under a read lock, hence atomic.
    lru: AtomicU32,
    kind: Kind,
    has_expiry: bool,
    key_len: u32,
    /// Bytes of an inline value.
    value_len: u32,
}

#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inline,
    Int,
    Object,
}

impl Kind {
    const fn payload_len(self) -> usize {
        match self {
            Self::Inline => 0,
            Self::Int => size_of::<i64>(),
            Self::Object => size_of::<Object>(),
        }
    }
}

const HEADER: usize = size_of::<Header>();
const EXPIRY: usize = size_of::<i64>();
const _: () = assert!(HEADER == 16 && align_of::<Object>() <= 8);

/// An owned entry. Keys and inline values are at most 4 GiB, as every argument is.
#[repr(transparent)]
pub struct Entry(NonNull<Header>);

// SAFETY: an entry owns its allocation alone; everything in it (bytes, atomics, `Object`) is Send and Sync.
unsafe impl Send for Entry {}
// SAFETY: as above; shared access only reads, apart from the atomic `lru`.
unsafe impl Sync for Entry {}

impl Entry {
    /// A new entry. `lru` is the initial freshness.
    pub fn new(key: &[u8], value: NewValue<'_>, expiry: Option<UnixMillis>, lru: u32) -> Self {
        let (kind, inline) = match &value {
            NewValue::Inline(bytes) => (Kind::Inline, *bytes),
            NewValue::Int(_) => (Kind::Int, &[][..]),
            NewValue::Object(_) => (Kind::Object, &[][..]),
        };
        let has_expiry = expiry.is_some();
        let layout = layout(kind, has_expiry, key.len(), inline.len());
        // SAFETY: the layout is never empty; each write below is inside it and aligned: the header first, then 8-byte
        // fields at multiples of 8, then bytes.
        unsafe {
            let base = alloc(layout);
            let Some(pointer) = NonNull::new(base.cast::<Header>()) else { handle_alloc_error(layout) };
            pointer.write(Header {
                lru: AtomicU32::new(lru),
                kind,
                has_expiry,
                key_len: key.len() as u32,
                value_len: inline.len() as u32,
            });
            let mut at = HEADER;
            if let Some(expiry) = expiry {
                base.add(at).cast::<i64>().write(expiry.0);
                at += EXPIRY;
            }
            match value {
                NewValue::Inline(_) => {}
                NewValue::Int(value) => base.add(at).cast::<i64>().write(value),
                NewValue::Object(object) => base.add(at).cast::<Object>().write(object),
            }
            at += kind.payload_len();
            std::ptr::copy_nonoverlapping(key.as_ptr(), base.add(at), key.len());
            std::ptr::copy_nonoverlapping(inline.as_ptr(), base.add(at + key.len()), inline.len());
            Self(pointer)
        }
    }

    /// Asks for the memory of the entry, without looking at it.
    pub(super) fn prefetch(&self) {
        let base = self.0.as_ptr().cast::<u8>();
        prefetch(base);
        // A key and a short value often reach into the next line.
        prefetch(base.wrapping_add(64));
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        let header = self.header();
        // SAFETY: `key_len` bytes were written there by `new`.
        unsafe { std::slice::from_raw_parts(self.at(self.key_offset()), header.key_len as usize) }
    }

    /// When the key expires.
    pub fn expiry(&self) -> Option<UnixMillis> {
        // SAFETY: with `has_expiry` an i64 follows the header.
        self.header().has_expiry.then(|| UnixMillis(unsafe { self.at(HEADER).cast::<i64>().read() }))
    }

    /// Moves an expiry that is already there; `false` when there is none (then see [`Entry::with_expiry`]).
    pub fn move_expiry(&mut self, when: UnixMillis) -> bool {
        let has = self.header().has_expiry;
        if has {
            // SAFETY: as in `expiry`, and `&mut self` excludes readers.
            unsafe { self.at(HEADER).cast::<i64>().write(when.0) }
        }
        has
    }

    /// The same key and value with or without an expiry.
    pub fn with_expiry(mut self, expiry: Option<UnixMillis>) -> Self {
        let value = self.take_value();
        let lru = self.lru().load(Relaxed);
        match value {
            // The key (and an inline value) is copied out of the old allocation, which lives until here.
            Taken::Inline => Self::new(self.key(), NewValue::Inline(self.inline()), expiry, lru),
            Taken::Int(value) => Self::new(self.key(), NewValue::Int(value), expiry, lru),
            Taken::Object(object) => Self::new(self.key(), NewValue::Object(object), expiry, lru),
        }
    }

    /// The value taken out, for moving it to another key.
    pub fn into_value(mut self) -> OwnedValue {
        match self.take_value() {
            Taken::Inline => OwnedValue::Inline(self.inline().into()),
            Taken::Int(value) => OwnedValue::Int(value),
            Taken::Object(object) => OwnedValue::Object(object),
        }
    }

    /// The value.
    pub fn value(&self) -> ValueRef<'_> {
        match self.header().kind {
            Kind::Inline => ValueRef::Str(StrRef::Bytes(self.inline())),
            // SAFETY: the payload of this kind is an i64.
            Kind::Int => ValueRef::Str(StrRef::Int(unsafe { self.payload().cast::<i64>().read() })),
            // SAFETY: the payload of this kind is an `Object`, borrowed as long as `self`.
            Kind::Object => unsafe { &*self.payload().cast::<Object>() }.as_value(),
        }
    }

    /// The object, where the value is one.
    pub fn object_mut(&mut self) -> Option<&mut Object> {
        // SAFETY: as in `value`; `&mut self` makes it the only borrow.
        (self.header().kind == Kind::Object).then(|| unsafe { &mut *self.payload().cast::<Object>() })
    }

    /// The integer, where the value is stored as one.
    pub fn int_mut(&mut self) -> Option<&mut i64> {
        // SAFETY: the payload of this kind is an aligned i64; `&mut self` makes it the only borrow.
        (self.header().kind == Kind::Int).then(|| unsafe { &mut *self.payload().cast::<i64>() })
    }

    /// The bytes of an inline value, to be changed in place; empty for another kind.
    pub fn inline_mut(&mut self) -> &mut [u8] {
        let (offset, length) = (self.key_offset() + self.header().key_len as usize, self.header().value_len as usize);
        // SAFETY: `value_len` initialised bytes stand behind the key; `&mut self` makes it the only borrow.
        unsafe { std::slice::from_raw_parts_mut(self.at(offset), length) }
    }

    /// Freshness for eviction.
    pub fn lru(&self) -> &AtomicU32 {
        &self.header().lru
    }

    /// Whether the value stands in the entry itself.
    pub fn is_inline(&self) -> bool {
        self.header().kind == Kind::Inline
    }

    /// Whether the value is a stream.
    pub fn is_stream(&self) -> bool {
        matches!(self.value(), ValueRef::Stream(_))
    }

    /// Whether dropping it may take long.
    pub fn is_heavy(&self) -> bool {
        // SAFETY: the payload of this kind is an `Object`, borrowed as long as `self`.
        self.header().kind == Kind::Object && unsafe { &*self.payload().cast::<Object>() }.is_heavy()
    }

    /// Bytes of the entry's own allocation.
    pub fn allocated(&self) -> usize {
        self.layout().size()
    }

    fn inline(&self) -> &[u8] {
        let (offset, length) = (self.key_offset() + self.header().key_len as usize, self.header().value_len as usize);
        // SAFETY: `value_len` bytes stand behind the key.
        unsafe { std::slice::from_raw_parts(self.at(offset), length) }
    }

    /// Moves the payload out; what stays behind is an inline entry that owns nothing more.
    fn take_value(&mut self) -> Taken {
        match self.header().kind {
            Kind::Inline => Taken::Inline,
            // SAFETY: the payload of this kind is an i64.
            Kind::Int => Taken::Int(unsafe { self.payload().cast::<i64>().read() }),
            Kind::Object => {
                // SAFETY: the object is read out once and replaced by one that owns no memory, so that `drop` is harmless.
                Taken::Object(unsafe { self.payload().cast::<Object>().replace(Object::Raw(Vec::new())) })
            }
        }
    }

    fn header(&self) -> &Header {
        // SAFETY: the pointer is valid and initialised as long as the entry lives.
        unsafe { self.0.as_ref() }
    }

    /// The byte at `offset` of the allocation.
    fn at(&self, offset: usize) -> *mut u8 {
        // SAFETY: callers stay inside the layout.
        unsafe { self.0.as_ptr().cast::<u8>().add(offset) }
    }

    fn payload(&self) -> *mut u8 {
        self.at(HEADER + if self.header().has_expiry { EXPIRY } else { 0 })
    }

    fn key_offset(&self) -> usize {
        let header = self.header();
        HEADER + if header.has_expiry { EXPIRY } else { 0 } + header.kind.payload_len()
    }

    fn layout(&self) -> Layout {
        let header = self.header();
        layout(header.kind, header.has_expiry, header.key_len as usize, header.value_len as usize)
    }
}

// The map the entries stand in asks for these; lookups go through the raw tables by key bytes.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

impl std::hash::Hash for Entry {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let layout = self.layout();
        // SAFETY: the allocation was made with this layout and the object in it is dropped exactly once.
        unsafe {
            if self.header().kind == Kind::Object {
                self.payload().cast::<Object>().drop_in_place();
            }
            dealloc(self.0.as_ptr().cast(), layout);
        }
    }
}

/// A value taken out of its entry.
pub enum OwnedValue {
    /// A short string.
    Inline(Box<[u8]>),
    /// An integer.
    Int(i64),
    /// Anything else.
    Object(Object),
}

impl OwnedValue {
    /// The best form for a string.
    pub fn string(bytes: Vec<u8>) -> Self {
        match NewValue::string(&bytes) {
            NewValue::Int(value) => Self::Int(value),
            NewValue::Inline(_) => Self::Inline(bytes.into_boxed_slice()),
            NewValue::Object(_) => Self::Object(Object::Raw(bytes)),
        }
    }

    /// A look at it.
    pub fn as_value(&self) -> ValueRef<'_> {
        match self {
            Self::Inline(bytes) => ValueRef::Str(StrRef::Bytes(bytes)),
            Self::Int(value) => ValueRef::Str(StrRef::Int(*value)),
            Self::Object(object) => object.as_value(),
        }
    }

    /// The form an entry is built from.
    pub fn as_new(self, room: &mut Box<[u8]>) -> NewValue<'_> {
        match self {
            Self::Inline(bytes) => {
                *room = bytes;
                NewValue::Inline(room)
            }
            Self::Int(value) => NewValue::Int(value),
            Self::Object(object) => NewValue::Object(object),
        }
    }
}

enum Taken {
    Inline,
    Int(i64),
    Object(Object),
}

fn layout(kind: Kind, has_expiry: bool, key_len: usize, value_len: usize) -> Layout {
    let size = HEADER + if has_expiry { EXPIRY } else { 0 } + kind.payload_len() + key_len + value_len;
    // Lengths are bounded by 4 GiB each, so this cannot overflow.
    Layout::from_size_align(size, 8).expect("an entry's size fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_keeps_key_value_and_expiry() {
        let when = Some(UnixMillis(1_700_000_000_000));
        for expiry in [None, when] {
            let inline = Entry::new(b"key", NewValue::Inline(b"value"), expiry, 7);
            assert_eq!((inline.key(), inline.expiry()), (&b"key"[..], expiry));
            assert!(matches!(inline.value(), ValueRef::Str(StrRef::Bytes(b"value"))));
            let int = Entry::new(b"", NewValue::Int(-3), expiry, 7);
            assert!(matches!(int.value(), ValueRef::Str(StrRef::Int(-3))));
            let raw = Entry::new(b"k", NewValue::Object(Object::Raw(vec![1; 100])), expiry, 7);
            assert!(matches!(raw.value(), ValueRef::Str(StrRef::Bytes(b)) if b == [1; 100]));
        }
    }

    #[test]
    fn expiry_comes_and_goes_with_the_value_untouched() {
        let entry = Entry::new(b"k", NewValue::Object(Object::Raw(vec![9; 64])), None, 1);
        let mut entry = entry.with_expiry(Some(UnixMillis(5)));
        assert!(entry.move_expiry(UnixMillis(6)));
        assert_eq!(entry.expiry(), Some(UnixMillis(6)));
        let mut entry = entry.with_expiry(None);
        assert!(!entry.move_expiry(UnixMillis(7)));
        assert!(matches!(entry.object_mut(), Some(Object::Raw(v)) if v.len() == 64));
    }

    #[test]
    fn a_small_string_takes_one_small_allocation() {
        assert_eq!(Entry::new(&[b'k'; 16], NewValue::Inline(&[b'v'; 32]), None, 0).allocated(), 64);
    }
}
