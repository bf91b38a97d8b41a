//! INFO's section on encryption: the mode, the certificate in use, and how its last replacement went.

use super::text::Text;
use crate::config::values::Choice;
use crate::engine::Context;
use crate::tls::counters::{FailureReason, HandshakeCounters};
use crate::tls::live::LiveTls;

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    text.section("TLS");
    text.field("transit_encryption", if ctx.settings.transit_encryption { "on" } else { "off" });
    text.field("tls_port", ctx.settings.network.tls_port);
    text.field("wrong_mode_refusals", ctx.engine.handshakes.wrong_mode_refusals());
    let Some(live) = &ctx.engine.tls else { return };
    text.field("tls_auth_clients", ctx.settings.tls.tls_auth_clients.name());
    text.field("tls_auth_clients_user", ctx.settings.tls.tls_auth_clients_user.name());
    certificate(live, ctx.now().seconds(), text);
    reload(live, text);
    handshakes(&ctx.engine.handshakes, text);
    connections(ctx, text);
}

fn handshakes(counters: &HandshakeCounters, text: &mut Text) {
    text.field("tls_handshakes_started", counters.started());
    text.field("tls_handshakes_completed", counters.completed());
    text.field("tls_handshakes_resumed", counters.resumed());
    text.field("tls_handshakes_failed", counters.failed_total());
    for reason in FailureReason::ALL.iter().filter(|reason| **reason != FailureReason::WrongMode) {
        text.field(format_args!("tls_handshakes_failed_{}", reason.name()), counters.failed(*reason));
    }
}

fn certificate(live: &LiveTls, now_s: i64, text: &mut Text) {
    let generation = live.current();
    let facts = generation.certificate();
    text.field("tls_certificate_subject", &facts.subject);
    text.field("tls_certificate_names", facts.sans.join(","));
    text.field("tls_certificate_serial", &facts.serial);
    text.field("tls_certificate_fingerprint", &facts.fingerprint);
    text.field("tls_certificate_not_before", facts.not_before);
    text.field("tls_certificate_not_after", facts.not_after);
    text.field("tls_certificate_expires_in_seconds", facts.seconds_to_expiry(now_s));
}

fn reload(live: &LiveTls, text: &mut Text) {
    let record = live.last_reload();
    text.field("tls_reload_last_time", record.at);
    text.field("tls_reload_last_status", if record.error.is_none() { "ok" } else { "err" });
    text.field("tls_reload_last_error", record.error.as_deref().unwrap_or(""));
    text.field("tls_reloads_succeeded", record.succeeded);
    text.field("tls_reloads_failed", record.failed);
}

/// Connected clients by what their handshakes settled.
fn connections(ctx: &Context<'_>, text: &mut Text) {
    let mut by_protocol = std::collections::BTreeMap::<&str, usize>::new();
    let mut by_cipher = std::collections::BTreeMap::<&str, usize>::new();
    for facts in ctx.engine.clients.all().iter().filter_map(|client| client.tls.as_ref()) {
        *by_protocol.entry(facts.protocol).or_default() += 1;
        *by_cipher.entry(facts.cipher).or_default() += 1;
    }
    for (protocol, count) in by_protocol {
        text.field(format_args!("tls_clients_{protocol}"), count);
    }
    for (cipher, count) in by_cipher {
        text.field(format_args!("tls_clients_{cipher}"), count);
    }
}
