//! Passwords, users, dangerous commands.

use crate::config::kind::{Kind, LONG_MAX, TEXT, int, one_of};
use crate::config::parameter::{Effect, parameters};
use crate::config::values::{AclPubsubDefault, Protected, SanitizePayload, Secret};

parameters! {
    /// Passwords, users, dangerous commands.
    pub struct Security, security;

    /// Password of the default user, none if empty.
    "requirepass" => requirepass: Secret = "", Kind::Secret, [sensitive(), effect(Effect::RequirePass)];

    /// File with ACL users; excludes user lines in this file.
    "aclfile" => aclfile: String = "", TEXT, [immutable()];

    /// Entries kept by ACL LOG.
    "acllog-max-len" => acllog_max_len: u64 = "128", int(0, LONG_MAX);

    /// Channels that a new ACL user may use.
    "acl-pubsub-default" => acl_pubsub_default: AclPubsubDefault = "resetchannels", one_of::<AclPubsubDefault>();

    /// Who may change parameters that could overwrite files: dir and dbfilename.
    "enable-protected-configs" => enable_protected_configs: Protected = "no", one_of::<Protected>(), [immutable()];

    /// Who may use DEBUG.
    "enable-debug-command" => enable_debug_command: Protected = "no", one_of::<Protected>(), [immutable()];

    /// Who may use MODULE; there are no modules here.
    "enable-module-command" => enable_module_command: Protected = "no", one_of::<Protected>(), [immutable(), inert()];

    /// Whose values, in snapshots and RESTORE payloads, are refused where their counts, order or distinctness are off; others' are put
    /// right. What else is wrong with a value is always an error.
    "sanitize-dump-payload" => sanitize_dump_payload: SanitizePayload = "no", one_of::<SanitizePayload>();
}
