//! All users by name; the default user is always among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::command_index::CommandIndex;
use super::revocation::Revocation;
use super::rules::{NamedRules, Rules};
use super::user::User;
use super::{DEFAULT_USER, brackets};
use crate::resp::WireError;

/// What words of rules mean: the commands there are, and whether new selectors begin with all channels.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The commands.
    pub commands: &'a CommandIndex,
    /// `acl-pubsub-default` says `allchannels`.
    pub all_channels: bool,
}

type ByName = BTreeMap<Box<[u8]>, Arc<User>>;

/// All users.
pub struct Users {
    commands: CommandIndex,
    default: Arc<User>,
    /// In the order of names. Looked at by AUTH and ACL only, held for moments.
    by_name: RwLock<ByName>,
    /// Held while users change, so that no change is lost. Taken before `by_name`.
    setter: Mutex<()>,
}

impl Users {
    /// Just the default user, which may do everything and is asked for `password` unless that is empty.
    pub fn new(commands: CommandIndex, password: &[u8]) -> Self {
        let mut rules = Rules::of_default_user(&commands);
        rules.set_only_password(password);
        let default = Arc::new(User::new(DEFAULT_USER, rules));
        let by_name = ByName::from([(DEFAULT_USER.into(), Arc::clone(&default))]);
        Self { commands, default, by_name: RwLock::new(by_name), setter: Mutex::new(()) }
    }

    /// The commands that rules are about.
    pub fn commands(&self) -> &CommandIndex {
        &self.commands
    }

    /// The user that connections start as.
    pub fn default_user(&self) -> &Arc<User> {
        &self.default
    }

    /// Whether connections must authenticate before they can act as the default user.
    pub fn ask_for_password(&self) -> bool {
        let rules = self.default.rules();
        !rules.no_password || !rules.enabled
    }

    /// The user of a name.
    pub fn get(&self, name: &[u8]) -> Option<Arc<User>> {
        self.by_name.read().get(name).cloned()
    }

    /// All users, in the order of their names.
    pub fn all(&self) -> Vec<Arc<User>> {
        self.by_name.read().values().cloned().collect()
    }

    /// The user of this name whose password is right. The time it takes tells nothing about users that exist.
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<Arc<User>> {
        match self.get(name) {
            Some(user) => user.rules().admit(password).then_some(user),
            None => {
                self.default.rules().admit(password);
                None
            }
        }
    }

    /// Applies rules to a user, all or none; a user that does not exist is created. Hands back the channels that this
    /// takes away.
    pub fn set<W: AsRef<[u8]>>(
        &self,
        name: &[u8],
        words: &[W],
        all_channels: bool,
    ) -> Result<(Arc<User>, Option<Revocation>), WireError> {
        let _one_at_a_time = self.setter.lock();
        let terms = Terms { commands: &self.commands, all_channels };
        let unmatched = b"ERR Unmatched parenthesis in acl selector starting at '";
        let words = brackets::merge(words).map_err(|start| WireError::quoting(&[unmatched, &start, b"'."]))?;
        let known = self.get(name);
        let mut rules = known.as_ref().map_or_else(|| Rules::new(&terms), |user| Rules::clone(&user.rules()));
        for word in &words {
            rules.apply(word, &terms).map_err(|error| {
                let error = error.to_string();
                WireError::quoting(&[b"ERR Error in ACL SETUSER modifier '", word, b"': ", error.as_bytes()])
            })?;
        }
        if let Some(user) = known {
            let old = user.set_rules(rules);
            let revocation = Revocation::between(&old, &user.rules());
            return Ok((user, revocation));
        }
        let user = Arc::new(User::new(name, rules));
        self.by_name.write().insert(name.into(), Arc::clone(&user));
        Ok((user, None))
    }

    /// Makes `password` the default user's only one; none is asked for if it is empty.
    pub fn set_default_password(&self, password: &[u8]) {
        let _one_at_a_time = self.setter.lock();
        let mut rules = Rules::clone(&self.default.rules());
        rules.set_only_password(password);
        self.default.set_rules(rules);
    }

