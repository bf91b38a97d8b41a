//! What is done again and again: expiry, save points, rates, idle clients, certificates.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::{certificates, clients};
use crate::base::clock::UnixMillis;
use crate::base::memory::used_memory;
use crate::engine::Engine;

/// Part of each period that expiry may take, in percent, at effort 1; each step of effort adds two.
const EXPIRY_PERCENT: u64 = 25;

/// Runs for ever.
pub async fn run(engine: &'static Engine) {
    let mut last_second = 0;
    loop {
        let settings = engine.config.settings();
        let period = Duration::from_millis(1000 / u64::from(settings.general.hz.clamp(1, 500)));
        let percent = EXPIRY_PERCENT + 2 * u64::from(settings.memory.active_expire_effort.saturating_sub(1));
        drop(settings);
        // Whoever waits for a gate that stays closed keeps this thread from ending the process.
        if !engine.cron_paused.load(Relaxed) && !engine.saving.last_save_has_begun() {
            engine.expire_cycle(period * percent as u32 / 100);
            engine.evict_in_background();
            let now = UnixMillis::now();
            engine.peak_memory.fetch_max(used_memory(), Relaxed);
            sample_rates(engine, now);
            engine.rewrite_if_due(now);
            engine.save_if_due(now);
            engine.replication_pulse(now, now.seconds() != last_second);
            clients::limit_tracked_keys(engine);
            if now.seconds() != last_second {
                last_second = now.seconds();
                clients::close_idle(engine, now);
                clients::enforce_output_limits(engine);
                clients::trim_idle(engine, now);
                clients::recount_memory(engine);
                engine.idle_peers.close_unused(Instant::now());
                certificates::reload_if_changed(engine);
            }
        }
        tokio::time::sleep(period).await;
    }
}

fn sample_rates(engine: &Engine, now: UnixMillis) {
    let totals = engine.totals();
    let replica_input = engine.replication.link.report().input_bytes;
    let replica_output = totals.replica_output_bytes.load(Relaxed);
    engine.rates.commands.sample(now.0, totals.commands.load(Relaxed));
    engine.rates.input.sample(now.0, totals.input_bytes.load(Relaxed) + replica_input);
    engine.rates.output.sample(now.0, totals.output_bytes.load(Relaxed) + replica_output);
    engine.rates.replica_input.sample(now.0, replica_input);
    engine.rates.replica_output.sample(now.0, replica_output);
}
