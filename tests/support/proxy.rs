//! A proxy on loopback that treats what goes through it badly: cuts connections in the middle of a byte stream, stalls them, hands bytes on in
//! small pieces, lets nobody through, or leads to another server than before.
//!
//! It knows TCP only, so that it stands between nodes of either mode.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::SmallRng};

/// How often a thread looks at what it is to do.
const LOOK_AROUND: Duration = Duration::from_millis(5);

struct Shared {
    target: AtomicU16,
    stalled: AtomicBool,
    closed: AtomicBool,
    ended: AtomicBool,
    /// Bytes that may still go through before all connections are cut; negative for any number.
    left: AtomicI64,
    /// Pieces are at most so long.
    piece: AtomicU64,
    cuts: AtomicU64,
    links: Mutex<Vec<TcpStream>>,
}

/// The proxy; it ends with the value.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A proxy to a port of this machine.
    pub fn to(target: u16, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            target: AtomicU16::new(target),
            stalled: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            left: AtomicI64::new(-1),
            piece: AtomicU64::new(u64::MAX),
            cuts: AtomicU64::new(0),
            links: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &accepting, seed));
        Self { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads to another server from the next connection on.
    pub fn lead_to(&self, target: u16) {
        self.shared.target.store(target, SeqCst);
    }

    /// Cuts all connections now.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// Cuts all connections once so many further bytes have gone through, in whichever direction.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.left.store(bytes as i64, SeqCst);
    }

    /// Hands nothing on, or goes on with it.
    pub fn stall(&self, stalled: bool) {
        self.shared.stalled.store(stalled, SeqCst);
    }

    /// Lets nobody through, or does so again.
    pub fn close(&self, closed: bool) {
        self.shared.closed.store(closed, SeqCst);
        if closed {
            self.shared.cut();
        }
    }

    /// Hands bytes on in pieces of random lengths up to this one.
    pub fn chop(&self, piece: u64) {
        self.shared.piece.store(piece, SeqCst);
    }

    /// Treats everybody well from now on.
    pub fn heal(&self) {
        self.cut_after(u64::MAX);
        self.chop(u64::MAX);
        self.stall(false);
        self.close(false);
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, SeqCst);
        self.shared.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn cut(&self) {
        for link in self.links.lock().drain(..) {
            self.cuts.fetch_add(1, SeqCst);
            let _ = link.shutdown(Shutdown::Both);
        }
    }

    /// How many of `wanted` bytes may go through.
    fn admit(&self, wanted: usize) -> usize {
        let mut admitted = wanted;
        let spend = |left: i64| match left {
            left if left < 0 => None,
            left => Some(left - (wanted as i64).min(left)),
        };
        if let Ok(left) = self.left.fetch_update(SeqCst, SeqCst, spend) {
            admitted = wanted.min(left as usize);
        }
        admitted
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, seed: u64) {
    for (number, client) in listener.incoming().enumerate() {
        if shared.ended.load(SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        if shared.closed.load(SeqCst) {
            continue;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", shared.target.load(SeqCst))) else { continue };
        let both = [&client, &server].map(|stream| {
            let _ = (stream.set_nodelay(true), stream.set_read_timeout(Some(LOOK_AROUND)));
            stream.try_clone().expect("a second handle")
        });
        shared.links.lock().extend(both.map(|stream| stream));
        let seed = seed.wrapping_mul(1 << 20).wrapping_add(2 * number as u64);
        for (from, to, seed) in [(&client, &server, seed), (&server, &client, seed + 1)] {
            let (from, to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
            let (shared, random) = (Arc::clone(shared), SmallRng::seed_from_u64(seed));
            std::thread::spawn(move || {
                pump(&from, &to, &shared, random);
                let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
            });
        }
    }
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, shared: &Shared, mut random: SmallRng) {
    let mut buffer = vec![0; 64 << 10];
    while !shared.ended.load(SeqCst) {
        if shared.stalled.load(SeqCst) {
            std::thread::sleep(LOOK_AROUND);
            continue;
        }
        let longest = shared.piece.load(SeqCst).min(buffer.len() as u64);
        let piece = if longest < buffer.len() as u64 { random.random_range(1..=longest) } else { longest };
        match from.read(&mut buffer[..piece as usize]) {
            Ok(0) => return,
            Ok(count) => {
                let admitted = shared.admit(count);
                if to.write_all(&buffer[..admitted]).is_err() {
                    return;
                }
                if admitted < count {
                    shared.left.store(-1, SeqCst);
                    shared.cut();
                    return;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}
