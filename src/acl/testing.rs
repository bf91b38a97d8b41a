//! A handful of commands to test rules with.

use std::sync::Arc;

use super::{CommandIndex, RuleError, Rules, Terms, User, Users};
use crate::catalog::{Categories, Channels, Flags, KeyFinder, Spec, flags, keys};
use crate::resp::OwnedArgs;

const fn spec(name: &'static str, flags: Flags, categories: Categories) -> Spec {
    Spec { name, flags, categories, arity: -1, ..Spec::BASE }
}

static SPECS: [Spec; 13] = [
    Spec { keys: keys::FIRST_READ, ..spec("get", flags![READONLY, FAST], Categories::STRING) },
    Spec { keys: keys::FIRST_STORE, finder: KeyFinder::Set, ..spec("set", flags![WRITE], Categories::STRING) },
    Spec { keys: keys::FIRST_RO, ..spec("strlen", flags![READONLY, FAST], Categories::STRING) },
    Spec { keys: keys::TAKE_ADD, ..spec("lmove", flags![WRITE], Categories::LIST) },
    spec("select", flags![FAST], Categories::CONNECTION),
    spec("config", flags![CONTAINER], Categories::empty()),
    spec("config|get", flags![ADMIN], Categories::empty()),
    spec("config|set", flags![ADMIN], Categories::empty()),
    spec("auth", flags![NO_AUTH, FAST], Categories::CONNECTION),
    Spec { channels: Channels::Publish, ..spec("publish", flags![PUBSUB, FAST], Categories::empty()) },
    Spec { channels: Channels::Subscribe, ..spec("subscribe", flags![PUBSUB], Categories::empty()) },
    Spec { channels: Channels::SubscribePattern, ..spec("psubscribe", flags![PUBSUB], Categories::empty()) },
    spec("unsubscribe", flags![PUBSUB], Categories::empty()),
];

pub(super) fn commands() -> CommandIndex {
    CommandIndex::new(&SPECS)
}

/// A default user without a password.
pub(crate) fn default_user() -> Arc<User> {
    Arc::clone(Users::new(commands(), b"").default_user())
}

/// The rules of a new user after these words.
pub(super) fn rules(words: &str) -> Result<Rules, RuleError> {
    let commands = commands();
    let terms = Terms { commands: &commands, all_channels: false };
    let mut rules = Rules::new(&terms);
    let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
    for word in super::brackets::merge(&words).expect("brackets close") {
        rules.apply(&word, &terms)?;
    }
    Ok(rules)
}

/// What a user with these rules is answered to a request.
pub(super) fn answer(rules: &Rules, request: &str) -> String {
    let commands = commands();
    let args: OwnedArgs = request.split(' ').map(str::as_bytes).collect();
    let args = args.as_args();
    let full = [args.at(0), b"|", args.get(1).unwrap_or_default()].concat();
    let row = commands.find(&full).or_else(|| commands.find(args.at(0))).expect("a command of the table");
    let spec = commands.spec(row);
    match rules.check(row, spec, args) {
        Ok(()) => "ok".into(),
        Err(denial) => {
            let message = denial.full_message(b"joe", spec, denial.object(spec, args));
            String::from_utf8(message).expect("text")
        }
    }
}
