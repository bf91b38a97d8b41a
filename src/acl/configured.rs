//! The users that a configuration names: its password for the default user, its `user` lines, or an ACL file.

use std::path::Path;

use super::command_index::CommandIndex;
use super::rule_error::RuleError;
use super::rules::{NamedRules, Rules};
use super::users::{Terms, Users};
use super::{brackets, file, has_spaces};
use crate::config::values::AclPubsubDefault;
use crate::config::{Directive, Loaded};

const BOTH: &str = "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. \
                    This setup is very likely to lead to configuration errors and security holes, please define either an \
                    ACL file or declare users directly in your redis.conf, but not both.";

/// All users at the start, or what is wrong and where.
pub fn configured(commands: CommandIndex, loaded: &Loaded) -> Result<Users, String> {
    let security = &loaded.settings.security;
    let users = Users::new(commands, &security.requirepass.0);
    let all_channels = security.acl_pubsub_default == AclPubsubDefault::AllChannels;
    let terms = Terms { commands: users.commands(), all_channels };
    if !security.aclfile.is_empty() {
        if !loaded.users.is_empty() {
            return Err(BOTH.into());
        }
        let path = Path::new(&loaded.settings.general.dir).join(&security.aclfile);
        let rules = file::load(&path, &security.aclfile, &terms)
            .map_err(|errors| format!("Aborting Redis startup because of ACL errors: {errors}"))?;
        users.replace(rules);
        return Ok(users);
    }
    let declared = declarations(&loaded.users, &terms)?;
    if declared.is_empty() {
        return Ok(users);
    }
    let mut all = declared;
    if !all.iter().any(|(name, _)| **name == *super::DEFAULT_USER) {
        all.push((super::DEFAULT_USER.into(), Rules::clone(&users.default_user().rules())));
    }
    users.replace(all);
    Ok(users)
}

fn declarations(lines: &[Directive], terms: &Terms<'_>) -> Result<NamedRules, String> {
    let mut declared = NamedRules::new();
    for line in lines {
        let [name, words @ ..] = line.args.as_slice() else { continue };
        if declared.iter().any(|(known, _)| **known == **name) {
            return Err(wrong(line, name, RuleError::DuplicateUser));
        }
        if has_spaces(name) {
            return Err(at(line, "Spaces not allowed in ACL usernames".into()));
        }
        declared.push((name.as_slice().into(), rules(line, name, words, terms)?));
    }
    Ok(declared)
}

fn rules(line: &Directive, user: &[u8], words: &[Vec<u8>], terms: &Terms<'_>) -> Result<Rules, String> {
    let words = brackets::merge(words).map_err(|start| wrong(line, &start, RuleError::Syntax))?;
    let mut rules = Rules::new(terms);
    for word in &words {
        match rules.apply(word, terms) {
            Ok(()) => {}
            Err(error @ RuleError::Unknown) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let (rule, user) = (text(word), text(user));
                return Err(at(line, format!("Error loading ACL rule '{rule}' for the user named '{user}': {error}")));
            }
            Err(error) => return Err(wrong(line, word, error)),
        }
    }
    Ok(rules)
}

fn wrong(line: &Directive, word: &[u8], error: RuleError) -> String {
    at(line, format!("Error in user declaration '{}': {error}", String::from_utf8_lossy(word)))
}

fn at(line: &Directive, reason: String) -> String {
    line.refused(reason).to_string()
}
