//! INFO's section on processor time.
//!
//! From `/proc` (see proc(5)), in ticks of a hundredth of a second: precise enough for what has added up since the start.

use super::text::Text;
use crate::engine::Context;

/// Ticks per second, which Linux fixes for what user space sees.
const TICKS: u64 = 100;
/// The field of `stat` that holds user time, counted from the one behind the command's name.
const USER_TIME: usize = 11;

pub(super) fn write(_: &Context<'_>, text: &mut Text) {
    let process = times("/proc/self/stat");
    // The thread that carries the process's own number is the one that main() runs on.
    let main_thread = times(&format!("/proc/self/task/{}/stat", std::process::id()));
    text.section("CPU");
    seconds(text, "used_cpu_sys", process.system);
    seconds(text, "used_cpu_user", process.user);
    seconds(text, "used_cpu_sys_children", process.children_system);
    seconds(text, "used_cpu_user_children", process.children_user);
    seconds(text, "used_cpu_sys_main_thread", main_thread.system);
    seconds(text, "used_cpu_user_main_thread", main_thread.user);
}

fn seconds(text: &mut Text, name: &str, ticks: u64) {
    text.field(name, format_args!("{}.{:06}", ticks / TICKS, ticks % TICKS * (1_000_000 / TICKS)));
}

/// Processor time in ticks.
#[derive(Default)]
struct Times {
    user: u64,
    system: u64,
    children_user: u64,
    children_system: u64,
}

fn times(path: &str) -> Times {
    parse(&std::fs::read_to_string(path).unwrap_or_default())
}

fn parse(stat: &str) -> Times {
    // The name stands in parentheses and may hold anything, even parentheses.
    let Some((_, fields)) = stat.rsplit_once(')') else { return Times::default() };
    let mut ticks = fields.split_whitespace().skip(USER_TIME).map(|field| field.parse().unwrap_or(0));
    let mut next = || ticks.next().unwrap_or(0);
    Times { user: next(), system: next(), children_user: next(), children_system: next() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let times = parse("1 (a) b)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
        assert_eq!((times.user, times.system, times.children_user, times.children_system), (11, 12, 13, 14));
        assert_eq!(parse("").user, 0);
    }
}
