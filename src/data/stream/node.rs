//! One node of a stream: a listpack that holds some hundred entries, in Redis's own layout.
//!
//! ```text
//! master entry:  | live | deleted | field count n | field 1 … field n | 0 |
//! entry:         | flags | ms | seq | [field count m, field 1, value 1 …] or [value 1 … value n] | elements |
//! ```
//! `ms` and `seq` are differences to the node's key, the master ID. With the flag "same fields" an entry has the fields of the
//! master entry and stores its values only. `elements` counts the elements of the entry in front of it, so that entries can be walked
//! from the end; 0 ends that walk at the master entry. A removed entry is only flagged; its node goes when no entry is left.
//!
//! What always holds: the layout is whole (what comes from outside is checked by [`Node::validated`]), IDs ascend, and the first two
//! elements say how many entries are live and flagged.

use super::StreamId;
use crate::data::listpack::Listpack;
use crate::data::{Element, Malformed, Mending};

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;
/// Elements of every entry besides fields and values: flags and the two parts of the ID.
const FIXED: usize = 3;
/// A node never grows past this, whatever the limits say.
pub(super) const MAX_BYTES: usize = 1 << 30;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pack: Listpack,
}

/// An entry as it stands in its node.
#[derive(Clone)]
pub struct Entry<'a> {
    /// Its ID.
    pub id: StreamId,
    pub(super) deleted: bool,
    /// Position of its flags.
    start: usize,
    fields: Fields<'a>,
}

impl<'a> Entry<'a> {
    /// Its fields and values, in order.
    pub fn fields(&self) -> Fields<'a> {
        self.fields.clone()
    }
}

