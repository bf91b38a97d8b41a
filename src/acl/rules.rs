//! The rules of one user: switched on or not, passwords, selectors; and the words that change them.

use super::command_index::CommandIndex;
use super::command_set::CommandSet;
use super::password::PasswordHash;
use super::rule_error::RuleError;
use super::selector::Selector;
use super::users::Terms;
use crate::base::release::{RELEASE, Release};

/// What a user is and may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether one can authenticate as this user.
    pub enabled: bool,
    /// Any password is right.
    pub no_password: bool,
    /// RESTORE checks this user's payloads deeply.
    pub sanitize_payload: bool,
    /// Whether ACL says so: Redis 7.0 does only where somebody asked for it.
    tells_sanitizing: bool,
    /// Right passwords.
    pub(super) passwords: Vec<PasswordHash>,
    /// The selectors; the first one is the root, and always there.
    pub(super) selectors: Vec<Selector>,
}

/// Users by name, not yet in force.
pub type NamedRules = Vec<(Box<[u8]>, Rules)>;

/// A property of a user, as ACL shows it.
pub type UserFlag = &'static str;

impl Rules {
    /// A new user's: disabled, nothing allowed.
    pub fn new(terms: &Terms<'_>) -> Self {
        Self {
            enabled: false,
            no_password: false,
            sanitize_payload: true,
            tells_sanitizing: RELEASE == Release::Redis72,
            passwords: Vec::new(),
            selectors: vec![Selector::new(terms)],
        }
    }

    /// Those of the default user when nobody has said anything: everything is allowed, without a password.
    pub fn of_default_user(commands: &CommandIndex) -> Self {
        let mut rules = Self::new(&Terms { commands, all_channels: true });
        let root = rules.root_mut();
        root.commands = CommandSet::all(commands.len());
        (root.all_commands, root.began_with_all, root.all_keys) = (true, true, true);
        (rules.enabled, rules.no_password) = (true, true);
        rules
    }

    /// Applies one word of `ACL SETUSER`; an empty one is none.
    pub fn apply(&mut self, rule: &[u8], terms: &Terms<'_>) -> Result<(), RuleError> {
        let is = |word: &str| rule.eq_ignore_ascii_case(word.as_bytes());
        match rule {
            [] => {}
            _ if is("on") => self.enabled = true,
            _ if is("off") => self.enabled = false,
            _ if is("skip-sanitize-payload") => (self.sanitize_payload, self.tells_sanitizing) = (false, false),
            _ if is("sanitize-payload") => (self.sanitize_payload, self.tells_sanitizing) = (true, true),
            _ if is("nopass") => self.set_no_password(true),
            _ if is("resetpass") => self.set_no_password(false),
            _ if is("clearselectors") => self.selectors.truncate(1),
            _ if is("reset") => *self = Self { tells_sanitizing: true, ..Self::new(terms) },
            [b'>', password @ ..] => self.add_password(PasswordHash::of(password)),
            [b'#', hash @ ..] => self.add_password(PasswordHash::parse(hash).ok_or(RuleError::BadHash)?),
            [b'<', password @ ..] => return self.remove_password(PasswordHash::of(password)),
            [b'!', hash @ ..] => return self.remove_password(PasswordHash::parse(hash).ok_or(RuleError::BadHash)?),
            [b'(', .., b')'] => self.selectors.push(Selector::parse(rule, terms)?),
            _ => return self.root_mut().apply(rule, terms),
        }
        Ok(())
    }

    /// Whether somebody with this password may act as the user. Takes the same time whatever the answer.
    pub fn admit(&self, password: &[u8]) -> bool {
        let right = PasswordHash::of(password).is_among(&self.passwords);
        self.enabled && (self.no_password || right)
    }

    /// Makes `password` the only one; an empty one means that none is asked for.
    pub fn set_only_password(&mut self, password: &[u8]) {
        self.set_no_password(password.is_empty());
        if !password.is_empty() {
            self.add_password(PasswordHash::of(password));
        }
    }

    /// Whether every request is allowed.
    pub fn allow_everything(&self) -> bool {
        self.selectors.iter().any(Selector::allows_everything)
    }

    /// The properties that ACL shows, in its order.
    pub fn flags(&self) -> impl Iterator<Item = UserFlag> {
        let flags = [
            (true, if self.enabled { "on" } else { "off" }),
            (self.no_password, "nopass"),
            (!self.sanitize_payload, "skip-sanitize-payload"),
            (self.tells_sanitizing, "sanitize-payload"),
        ];
        flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name)
    }

    /// The digests of the passwords, in hexadecimal.
    pub fn passwords(&self) -> impl ExactSizeIterator<Item = String> {
        self.passwords.iter().map(PasswordHash::to_string)
    }

    /// What is allowed outside brackets.
    pub fn root(&self) -> &Selector {
        &self.selectors[0]
    }

    /// What each pair of brackets allows.
    pub fn further_selectors(&self) -> &[Selector] {
        &self.selectors[1..]
    }

    fn root_mut(&mut self) -> &mut Selector {
        &mut self.selectors[0]
    }

    fn set_no_password(&mut self, no_password: bool) {
        self.no_password = no_password;
        self.passwords.clear();
    }

    fn add_password(&mut self, hash: PasswordHash) {
        if !hash.is_among(&self.passwords) {
            self.passwords.push(hash);
        }
        self.no_password = false;
    }

    fn remove_password(&mut self, hash: PasswordHash) -> Result<(), RuleError> {
        let before = self.passwords.len();
        self.passwords.retain(|known| *known != hash);
        if self.passwords.len() < before { Ok(()) } else { Err(RuleError::NoSuchPassword) }
    }
}
