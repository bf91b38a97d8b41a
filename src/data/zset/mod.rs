//! A sorted set: a listpack of members and scores while it is small, else a table beside an ordered tree.
//!
//! Order is by score, then by member as bytes. Positions (ranks) are the common currency: every range, by rank, score or member,
//! is first turned into a range of positions, in O(log n) where the set is large.

mod bounds;
mod table;

pub use bounds::{LexBound, ScoreBound};

use std::cmp::Ordering;
use std::ops::Range;

use self::table::Table;
use super::element::Element;
use super::form::{self, Form};
use super::limits::Limits;
use super::listpack::{self, Listpack};
use super::malformed::Malformed;
use super::mending::Mending;
use super::sample;
use crate::base::number::{format_score, parse_f64, parse_f64_saturating};

#[derive(Clone, Debug)]
enum Repr {
    /// Member, score, member, score, … in order.
    Packed(Listpack),
    Table(Box<Table>),
}

/// A sorted set.
#[derive(Clone, Debug)]
pub struct ZSet {
    repr: Repr,
}

/// What an insertion did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The member is new.
    Added,
    /// The member had another score.
    Updated,
    /// The member had this score.
    Same,
}

impl Default for ZSet {
    fn default() -> Self {
        Self::new()
    }
}

impl ZSet {
    /// An empty sorted set.
    pub fn new() -> Self {
        Self { repr: Repr::Packed(Listpack::new()) }
    }

    /// The sorted set of the members and scores of a listpack from outside. It need not be in order, as releases of Redis do not
    /// check that; of a member that comes twice the first score counts, and a score that is none is an error.
    pub fn from_pack(pack: Listpack, limits: &Limits, mending: &mut Mending) -> Result<Self, Malformed> {
        const BROKEN: Malformed = Malformed("zset listpack");
        if !pack.len().is_multiple_of(2) {
            return Err(BROKEN);
        }
        let distinct = form::all_distinct(pack.iter().step_by(2));
        if !distinct {
            mending.mend(BROKEN)?;
        }
        let numbers = pack.iter().skip(1).step_by(2).all(|score| exact_score(score).is_some());
        let mut set = if distinct && numbers && packed_pairs(&pack).is_sorted_by(|a, b| in_order(*a, *b)) {
            Self { repr: Repr::Packed(pack) }
        } else {
            let mut set = Self::new();
            let mut elements = pack.iter();
            while let (Some(member), Some(score)) = (elements.next(), elements.next()) {
                let score = match score {
                    Element::Bytes(text) => parse_f64_saturating(text),
                    Element::Int(value) => Some(value as f64),
                };
                let (member, score) = (member.to_vec(), score.filter(|score| !score.is_nan()).ok_or(BROKEN)?);
                if distinct || set.score(&member).is_none() {
                    set.insert(&member, score, limits);
                }
            }
            set
        };
        if set.len() > limits.zset_max_listpack_entries {
            set.become_table();
        }
        Ok(set)
    }