/// The fields and values of an entry.
#[derive(Clone)]
pub struct Fields<'a> {
    pack: &'a Listpack,
    left: usize,
    /// Position of the next field, where fields are those of the master entry.
    master: Option<usize>,
    /// Position of the next element of the entry itself.
    own: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Element<'a>, Element<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = match &mut self.master {
            Some(position) => step(self.pack, position)?,
            None => step(self.pack, &mut self.own)?,
        };
        Some((field, step(self.pack, &mut self.own)?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

impl Fields<'_> {
    /// The position behind the entry: behind its last element and the count of its elements.
    fn end(&self) -> Option<usize> {
        let elements = if self.master.is_some() { self.left } else { self.left.checked_mul(2)? };
        self.pack.skip(self.own, elements.checked_add(1)?)
    }
}

/// What a walk has counted.
#[derive(Default)]
struct Counts {
    live: usize,
    deleted: usize,
    /// Where an entry says a wrong count of its elements, and the right one.
    wrong: Vec<(usize, usize)>,
}

/// The master entry, read.
#[derive(Clone, Copy)]
struct Master {
    live: usize,
    deleted: usize,
    /// Position of the second element.
    deleted_at: usize,
    fields: usize,
    /// Position of the first field.
    fields_at: usize,
}

impl Node {
    /// A node whose first entry is the one given; it becomes the master entry too.
    pub fn new(fields: &[&[u8]]) -> Self {
        let mut pack = Listpack::new();
        let names = || fields.iter().step_by(2).map(|name| Element::Bytes(name));
        let mut elements = vec![Element::Int(1), Element::Int(0), Element::Int((fields.len() / 2) as i64)];
        elements.extend(names());
        elements.push(Element::Int(0));
        append_entry(&mut elements, StreamId::MIN, fields, true);
        pack.extend(&elements);
        Self { pack }
    }

    /// Takes bytes from outside and checks everything a walk relies on. Counts that are wrong may be put right.
    pub fn validated(master_id: StreamId, bytes: Vec<u8>, mending: &mut Mending) -> Result<Self, Malformed> {
        const MALFORMED: Malformed = Malformed("stream listpack");
        let mut node = Self { pack: Listpack::from_bytes(bytes, mending).map_err(|_| MALFORMED)? };
        let master = node.master().ok_or(MALFORMED)?;
        let found = node.count(master_id, &master).ok_or(MALFORMED)?;
        if !found.wrong.is_empty() {
            mending.mend(MALFORMED)?;
            // From the end on: what changes its size moves only what is behind it.
            found.wrong.iter().rev().for_each(|(position, elements)| node.pack.set_int(*position, *elements as i64));
        }
        if (found.live, found.deleted) != (master.live, master.deleted) {
            mending.mend(MALFORMED)?;
            node.set_counts(&master, found.live, found.deleted);
        }
        Ok(node)
    }

    /// Walks everything once; `None` where the layout does not hold.
    fn count(&self, master_id: StreamId, master: &Master) -> Option<Counts> {
        let mut at = self.pack.skip(master.fields_at, master.fields)?;
        (step(&self.pack, &mut at)? == Element::Int(0)).then_some(())?;
        let (mut counts, mut last) = (Counts::default(), None);
        while at < self.pack.end_position() {
            let entry = self.entry_at(at, master_id, master)?;
            let end = entry.fields.end()?;
            let count_at = self.pack.before(end)?;
            let elements =
                entry.fields.left + FIXED + if entry.fields.master.is_some() { 0 } else { entry.fields.left + 1 };
            if int(self.pack.at(count_at)?.0)? != elements as i64 {
                counts.wrong.push((count_at, elements));
            }
            (entry.id >= master_id && last < Some(entry.id)).then_some(())?;
            last = Some(entry.id);
            *(if entry.deleted { &mut counts.deleted } else { &mut counts.live }) += 1;
            at = end;
        }
        Some(counts)
    }

    /// The listpack's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.pack.as_bytes()
    }

    /// Bytes reserved.
    pub fn capacity(&self) -> usize {
        self.pack.capacity()
    }

    /// Entries that are not flagged as removed.
    pub fn live(&self) -> usize {
        self.master().map_or(0, |master| master.live)
    }

    /// Whether an entry with `new_bytes` of fields and values still fits; 0 is no limit.
    pub fn has_room(&self, new_bytes: usize, max_bytes: usize, max_entries: usize) -> bool {
        let max_bytes = if max_bytes == 0 { MAX_BYTES } else { max_bytes.min(MAX_BYTES) };
        let entries = self.master().map_or(0, |master| master.live + master.deleted);
        self.pack.byte_len().saturating_add(new_bytes) < max_bytes && (max_entries == 0 || entries < max_entries)
    }

    /// Gives back memory that was reserved for more entries.
    pub fn close(&mut self) {
        self.pack.shrink();
    }

    /// Appends an entry; `delta` is its ID's difference to the master ID, `fields` are fields and values in turn.
    pub fn append(&mut self, delta: StreamId, fields: &[&[u8]]) {
        let Some(master) = self.master() else { return };
        let same = master.fields * 2 == fields.len()
            && self
                .elements_from(master.fields_at)
                .zip(fields.iter().step_by(2))
                .all(|(element, name)| element.eq_bytes(name));
        let mut elements = Vec::with_capacity(fields.len() + 5);
        append_entry(&mut elements, delta, fields, same);
        self.pack.extend(&elements);
        self.pack.set_int(self.pack.first_position(), master.live as i64 + 1);
    }

    /// Flags entries as removed, oldest first, as long as `remove` says so; how many it were.
    pub fn remove_while(&mut self, master_id: StreamId, mut remove: impl FnMut(StreamId) -> bool) -> usize {
        let mut starts = Vec::new();
        for entry in self.entries(master_id) {
            if !entry.deleted {
                if !remove(entry.id) {
                    break;
                }
                starts.push(entry.start);
            }
        }
        for start in &starts {
            self.flag(*start);
        }
        self.count_removed(starts.len());
        starts.len()
    }

    /// Flags the entry with an ID as removed; `false` when there is none, or it is flagged already.
    pub fn remove(&mut self, master_id: StreamId, id: StreamId) -> bool {
        let found = self.entries(master_id).take_while(|entry| entry.id <= id).find(|entry| entry.id == id);
        let Some(start) = found.filter(|entry| !entry.deleted).map(|entry| entry.start) else { return false };
        self.flag(start);
        self.count_removed(1);
        true
    }

    /// Takes entries behind an ID, which must be flagged as removed, out for good.
    pub fn forget_behind(&mut self, master_id: StreamId, id: StreamId) {
        let mut behind = self.entries(master_id).skip_while(|entry| entry.id <= id);
        let Some(first) = behind.next().map(|entry| entry.start) else { return };
        let entries = 1 + behind.count();
        let elements = self.elements_from(first).count();
        self.pack.truncate(first, elements);
        if let Some(master) = self.master() {
            self.pack.set_int(master.deleted_at, master.deleted.saturating_sub(entries) as i64);
        }
    }

    fn flag(&mut self, start: usize) {
        if let Some((Element::Int(flags), _)) = self.pack.at(start) {
            // The flags stay below 128: the size of the element does not change, positions stay good.
            self.pack.set_int(start, flags | DELETED);
        }
    }

    fn count_removed(&mut self, count: usize) {
        let Some(master) = self.master() else { return };
        self.set_counts(&master, master.live.saturating_sub(count), master.deleted + count);
    }

    fn set_counts(&mut self, master: &Master, live: usize, deleted: usize) {
        // The second element first: changing the first may move it.
        self.pack.set_int(master.deleted_at, deleted as i64);
        self.pack.set_int(self.pack.first_position(), live as i64);
    }

    /// The entries, flagged ones too, oldest first.
    pub fn entries(&self, master_id: StreamId) -> Entries<'_> {
        let master = self.master();
        let at = master.and_then(|master| self.pack.skip(master.fields_at, master.fields + 1));
        Entries { node: self, master_id, master, at }
    }

    /// The entries, flagged ones too, newest first.
    pub fn entries_back(&self, master_id: StreamId) -> EntriesBack<'_> {
        EntriesBack { node: self, master_id, master: self.master(), end: self.pack.end_position() }
    }

    fn master(&self) -> Option<Master> {
        let mut at = self.pack.first_position();
        let live = count(step(&self.pack, &mut at)?)?;
        let deleted_at = at;
        let deleted = count(step(&self.pack, &mut at)?)?;
        let fields = count(step(&self.pack, &mut at)?)?;
        Some(Master { live, deleted, deleted_at, fields, fields_at: at })
    }

    fn entry_at(&self, start: usize, master_id: StreamId, master: &Master) -> Option<Entry<'_>> {
        let mut at = start;
        let flags = int(step(&self.pack, &mut at)?)?;
        let ms = int(step(&self.pack, &mut at)?)?;
        let seq = int(step(&self.pack, &mut at)?)?;
        let same = flags & SAME_FIELDS != 0;
        let fields = if same { master.fields } else { count(step(&self.pack, &mut at)?)? };
        Some(Entry {
            id: StreamId::new(master_id.ms.wrapping_add(ms as u64), master_id.seq.wrapping_add(seq as u64)),
            deleted: flags & DELETED != 0,
            start,
            fields: Fields { pack: &self.pack, left: fields, master: same.then_some(master.fields_at), own: at },
        })
    }

    fn elements_from(&self, mut at: usize) -> impl Iterator<Item = Element<'_>> {
        std::iter::from_fn(move || step(&self.pack, &mut at))
    }
}

