//! Users at work: who must authenticate first, what is noted when a request is refused, and what becomes of connections
//! whose user has changed.
//!
//! The judging itself is `acl`'s. What changes users runs with the gate held exclusively, so no request is judged by one
//! state and run in the other.

use std::sync::Arc;

use super::{Context, Engine};
use crate::acl::{Denial, Entry, KeyAccess, Occasion, Reason, Refused, Revocation, User};
use crate::base::clock::UnixMillis;
use crate::catalog::Spec;
use crate::config::RewriteError;
use crate::resp::{Args, WireError};
use crate::session::{Client, ClientFlags, CloseReason, Session, SubscriptionKind};

impl Engine {
    /// Whether a connection must authenticate before it can do anything.
    pub fn must_authenticate(&self, session: &Session) -> bool {
        !session.authenticated && self.users.ask_for_password()
    }

    /// Puts a connection where every connection starts: it acts as the default user, authenticated if nothing is asked for.
    pub fn start_as_default_user(&self, session: &mut Session) {
        session.act_as(Arc::clone(self.users.default_user()));
        session.authenticated = !self.users.ask_for_password();
    }

    /// Notes that a request was refused, and says so to the client.
    pub fn refuse(
        &self,
        session: &Session,
        occasion: Occasion,
        spec: &Spec,
        args: Args<'_>,
        denial: Denial,
    ) -> WireError {
        self.note_denial(session, occasion, spec, args, denial);
        WireError::new(format!("NOPERM {}", denial.message(session.user.name(), spec)))
    }

    /// Notes that a request was refused.
    pub fn note_denial(&self, session: &Session, occasion: Occasion, spec: &Spec, args: Args<'_>, denial: Denial) {
        let object = denial.object(spec, args);
        self.note(session, Refused::Request(denial.reason), occasion, object, session.user.name());
    }

    /// Notes that somebody failed to authenticate as `user` by the command `name`.
    pub fn note_failed_authentication(&self, session: &Session, occasion: Occasion, name: &[u8], user: &[u8]) {
        self.note(session, Refused::Authentication, occasion, name, user);
    }

    fn note(&self, session: &Session, refused: Refused, occasion: Occasion, object: &[u8], user: &[u8]) {
        let now = UnixMillis::now();
        let client = self.describe_client(&session.client, now);
        let entry = Entry {
            count: 1,
            refused,
            occasion,
            object: object.into(),
            user: user.into(),
            client,
            id: 0,
            created_ms: now.0,
            updated_ms: now.0,
        };
        self.acl_log.add(entry, self.config.settings().security.acllog_max_len as usize);
    }

    /// Rewrites the configuration file, users included unless they stand in a file of their own.
    pub fn rewrite_config(&self, force_all: bool) -> Result<(), RewriteError> {
        let in_own_file = !self.config.settings().security.aclfile.is_empty();
        let users = if in_own_file { Vec::new() } else { self.users.all() };
        let lines: Vec<String> = users.iter().map(|user| user.rules().conf_line(user.name())).collect();
        self.config.rewrite(Some(&lines), force_all)
    }

    /// Closes the connections of users that are gone; the one that asks gets its reply first.
    pub fn close_clients_of(&self, session: &mut Session, gone: &[Arc<User>]) {
        let is_gone = |user: &Arc<User>| gone.iter().any(|other| Arc::ptr_eq(user, other));
        self.close_where(session, |client| is_gone(&client.user()));
        if is_gone(&session.user) {
            session.act_as(Arc::clone(self.users.default_user()));
            session.authenticated = false;
        }
    }

    /// Closes the connections of a user that are subscribed to channels it may not use any more.
    pub fn close_unsubscribed(&self, session: &mut Session, user: &Arc<User>, revocation: &Revocation) {
        self.close_where(session, |client| {
            client.flags().contains(ClientFlags::PUBSUB)
                && Arc::ptr_eq(&client.user(), user)
                && self.any_subscription(client, |channel, is_pattern| revocation.forbids(channel, is_pattern))
        });
    }

    fn any_subscription(&self, client: &Client, is_it: impl Fn(&[u8], bool) -> bool) -> bool {
        SubscriptionKind::ALL.into_iter().any(|kind| {
            let is_pattern = kind == SubscriptionKind::Pattern;
            self.pubsub.of_client(kind, client.id).iter().any(|name| is_it(name, is_pattern))
        })
    }

    fn close_where(&self, session: &mut Session, condition: impl Fn(&Client) -> bool) {
        for client in self.clients.all() {
            if !condition(&client) {
                continue;
            }
            if client.id == session.client.id {
                session.close_after_reply = true;
            } else {
                self.clients.close(&client, CloseReason::Asked);
            }
        }
    }
}

impl Context<'_> {
    /// Whether the user may read every key there is, beside running this request.
    pub fn may_read_all_keys(&self) -> bool {
        let (user, spec) = (&self.session.user, &self.command.spec);
        let row = self.engine.table.own_position(spec.name);
        let check = |row| user.rules().check_with_all_keys(row, spec, self.args, KeyAccess::READ);
        user.is_unrestricted() || row.is_some_and(check)
    }

    /// Where this request comes from, for ACL LOG.
    pub fn occasion(&self) -> Occasion {
        if self.may_wait { Occasion::TopLevel } else { Occasion::Multi }
    }
}

/// What a queued command answers that was allowed when it was queued and is not any more.
pub(super) fn refused_since_queued(denial: Denial) -> WireError {
    let reason = match denial.reason {
        Reason::Command => "no permission to execute the command or subcommand",
        Reason::Key => "no permission to touch the specified keys",
        Reason::Channel => "no permission to access one of the channels used as arguments",
    };
    WireError::new(format!(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no \
         longer allowed for the following reason: {reason}"
    ))
}