    /// How it is laid out.
    pub fn form(&self) -> Form<'_> {
        match &self.repr {
            Repr::Packed(pack) => Form::Packed(pack),
            Repr::Table(_) => Form::Table,
        }
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Packed(pack) => pack.len() / 2,
            Repr::Table(table) => table.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match &self.repr {
            Repr::Packed(_) => "listpack",
            Repr::Table(_) => "skiplist",
        }
    }

    /// Bytes taken.
    pub fn memory_usage(&self) -> usize {
        match &self.repr {
            Repr::Packed(pack) => pack.capacity(),
            Repr::Table(table) => table.memory_usage(),
        }
    }

    /// Takes the member with the lowest score out.
    pub fn pop_min(&mut self) -> Option<(Vec<u8>, f64)> {
        self.pop(false)
    }

    /// Takes the member with the highest score out.
    pub fn pop_max(&mut self) -> Option<(Vec<u8>, f64)> {
        self.pop(true)
    }

    /// Adds a member or gives it another score, which is not NaN.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: &Limits) -> Inserted {
        if let Repr::Packed(pack) = &mut self.repr {
            let found = pack.find(member, 2);
            let fits = member.len() <= limits.zset_max_listpack_value
                && pack.len() / 2 + usize::from(found.is_none()) <= limits.zset_max_listpack_entries
                && pack.byte_len() + member.len() < listpack::MAX_BYTES;
            if fits || found.is_some() {
                return insert_packed(pack, found, member, score);
            }
            self.become_table();
        }
        match &mut self.repr {
            Repr::Table(table) => table.insert(member, score),
            Repr::Packed(pack) => insert_packed(pack, None, member, score),
        }
    }

    /// Becomes a table if so many members, or one so long, will not fit a listpack.
    pub fn prepare(&mut self, members: usize, longest: usize, limits: &Limits) {
        let fits = members <= limits.zset_max_listpack_entries && longest <= limits.zset_max_listpack_value;
        if !fits {
            self.become_table();
        }
    }

    /// Leaves the packed form, whatever the limits.
    pub fn become_table(&mut self) {
        if let Repr::Packed(pack) = &self.repr {
            let mut table = Table::default();
            for (member, score) in packed_pairs(pack) {
                table.insert(&member.to_vec(), score);
            }
            self.repr = Repr::Table(Box::new(table));
        }
    }

    /// Becomes a listpack again where it fits (after ZUNIONSTORE and the like).
    pub fn pack_if_small(&mut self, limits: &Limits) {
        let Repr::Table(table) = &self.repr else { return };
        let long = table.iter_from(0).any(|(member, _)| member.len() > limits.zset_max_listpack_value);
        if table.len() > limits.zset_max_listpack_entries || long {
            return;
        }
        let mut pack = Listpack::new();
        for (member, score) in table.iter_from(0) {
            pack.push_back(member);
            pack.push_back(&score_text(score));
        }
        self.repr = Repr::Packed(pack);
    }

    /// Removes a member; its score comes back.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.repr {
            Repr::Packed(pack) => {
                let position = pack.find(member, 2)?;
                let score = pack.get(position as isize + 1).map(element_score)?;
                pack.remove(position, 2);
                Some(score)
            }
            Repr::Table(table) => table.remove(member),
        }
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.repr {
            Repr::Packed(pack) => pack.get(pack.find(member, 2)? as isize + 1).map(element_score),
            Repr::Table(table) => table.score(member),
        }
    }

    /// The position of a member.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        match &self.repr {
            Repr::Packed(pack) => pack.find(member, 2).map(|position| position / 2),
            Repr::Table(table) => table.rank(member),
        }
    }

    /// Members and scores from a position on, ascending.
    pub fn iter_from(&self, position: usize) -> Box<dyn Iterator<Item = (Element<'_>, f64)> + '_> {
        match &self.repr {
            Repr::Packed(pack) => Box::new(packed_pairs(pack).skip(position)),
            Repr::Table(table) => Box::new(table.iter_from(position).map(|(m, s)| (Element::Bytes(m), s))),
        }
    }

    /// Members and scores in front of a position, descending.
    pub fn iter_back_from(&self, position: usize) -> Box<dyn Iterator<Item = (Element<'_>, f64)> + '_> {
        match &self.repr {
            Repr::Packed(pack) => {
                let skipped = self.len().saturating_sub(position);
                let mut elements = pack.iter_rev().skip(skipped * 2);
                Box::new(std::iter::from_fn(move || {
                    let score = element_score(elements.next()?);
                    Some((elements.next()?, score))
                }))
            }
            Repr::Table(table) => Box::new(table.iter_back_from(position).map(|(m, s)| (Element::Bytes(m), s))),
        }
    }

    /// Members and scores at positions of a range, ascending or descending.
    pub fn range(&self, range: Range<usize>, reverse: bool) -> Box<dyn Iterator<Item = (Element<'_>, f64)> + '_> {
        let count = range.len();
        if reverse {
            Box::new(self.iter_back_from(range.end).take(count))
        } else {
            Box::new(self.iter_from(range.start).take(count))
        }
    }

    /// All members and scores in order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (Element<'_>, f64)> + '_> {
        self.iter_from(0)
    }

    /// The positions whose scores are within bounds.
    pub fn score_range(&self, min: ScoreBound, max: ScoreBound) -> Range<usize> {
        let start = self.partition_point(|_, score| !min.admits_from_below(score));
        let end = self.partition_point(|_, score| max.admits_from_above(score));
        start..end.max(start)
    }

    /// The positions whose members are within bounds; meaningful where all scores are equal.
    pub fn lex_range(&self, min: &LexBound<'_>, max: &LexBound<'_>) -> Range<usize> {
        let start = self.partition_point(|member, _| !min.is_at_or_before(member));
        let end = self.partition_point(|member, _| max.is_at_or_after(member));
        start..end.max(start)
    }

    /// How many pairs, from the first on, `before` is true for.
    fn partition_point(&self, before: impl Fn(&[u8], f64) -> bool) -> usize {
        match &self.repr {
            Repr::Packed(pack) => {
                let mut digits = itoa::Buffer::new();
                packed_pairs(pack).take_while(|(member, score)| before(member.as_bytes(&mut digits), *score)).count()
            }
            Repr::Table(table) => table.partition_point(before),
        }
    }

    /// Removes the members at positions of a range.
    pub fn remove_range(&mut self, range: Range<usize>) {
        match &mut self.repr {
            Repr::Packed(pack) => pack.remove(range.start * 2, range.len() * 2),
            Repr::Table(table) => {
                for _ in range.clone() {
                    table.remove_at(range.start);
                }
            }
        }
    }

    /// Takes the first (or last) member out.
    pub fn pop(&mut self, last: bool) -> Option<(Vec<u8>, f64)> {
        let position = if last { self.len().checked_sub(1)? } else { 0 };
        let (member, score) = self.iter_from(position).next().map(|(m, s)| (m.to_vec(), s))?;
        self.remove_range(position..position + 1);
        Some((member, score))
    }

    /// A random pair; O(1) unless it is a (small) listpack.
    pub fn at_random(&self) -> Option<(Element<'_>, f64)> {
        (!self.is_empty()).then(|| self.at(rand::random_range(0..self.len()))).flatten()
    }

    /// The pair at a place of an order that only changes when the set does, and need not be that of scores.
    fn at(&self, index: usize) -> Option<(Element<'_>, f64)> {
        match &self.repr {
            Repr::Packed(pack) => packed_pairs(pack).nth(index),
            Repr::Table(table) => table.at(index).map(|(m, s)| (Element::Bytes(m), s)),
        }
    }

    /// `count` distinct random pairs in random order; all of them where there are no more.
    pub fn sample(&self, count: usize) -> Vec<(Element<'_>, f64)> {
        let positions = sample::distinct_positions(self.len(), count);
        match &self.repr {
            Repr::Packed(pack) => sample::pick(packed_pairs(pack), &positions),
            Repr::Table(_) => positions.into_iter().filter_map(|index| self.at(index)).collect(),
        }
    }

    /// SCAN: emits about `count` members from `cursor` on; the next cursor, 0 at the end.
    pub fn scan(&self, cursor: u64, count: usize, mut emit: impl FnMut(Element<'_>, f64)) -> u64 {
        match &self.repr {
            Repr::Packed(_) => {
                self.iter().for_each(|(member, score)| emit(member, score));
                0
            }
            Repr::Table(table) => table.scan(cursor, count, |m, s| emit(Element::Bytes(m), s)),
        }
    }
}

/// The order of a sorted set.
fn order(a: (f64, &[u8]), b: (f64, &[u8])) -> Ordering {
    a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then_with(|| a.1.cmp(b.1))
}

fn insert_packed(pack: &mut Listpack, found: Option<usize>, member: &[u8], score: f64) -> Inserted {
    if let Some(position) = found {
        let old = pack.get(position as isize + 1).map(element_score);
        if old == Some(score) {
            return Inserted::Same;
        }
        pack.remove(position, 2);
    }
    let mut digits = itoa::Buffer::new();
    let before = |(m, s): &(Element<'_>, f64)| order((*s, m.as_bytes(&mut digits)), (score, member)).is_lt();
    let position = packed_pairs(pack).take_while(before).count();
    pack.insert(position * 2, &[member, &score_text(score)]);
    if found.is_some() { Inserted::Updated } else { Inserted::Added }
}

fn packed_pairs(pack: &Listpack) -> impl Iterator<Item = (Element<'_>, f64)> {
    let mut elements = pack.iter();
    std::iter::from_fn(move || Some((elements.next()?, element_score(elements.next()?))))
}

fn in_order(a: (Element<'_>, f64), b: (Element<'_>, f64)) -> bool {
    let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
    let [first, second] = &mut digits;
    order((a.1, a.0.as_bytes(first)), (b.1, b.0.as_bytes(second))).is_lt()
}

fn element_score(element: Element<'_>) -> f64 {
    exact_score(element).unwrap_or(0.0)
}

fn exact_score(element: Element<'_>) -> Option<f64> {
    match element {
        Element::Int(value) => Some(value as f64),
        Element::Bytes(text) => parse_f64(text),
    }
}

fn score_text(score: f64) -> Vec<u8> {
    let mut text = Vec::with_capacity(24);
    // In a listpack a whole number is an integer, and there is no integer -0.
    format_score(if score == 0.0 { 0.0 } else { score }, &mut text);
    text
}

#[cfg(test)]
mod tests;
