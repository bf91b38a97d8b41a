//! Which commands go to the logs: the slow ones, those with large requests, those with large replies.

use super::Engine;
use super::execute::Run;
use crate::catalog::{self, Flags};
use crate::metrics::CommandLog;
use crate::resp::{Args, OwnedArgs};
use crate::session::Session;

impl Engine {
    /// Enters a command that took `micros` microseconds, if that is slow.
    pub(super) fn log_slow(&self, run: &Run<'_>, session: &Session, row: usize, args: Args<'_>, micros: u64) {
        let logging = &run.settings.logging;
        if reaches(micros, logging.slowlog_log_slower_than)
            // The command itself may have changed what counts as slow.
            && reaches(micros, self.config.settings().logging.slowlog_log_slower_than)
        {
            self.log(&self.slowlog, run, session, row, args, micros, logging.slowlog_max_len);
        }
    }

    /// Enters a command whose request is large, or its reply, which has `reply_bytes`.
    pub(super) fn log_large(&self, run: &Run<'_>, session: &Session, row: usize, args: Args<'_>, reply_bytes: usize) {
        let logging = &run.settings.logging;
        let (request, reply) = (args.byte_len() as u64, reply_bytes as u64);
        if reaches(request, logging.commandlog_request_larger_than) {
            let max_len = logging.commandlog_large_request_max_len;
            self.log(&self.large_requests, run, session, row, args, request, max_len);
        }
        if reaches(reply, logging.commandlog_reply_larger_than) {
            let max_len = logging.commandlog_large_reply_max_len;
            self.log(&self.large_replies, run, session, row, args, reply, max_len);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of an entry, each needed")]
    #[cold]
    fn log(
        &self,
        log: &CommandLog,
        run: &Run<'_>,
        session: &Session,
        row: usize,
        args: Args<'_>,
        value: u64,
        max_len: u64,
    ) {
        let spec = &self.table.row(row).spec;
        if spec.flags.contains(Flags::SKIP_SLOWLOG) {
            return;
        }
        let redacted = catalog::redacted::<OwnedArgs>(spec, args.from(0));
        let args = redacted.as_ref().map_or(args, OwnedArgs::as_args);
        let client = &session.client;
        let max_len = usize::try_from(max_len).unwrap_or(usize::MAX);
        log.add(run.now.seconds(), value, args.from(0), &client.peer.address, client.name(), max_len);
    }
}

/// Whether a value reaches a threshold; a negative one is never reached.
fn reaches(value: u64, threshold: i64) -> bool {
    u64::try_from(threshold).is_ok_and(|threshold| value >= threshold)
}
