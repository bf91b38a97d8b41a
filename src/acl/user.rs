//! One user, shared by all connections that act as it.
//!
//! Rules are exchanged as a whole, so a request is judged by the old ones or by the new ones. A user that was deleted has
//! rules that allow nothing; one created later under the same name is another user.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};

use arc_swap::ArcSwap;

use super::check::Denial;
use super::rules::Rules;
use crate::catalog::Spec;
use crate::resp::Args;

/// A user.
pub struct User {
    name: Box<[u8]>,
    rules: ArcSwap<Rules>,
    /// The rules allow everything: the one look that requests of such users cost.
    unrestricted: AtomicBool,
}

impl User {
    /// A user with a name and rules.
    pub fn new(name: &[u8], rules: Rules) -> Self {
        let unrestricted = AtomicBool::new(rules.allow_everything());
        Self { name: name.into(), rules: ArcSwap::from_pointee(rules), unrestricted }
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Its name as text.
    pub fn name_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }

    /// Its rules now.
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// Whether it may do everything.
    #[inline]
    pub fn is_unrestricted(&self) -> bool {
        self.unrestricted.load(Acquire)
    }

    /// Whether it may run a request; `row` is the position of the command that `spec` describes.
    #[inline]
    pub fn check(&self, row: usize, spec: &Spec, args: Args<'_>) -> Result<(), Denial> {
        if self.is_unrestricted() { Ok(()) } else { self.check_rules(row, spec, args) }
    }

    #[inline(never)]
    fn check_rules(&self, row: usize, spec: &Spec, args: Args<'_>) -> Result<(), Denial> {
        self.rules.load().check(row, spec, args)
    }

    /// Exchanges the rules. A moment between the two stores judges by either rules, never by more than both allow.
    pub(super) fn set_rules(&self, rules: Rules) -> Arc<Rules> {
        let unrestricted = rules.allow_everything();
        if !unrestricted {
            self.unrestricted.store(false, Release);
        }
        let old = self.rules.swap(Arc::new(rules));
        self.unrestricted.store(unrestricted, Release);
        old
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name_text()).finish_non_exhaustive()
    }
}
