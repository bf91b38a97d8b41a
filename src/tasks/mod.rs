//! Background loops of the main thread: the periodic work, what signals ask for, and the watchdog.

mod certificates;
mod clients;
mod periodic;
mod replica_link;
mod signals;
mod watchdog;

pub use certificates::reload;
pub use periodic::run as run_periodic;
pub use replica_link::start as start_replica_link;
pub use signals::run as run_signals;
pub use watchdog::{Watched, run as run_watchdog};
