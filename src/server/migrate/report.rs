//! The report of a cut-over: offsets, what was brought over, and how both sides compare.

use std::fmt::Write;
use std::time::Duration;

use super::calls::{KeyCount, KeyCounts};
use super::copy::Copied;
use super::follow::Followed;
use super::target::Refusals;

/// What is reported.
pub struct Report {
    /// The source, and what it is.
    pub source: String,
    /// The target, and what it is.
    pub target: String,
    /// The id of the source's history.
    pub history: String,
    /// Where the copy stood.
    pub copied_at: u64,
    /// The copy.
    pub copied: Copied,
    /// How long it took.
    pub copy_time: Duration,
    /// The stream.
    pub followed: Followed,
    /// What the target refused of it.
    pub refusals: Refusals,
    /// How often the link to the source was cut.
    pub cuts: u64,
    /// Where the source is now.
    pub source_end: u64,
    /// Keys of both sides now.
    pub counts: (KeyCounts, KeyCounts),
    /// DEBUG DIGEST of both sides, where it was asked for.
    pub digests: Option<(String, String)>,
}

impl Report {
    /// Whether both sides have the same, as far as was looked.
    pub fn is_clean(&self) -> bool {
        let digests = self.digests.as_ref().is_none_or(|(source, target)| source == target);
        self.refusals.count == 0 && counts_agree(&self.counts.0, &self.counts.1) && digests
    }

    /// As text. Writing to a string cannot fail.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{name:<12} {value}");
        };
        let (copied, followed) = (&self.copied, &self.followed);
        line("source", format_args!("{}", self.source));
        line("target", format_args!("{}", self.target));
        line("history", format_args!("{}", self.history));
        let lag = self.source_end.saturating_sub(followed.reached);
        line(
            "offsets",
            format_args!(
                "copy at {}, cut-over at {}, target at {}, source at {}: lag {lag} bytes",
                self.copied_at, followed.goal, followed.reached, self.source_end
            ),
        );
        let seconds = self.copy_time.as_secs_f64();
        line(
            "copy",
            format_args!(
                "{} keys ({} expiring), {} libraries of functions, {} bytes in {seconds:.1} s; {} empty ones left out",
                copied.keys, copied.volatile, copied.libraries, copied.bytes, copied.empty
            ),
        );
        line(
            "stream",
            format_args!(
                "{} commands, {} bytes, {} refused by the target, {} cuts",
                followed.commands,
                followed.reached.saturating_sub(self.copied_at),
                self.refusals.count,
                self.cuts
            ),
        );
        for refusal in &self.refusals.first {
            line("refused", format_args!("{refusal}"));
        }
        for (db, source, target) in paired(&self.counts.0, &self.counts.1) {
            let verdict = if agree(source, target) { "equal" } else { "DIFFERENT" };
            line(
                &format!("database {db}"),
                format_args!(
                    "{} keys ({} expiring) at the source, {} ({}) at the target: {verdict}",
                    source.keys, source.volatile, target.keys, target.volatile
                ),
            );
        }
        if let Some((source, target)) = &self.digests {
            let verdict = if source == target { "equal" } else { "DIFFERENT" };
            line("digest", format_args!("{source} at the source, {target} at the target: {verdict}"));
        }
        line("result", format_args!("{}", self.verdict(lag)));
        text
    }

    fn verdict(&self, lag: u64) -> &'static str {
        match (self.is_clean(), lag) {
            (true, 0) => "cut over: the target has everything",
            (true, _) => "cut over: the target has everything up to the cut-over; the source has been written to since",
            (false, 0) => "cut over, with differences: see above before moving clients",
            (false, _) => "cut over, with differences; the source is still written to (see --pause-source)",
        }
    }
}

/// Whether both sides have the same numbers of keys. A key that has expired may still be counted at one side, so that it does not matter
/// how many expire where as many stay.
pub fn counts_agree(source: &KeyCounts, target: &KeyCounts) -> bool {
    paired(source, target).all(|(_, source, target)| agree(source, target))
}

fn agree(source: KeyCount, target: KeyCount) -> bool {
    let lasting = |count: KeyCount| count.keys.saturating_sub(count.volatile);
    source == target || (source.volatile > 0 && lasting(source) == lasting(target))
}

fn paired<'c>(
    source: &'c KeyCounts,
    target: &'c KeyCounts,
) -> impl Iterator<Item = (u64, KeyCount, KeyCount)> + use<'c> {
    let mut dbs: Vec<u64> = source.keys().chain(target.keys()).copied().collect();
    dbs.sort_unstable();
    dbs.dedup();
    let of = |counts: &KeyCounts, db| counts.get(&db).copied().unwrap_or_default();
    dbs.into_iter().map(move |db| (db, of(source, db), of(target, db)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_compared_one_by_one() {
        let counts = |list: &[(u64, u64, u64)]| -> KeyCounts {
            list.iter().map(|(db, keys, volatile)| (*db, KeyCount { keys: *keys, volatile: *volatile })).collect()
        };
        let source = counts(&[(0, 10, 2), (3, 1, 0)]);
        assert!(counts_agree(&source, &source));
        assert!(counts_agree(&source, &counts(&[(0, 8, 0), (3, 1, 0)])), "two have expired");
        for other in [&[(0, 10, 2)][..], &[(0, 9, 2), (3, 1, 0)], &[(0, 10, 2), (3, 1, 0), (4, 1, 0)]] {
            assert!(!counts_agree(&source, &counts(other)), "{other:?}");
        }
    }
}
