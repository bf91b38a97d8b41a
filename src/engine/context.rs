//! What a handler gets: its arguments, the keys it may touch, the reply to write, the change to record.
//!
//! The parts are separate fields, so that a handler can write a reply while it looks at a value.

use super::Engine;
use super::change::Change;
use super::command::{Command, Wait};
use super::command::{CommandResult, NullReply, Outcome};
use crate::base::clock::UnixMillis;
use crate::base::number::{parse_f64, parse_i64};
use crate::config::Settings;
use crate::data::limits::Limits;
use crate::keyspace::Keys;
use crate::resp::{Args, Reply, WireError};
use crate::session::Session;

/// Everything a handler works with.
pub struct Context<'a> {
    /// The request.
    pub args: Args<'a>,
    /// The row being run.
    pub command: &'static Command,
    /// The keys the row declares.
    pub keys: &'a mut Keys<'static>,
    /// The reply.
    pub reply: Reply<'a>,
    /// What the command changes.
    pub change: Change,
    /// The connection.
    pub session: &'a mut Session,
    /// The server.
    pub engine: &'static Engine,
    /// The configuration as it was when the batch began.
    pub settings: &'a Settings,
    /// Where encodings change.
    pub limits: &'a Limits,
    /// Whether the client may be made to wait (not inside a transaction).
    pub may_wait: bool,
}

impl<'a> Context<'a> {
    /// The instant the command runs at.
    pub fn now(&self) -> UnixMillis {
        self.keys.now
    }

    /// What is to expire up to this time can go at once. On a replica it goes when the primary says so, and what is replayed counts on
    /// finding it.
    pub fn past(&self) -> UnixMillis {
        let stays = self.keys.see_expired || self.engine.replication.is_replica();
        if stays { UnixMillis(i64::MIN) } else { self.now() }
    }

    /// Whether what is to expire then can go at once.
    pub fn is_past(&self, when: UnixMillis) -> bool {
        when <= self.past()
    }

    /// The encoding limits in force.
    pub fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Argument `index` as an integer.
    pub fn int(&self, index: usize) -> Result<i64, WireError> {
        parse_i64(self.args.at(index)).ok_or(WireError::NOT_INTEGER)
    }

    /// Argument `index` as an integer in a range, with its own error.
    pub fn int_in(
        &self,
        index: usize,
        range: std::ops::RangeInclusive<i64>,
        error: WireError,
    ) -> Result<i64, WireError> {
        parse_i64(self.args.at(index)).filter(|value| range.contains(value)).ok_or(error)
    }

    /// Argument `index` as 0 or 1.
    pub fn zero_or_one(&self, index: usize) -> Result<bool, WireError> {
        match self.int(index)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::fixed("ERR value is out of range, value must between 0 and 1")),
        }
    }

    /// Argument `index` as a count that must not be negative.
    pub fn positive(&self, index: usize) -> Result<usize, WireError> {
        match parse_i64(self.args.at(index)) {
            Some(value @ 0..) => Ok(value as usize),
            _ => Err(WireError::NOT_POSITIVE),
        }
    }

    /// Argument `index` as a number.
    pub fn float(&self, index: usize) -> Result<f64, WireError> {
        parse_f64(self.args.at(index)).ok_or(WireError::NOT_FLOAT)
    }

    /// A syntax error.
    pub fn syntax<T>(&self) -> Result<T, WireError> {
        Err(WireError::SYNTAX)
    }

    /// The error for a wrong number of arguments.
    pub fn wrong_arity<T>(&self) -> Result<T, WireError> {
        Err(WireError::wrong_arity(self.command.spec.name))
    }

    /// Records that the command changed `key`, in the class and with the event's name of a keyspace notification.
    pub fn changed(&mut self, class: super::EventClass, event: &'static str, key: &[u8]) {
        self.touched(key);
        self.notify(class, event, key);
    }

    /// Records that `key` has changed, without an event.
    pub fn touched(&mut self, key: &[u8]) {
        let by = Some(self.session.client.id);
        self.engine.key_changed(self.settings, self.keys.db(), key, by);
    }

    /// Records the event of a keyspace notification.
    pub fn notify(&mut self, class: super::EventClass, event: &'static str, key: &[u8]) {
        if self.settings.logging.notify_keyspace_events.0 != 0 {
            // A key is new before anything else happens to it.
            for (db, new) in self.keys.take_new() {
                self.change.event(super::EventClass::NEW, "new", db, &new);
            }
            self.change.event(class, event, self.keys.db(), key);
        }
    }

    /// Removes a key whose container has become empty, with what that entails.
    pub fn remove_if_empty<T: crate::keyspace::Container>(&mut self, key: &[u8]) {
        if self.keys.remove_if_empty::<T>(key) {
            self.notify(super::EventClass::GENERIC, "del", key);
        }
    }

    /// A reply of `+OK`, and done.
    pub fn done_ok(&mut self) -> CommandResult {
        self.reply.ok();
        Ok(Outcome::Done)
    }

    /// A reply of an integer, and done.
    pub fn done_int(&mut self, value: i64) -> CommandResult {
        self.reply.int(value);
        Ok(Outcome::Done)
    }

    /// A null reply of a blocking command that found nothing in time.
    pub fn null_reply(&mut self, null: NullReply) {
        match null {
            NullReply::Bulk => self.reply.null(),
            NullReply::Array => self.reply.null_array(),
        }
    }

    /// Waits, or answers at once where waiting is not allowed.
    pub fn wait(&mut self, wait: Wait) -> CommandResult {
        if self.may_wait {
            return Ok(Outcome::Wait(wait));
        }
        self.null_reply(wait.on_timeout);
        Ok(Outcome::Done)
    }

    /// Argument `index` as the timeout of a blocking command in seconds: when it is up; `None` for ever.
    pub fn deadline(&self, index: usize) -> Result<Option<UnixMillis>, WireError> {
        const NOT_FLOAT: WireError = WireError::fixed("ERR timeout is not a float or out of range");
        const TOO_LARGE: WireError = WireError::fixed("ERR timeout is out of range");
        let seconds = parse_f64(self.args.at(index)).ok_or(NOT_FLOAT)?;
        if seconds < 0.0 {
            return Err(WireError::NEGATIVE_TIMEOUT);
        }
        let millis = (seconds * 1000.0).ceil();
        if !(millis + self.now().0 as f64).is_finite() || millis + self.now().0 as f64 >= i64::MAX as f64 {
            return Err(TOO_LARGE);
        }
        Ok((millis > 0.0).then(|| UnixMillis(self.now().0 + millis as i64)))
    }
}
