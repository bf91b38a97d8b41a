//! Listeners and connections.

use crate::config::kind::{BOOL, INT_MAX, Kind, TEXT, UINT_MAX, int};
use crate::config::parameter::{Effect, parameters};
use crate::config::values::Addresses;

parameters! {
    /// Listeners and connections.
    pub struct Network, network;

    /// TCP port for plaintext, 0 for none. The default is 6379, or 0 where tls-port is set: a replication group is
    /// either encrypted in transit or not, so only one of port and tls-port may be set, and a group keeps its mode for life.
    "port" => port: u16 = "6379", int(0, 65535), [effect(Effect::Port)];

    /// TCP port for TLS, 0 for none. Setting it at the first start makes the group an encrypted one.
    "tls-port" => tls_port: u16 = "0", int(0, 65535), [effect(Effect::TlsPort)];

    /// Addresses to listen on. * and ::* mean all; a - before an address allows it to be missing on this machine.
    "bind" => bind: Addresses = "* -::*", Kind::Addresses, [effect(Effect::Bind)];

    /// Local address of outgoing connections, such as those to a primary.
    "bind-source-addr" => bind_source_addr: String = "", TEXT;

    /// Path of a Unix socket to listen on, none if empty.
    "unixsocket" => unixsocket: String = "", TEXT, [immutable()];

    /// File mode of the Unix socket, 0 leaves it to the umask.
    "unixsocketperm" => unixsocketperm: u32 = "0", Kind::Octal(0o777), [immutable()];

    /// Connections that may wait in the kernel to be accepted, per listener.
    "tcp-backlog" => tcp_backlog: u32 = "511", int(0, INT_MAX), [immutable()];

    /// Seconds between TCP keepalive probes, 0 for none.
    "tcp-keepalive" => tcp_keepalive: u32 = "300", int(0, INT_MAX);

    /// Seconds after which an idle client is closed, 0 for never.
    "timeout" => timeout: u32 = "0", int(0, INT_MAX);

    /// Refuse clients from other machines while the default user has no password.
    "protected-mode" => protected_mode: bool = "yes", BOOL;

    /// Mark for packets, used by routing and filtering rules of the kernel.
    "socket-mark-id" => socket_mark_id: u32 = "0", int(0, UINT_MAX), [immutable(), inert()];

    /// Threads that serve connections, 0 for one per core but one, which is left to handshakes and background work. A
    /// change takes effect at the next start.
    "worker-threads" => worker_threads: u32 = "0", int(0, 1024);

    /// Threads that Redis uses for reading and writing; see worker-threads instead.
    "io-threads" => io_threads: u32 = "1", int(1, 128), [immutable(), inert()];

    /// Whether Redis's threads also read; see worker-threads instead.
    "io-threads-do-reads" => io_threads_do_reads: bool = "no", BOOL, [immutable(), inert()];
}
