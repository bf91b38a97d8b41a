//! The commands as rules name them: by name, by category, containers with their subcommands.
//!
//! Built once from the rows of the command table; a position here is a position there.

use std::collections::HashMap;

use crate::catalog::{Categories, Spec};

/// Longest command name; longer input cannot be one.
const MAX_NAME: usize = 64;

/// All commands, by position in the command table.
pub struct CommandIndex {
    specs: Box<[&'static Spec]>,
    by_name: HashMap<&'static [u8], usize>,
    /// By position of the container.
    subcommands: HashMap<usize, Vec<usize>>,
}

impl CommandIndex {
    /// An index of the rows of a table, in their order.
    pub fn new(specs: impl IntoIterator<Item = &'static Spec>) -> Self {
        let specs: Box<[_]> = specs.into_iter().collect();
        let by_name: HashMap<_, _> = specs.iter().enumerate().map(|(i, spec)| (spec.name.as_bytes(), i)).collect();
        let mut subcommands: HashMap<usize, Vec<usize>> = HashMap::new();
        for (position, spec) in specs.iter().enumerate() {
            if let Some(container) = spec.container().and_then(|name| by_name.get(name.as_bytes())) {
                subcommands.entry(*container).or_default().push(position);
            }
        }
        Self { specs, by_name, subcommands }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// The command at a position.
    pub fn spec(&self, position: usize) -> &'static Spec {
        self.specs[position]
    }

    /// The position of a command (`config|get` for a subcommand), case ignored.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let mut lower = [0u8; MAX_NAME];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        self.by_name.get(&*lower).copied()
    }

    /// The subcommands of a container; none of any other command.
    pub fn subcommands(&self, position: usize) -> &[usize] {
        self.subcommands.get(&position).map_or(&[], Vec::as_slice)
    }

    /// The commands and subcommands of a category.
    pub fn in_category(&self, category: Categories) -> impl Iterator<Item = usize> {
        (0..self.specs.len()).filter(move |position| self.specs[*position].all_categories().contains(category))
    }
}
