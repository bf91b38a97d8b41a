//! Background loops of the main thread: the periodic work, and what signals ask for.

mod certificates;
mod clients;
mod periodic;
mod replica_link;
mod signals;

pub use certificates::reload;
pub use periodic::run as run_periodic;
pub use replica_link::start as start_replica_link;
pub use signals::run as run_signals;