/// The elements of an entry: see the head of this file.
fn append_entry<'a>(elements: &mut Vec<Element<'a>>, delta: StreamId, fields: &[&'a [u8]], same: bool) {
    let start = elements.len();
    elements.push(Element::Int(if same { SAME_FIELDS } else { 0 }));
    elements.push(Element::Int(delta.ms as i64));
    elements.push(Element::Int(delta.seq as i64));
    if same {
        elements.extend(fields.iter().skip(1).step_by(2).map(|value| Element::Bytes(value)));
    } else {
        elements.push(Element::Int((fields.len() / 2) as i64));
        elements.extend(fields.iter().map(|bytes| Element::Bytes(bytes)));
    }
    elements.push(Element::Int((elements.len() - start) as i64));
}

/// The element at a position, which moves on.
fn step<'a>(pack: &'a Listpack, position: &mut usize) -> Option<Element<'a>> {
    let (element, next) = pack.at(*position)?;
    *position = next;
    Some(element)
}

fn int(element: Element<'_>) -> Option<i64> {
    match element {
        Element::Int(value) => Some(value),
        Element::Bytes(_) => None,
    }
}

fn count(element: Element<'_>) -> Option<usize> {
    int(element).and_then(|value| usize::try_from(value).ok())
}

/// Entries of a node, oldest first.
pub(super) struct Entries<'a> {
    node: &'a Node,
    master_id: StreamId,
    master: Option<Master>,
    at: Option<usize>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let entry = self.node.entry_at(self.at?, self.master_id, self.master.as_ref()?)?;
        self.at = entry.fields.end();
        Some(entry)
    }
}

/// Entries of a node, newest first.
pub(super) struct EntriesBack<'a> {
    node: &'a Node,
    master_id: StreamId,
    master: Option<Master>,
    /// The position behind the next one.
    end: usize,
}

impl<'a> Iterator for EntriesBack<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let pack = &self.node.pack;
        let mut at = pack.before(self.end)?;
        let elements = count(pack.at(at)?.0)?;
        if elements == 0 {
            return None;
        }
        for _ in 0..elements {
            at = pack.before(at)?;
        }
        self.end = at;
        self.node.entry_at(at, self.master_id, self.master.as_ref()?)
    }
}
