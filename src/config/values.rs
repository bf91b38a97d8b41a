//! The types of parameters that are neither number nor plain text.

mod choices;
mod lists;
mod memory;

pub use super::value::Secret;
pub use choices::{
    AclPubsubDefault, AppendFsync, Choice, DisklessLoad, EndpointType, EvictionPolicy, LogLevel, OomScoreAdj,
    PropagationError, Protected, SanitizePayload, ShutdownFlags, Supervised, SyslogFacility, TlsAuthClients,
    TlsAuthClientsUser,
};
pub use lists::{Addresses, EventClasses, OomScores, Percentiles, ReplicaOf, SavePoint, SavePoints};
pub use memory::{BufferLimit, BufferLimits, ClientMemory};