    /// Removes a user; it may do nothing any more. The default user stays.
    pub fn remove(&self, name: &[u8]) -> Option<Arc<User>> {
        if name == DEFAULT_USER {
            return None;
        }
        let _one_at_a_time = self.setter.lock();
        let user = self.by_name.write().remove(name)?;
        self.disarm(&user);
        Some(user)
    }

    /// Puts other users in the place of all; without rules for the default user it may do everything. Hands back those
    /// that are gone: all but the default user, even where one of the same name has come.
    pub fn replace(&self, rules: NamedRules) -> Vec<Arc<User>> {
        let _one_at_a_time = self.setter.lock();
        let mut default = Rules::of_default_user(&self.commands);
        let mut by_name = ByName::new();
        for (name, rules) in rules {
            if &*name == DEFAULT_USER {
                default = rules;
            } else {
                let user = Arc::new(User::new(&name, rules));
                by_name.insert(name, user);
            }
        }
        self.default.set_rules(default);
        by_name.insert(DEFAULT_USER.into(), Arc::clone(&self.default));
        let mut gone = std::mem::replace(&mut *self.by_name.write(), by_name);
        gone.remove(DEFAULT_USER);
        gone.values().for_each(|user| self.disarm(user));
        gone.into_values().collect()
    }

    fn disarm(&self, user: &User) {
        user.set_rules(Rules::new(&Terms { commands: &self.commands, all_channels: false }));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::commands;
    use super::*;

    fn set(users: &Users, name: &str, words: &str) -> Result<(), String> {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        users.set(name.as_bytes(), &words, false).map(|_| ()).map_err(|error| error.text().to_owned())
    }

    #[test]
    fn users_come_and_go() {
        let users = Users::new(commands(), b"");
        set(&users, "joe", "on >pw +get ~*").unwrap();
        let joe = users.get(b"joe").unwrap();
        assert!(Arc::ptr_eq(&users.authenticate(b"joe", b"pw").unwrap(), &joe));
        assert!(users.authenticate(b"joe", b"no").is_none() && users.authenticate(b"jim", b"pw").is_none());
        set(&users, "joe", "off").unwrap();
        assert!(users.authenticate(b"joe", b"pw").is_none());
        set(&users, "joe", "+@all &* allkeys").unwrap();
        assert!(joe.is_unrestricted(), "connections see the change");
        assert!(users.remove(b"joe").is_some() && users.get(b"joe").is_none());
        assert!(!joe.is_unrestricted() && !joe.rules().allow_everything(), "who still holds it may do nothing");
        assert!(users.remove(DEFAULT_USER).is_none());
    }

    #[test]
    fn a_wrong_word_changes_nothing() {
        let users = Users::new(commands(), b"");
        set(&users, "joe", "on ~a").unwrap();
        let before = users.get(b"joe").unwrap().rules();
        assert_eq!(
            set(&users, "joe", "~b +nosuch off").unwrap_err(),
            "ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL"
        );
        assert_eq!(
            set(&users, "joe", "~b (+get ~c").unwrap_err(),
            "ERR Unmatched parenthesis in acl selector starting at '(+get'."
        );
        assert_eq!(users.get(b"joe").unwrap().rules(), before);
        assert!(set(&users, "jim", "bogus").is_err() && users.get(b"jim").is_none());
    }

    #[test]
    fn the_password_of_the_default_user() {
        let users = Users::new(commands(), b"secret");
        assert!(users.ask_for_password() && users.authenticate(b"default", b"secret").is_some());
        users.set_default_password(b"other");
        assert!(users.authenticate(b"default", b"secret").is_none());
        users.set_default_password(b"");
        assert!(!users.ask_for_password() && users.authenticate(b"default", b"anything").is_some());
        assert!(users.default_user().is_unrestricted());
    }

    #[test]
    fn all_users_are_replaced_together() {
        let users = Users::new(commands(), b"secret");
        set(&users, "joe", "on +get").unwrap();
        let old = users.get(b"joe").unwrap();
        let gone = users.replace(vec![((*b"joe").into(), Rules::clone(&old.rules()))]);
        assert!(gone.len() == 1 && Arc::ptr_eq(&gone[0], &old));
        assert!(
            !Arc::ptr_eq(&users.get(b"joe").unwrap(), &old),
            "a connection of the old one is not a connection of the new one"
        );
        assert!(!users.ask_for_password(), "the file said nothing of the default user");
    }
}
