//! Background loops of the main thread: the periodic work, and what signals ask for.

mod certificates;
mod clients;
mod periodic;
mod signals;

pub use certificates::reload;
pub use periodic::run as run_periodic;
pub use signals::run as run_signals;
