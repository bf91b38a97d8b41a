//! What LATENCY DOCTOR says and LATENCY GRAPH draws, as pure functions of the samples.

use crate::metrics::EventSummary;

/// Unix seconds and milliseconds of one spike.
type Sample = (i64, u64);

/// Columns and rows of a graph.
const COLUMNS: usize = 80;
const ROWS: u64 = 4;
/// A column's top, by how much of its row it fills.
const TOPS: [char; 3] = ['_', 'o', '#'];

/// The spikes of one event, oldest first.
pub(super) fn graph(event: &EventSummary, samples: &[Sample], now: i64) -> String {
    let shown = &samples[samples.len().saturating_sub(COLUMNS)..];
    let high = samples.iter().map(|(_, millis)| *millis).max().unwrap_or(0);
    let low = samples.iter().map(|(_, millis)| *millis).min().unwrap_or(0);
    let mut text = format!("{} - high {high} ms, low {low} ms (all time high {} ms)\n", event.name, event.max);
    text.push_str(&"-".repeat(COLUMNS));
    text.push('\n');
    let levels = ROWS * TOPS.len() as u64 - 1;
    let level = |millis: u64| ((millis - low) * levels).checked_div(high - low).unwrap_or(0);
    for row in (0..ROWS).rev() {
        let base = row * TOPS.len() as u64;
        let line: String = shown
            .iter()
            .map(|(_, millis)| match level(*millis).checked_sub(base) {
                None => ' ',
                Some(above) => TOPS.get(above as usize).copied().unwrap_or('|'),
            })
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push('\n');
    text + &ages(shown, now)
}

/// How long ago each sample was, written downwards below its column.
fn ages(samples: &[Sample], now: i64) -> String {
    let labels: Vec<Vec<char>> = samples.iter().map(|(at, _)| age(now - at).chars().collect()).collect();
    let height = labels.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for row in 0..height {
        let line: String = labels.iter().map(|label| label.get(row).copied().unwrap_or(' ')).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A report on all events.
pub(super) fn doctor(threshold_ms: u64, events: &[(EventSummary, Vec<Sample>)]) -> String {
    if threshold_ms == 0 {
        return "Nothing is being measured: latency-monitor-threshold is 0. \
                CONFIG SET latency-monitor-threshold <milliseconds> records whatever takes longer from then on.\n"
            .into();
    }
    if events.is_empty() {
        return format!(
            "No activity has taken {threshold_ms} ms or longer since the record was last reset. All is well.\n"
        );
    }
    let mut text = format!("Activities that took {threshold_ms} ms or longer:\n\n");
    for (index, (event, samples)) in events.iter().enumerate() {
        text.push_str(&format!("{}. {}: {}\n", index + 1, event.name, statistics(event, samples)));
    }
    text.push_str("\nWhat may help:\n\n");
    for (event, _) in events {
        text.push_str(&format!("- {}: {}\n", event.name, advice(event.name)));
    }
    text
}

fn statistics(event: &EventSummary, samples: &[Sample]) -> String {
    let count = samples.len().max(1) as u64;
    let mean = samples.iter().map(|(_, millis)| millis).sum::<u64>() / count;
    let deviation = samples.iter().map(|(_, millis)| millis.abs_diff(mean)).sum::<u64>() / count;
    let between = match (samples.first(), samples.last()) {
        (Some((first, _)), Some((last, _))) if count > 1 => (last - first) as u64 / (count - 1),
        _ => 0,
    };
    let low = samples.iter().map(|(_, millis)| *millis).min().unwrap_or(0);
    format!(
        "{count} spikes, one every {between} s; {mean} ms in the mean, {deviation} ms off it on average, {low} ms at least; \
         {} ms the worst ever",
        event.max
    )
}

fn advice(event: &str) -> &'static str {
    match event {
        "command" => {
            "SLOWLOG GET shows which commands are slow; commands over whole collections are best replaced by their SCAN \
             variants or split up."
        }
        "fast-command" => {
            "commands of constant time were slow, so something else held the processor or a lock: look for swapping, other \
             processes, a virtual machine that is short of CPU."
        }
        "expire-cycle" | "expire-del" => {
            "many keys expire at once, or large ones do: spread expiry times, or set lazyfree-lazy-expire."
        }
        "eviction-cycle" | "eviction-del" => {
            "memory is short: raise maxmemory, or set lazyfree-lazy-eviction for large values."
        }
        event if event.starts_with("aof-") || event.starts_with("rdb-") => {
            "the disk is slow or busy: use a faster one, keep other writers away, or relax appendfsync."
        }
        _ => "compare the times of the spikes with the server's log.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(max: u64) -> EventSummary {
        EventSummary { name: "command", at: 100, latest: 5, max }
    }

    #[test]
    fn a_graph_rises_with_the_samples_and_labels_their_age() {
        let text = graph(&event(40), &[(10, 10), (90, 20), (100, 30)], 100);
        assert!(text.starts_with("command - high 30 ms, low 10 ms (all time high 40 ms)\n-----"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(&lines[2..6], ["  #", "  |", " #|", "_||"]);
        assert_eq!(&lines[7..], ["110", "m0s", " s"]);
    }

    #[test]
    fn samples_of_one_size_draw_a_flat_line() {
        assert!(graph(&event(7), &[(1, 7), (2, 7)], 3).contains("\n__\n"));
    }

    #[test]
    fn the_doctor_speaks_in_every_case() {
        assert!(doctor(0, &[]).contains("latency-monitor-threshold"));
        assert!(doctor(10, &[]).contains("10 ms"));
        let report = doctor(10, &[(event(40), vec![(10, 10), (20, 30)])]);
        assert!(report.contains("2 spikes, one every 10 s; 20 ms in the mean, 10 ms off"), "{report}");
    }
}
