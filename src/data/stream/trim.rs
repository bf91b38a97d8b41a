//! Trimming a stream from its old end, by length or by ID.

use super::{Log, StreamId};

/// What is to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// At most so many entries.
    MaxLen(u64),
    /// No entry below this ID.
    MinId(StreamId),
}

/// How to trim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// What is to stay.
    pub threshold: Threshold,
    /// Only whole nodes go: cheaper, and some more entries stay.
    pub whole_nodes: bool,
    /// At most so many entries go.
    pub limit: Option<u64>,
}

impl Log {
    /// Removes the oldest entries; how many it were.
    pub fn trim(&mut self, trim: Trim) -> usize {
        let mut removed = 0;
        while let Some(mut first) = self.nodes.first_entry() {
            let (master, live) = (*first.key(), first.get().live());
            if trim.limit.is_some_and(|limit| (removed + live) as u64 > limit) {
                break;
            }
            let whole = match trim.threshold {
                Threshold::MaxLen(max) if self.length as u64 <= max => break,
                Threshold::MaxLen(max) => (self.length - live) as u64 >= max,
                Threshold::MinId(min) => first.get().entries_back(master).next().is_none_or(|last| last.id < min),
            };
            if whole {
                first.remove();
                self.length -= live;
                removed += live;
                continue;
            }
            if !trim.whole_nodes {
                let mut left = self.length;
                let part = first.get_mut().remove_while(master, |id| match trim.threshold {
                    Threshold::MaxLen(max) => {
                        let goes = left as u64 > max;
                        left -= usize::from(goes);
                        goes
                    }
                    Threshold::MinId(min) => id < min,
                });
                if first.get().live() == 0 {
                    first.remove();
                }
                self.length -= part;
                removed += part;
            }
            break;
        }
        if removed > 0 {
            self.find_first();
        }
        removed
    }
}
