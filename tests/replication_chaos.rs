//! Four nodes under a write load, and everything that can happen to them: links cut at random bytes, chopped, stalled and closed, nodes killed
//! and restarted in any order, the primary frozen, or lost for good and replaced by the replica that has most.
//!
//! Each round does one of these, then lets the nodes heal. After that DEBUG DIGEST is the same everywhere, and nothing that WAIT has
//! confirmed is missing. Everything random comes from a seed. `REDIS_TLS_CHAOS_ROUNDS` and `REDIS_TLS_CHAOS_SEED` make it longer, or another
//! one; the default is a short run in which each fault occurs once.

mod support;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use rustls::ClientConfig;
use support::server::tls_to;
use support::{Mode, Proxy, Server, Site, Wire, eventually, info_field, wire};

const NODES: usize = 4;
const CLIENTS: usize = 3;
const ROUNDS: u64 = Fault::ALL.len() as u64;
const OPTIONS: &[&str] = &[
    "--save",
    "",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--enable-debug-command",
    "yes",
    "--repl-diskless-sync-delay",
    "0",
    "--repl-timeout",
    "2",
    "--repl-ping-replica-period",
    "1",
    "--propagation-error-behavior",
    "panic",
];

/// What happens in a round.
#[derive(Clone, Copy, Debug)]
enum Fault {
    CutLinks,
    ChopLinks,
    StallLink,
    CloseLink,
    KillReplica,
    FreezePrimary,
    KillPrimary,
    LosePrimary,
    RestartAll,
}

impl Fault {
    const ALL: [Self; 9] = [
        Self::CutLinks,
        Self::LosePrimary,
        Self::StallLink,
        Self::KillReplica,
        Self::ChopLinks,
        Self::RestartAll,
        Self::FreezePrimary,
        Self::CloseLink,
        Self::KillPrimary,
    ];
}

/// A node; what it follows it reaches through its proxy, whose port never changes.
struct Node {
    folder: PathBuf,
    server: Option<Server>,
    upstream: Proxy,
    /// The node it follows.
    follows: Option<usize>,
}

impl Node {
    fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }

    fn start(&mut self) {
        let port = self.upstream.port().to_string();
        let role: &[&str] = if self.follows.is_some() { &["--replicaof", "127.0.0.1", &port] } else { &[] };
        self.server = Some(Server::start_in(&self.folder, Mode::Tls, &[OPTIONS, role].concat()));
    }

    fn kill(&mut self) {
        self.server().signal("KILL");
        self.server = None;
    }

    fn info(&self, name: &str) -> String {
        let info = self.server().client().text("INFO replication");
        info_field(&info, name).unwrap_or_default().to_owned()
    }
}

struct Group {
    nodes: Vec<Node>,
    random: SmallRng,
}

impl Group {
    /// A primary, two replicas, and a replica of one of these.
    fn start(site: &Site, seed: u64) -> Self {
        let follows = [None, Some(0), Some(0), Some(1)];
        let node = |index: usize| Node {
            folder: site.folder(),
            server: None,
            upstream: Proxy::to(0, seed.wrapping_mul(31).wrapping_add(index as u64)),
            follows: follows[index],
        };
        let mut group = Self { nodes: (0..NODES).map(node).collect(), random: SmallRng::seed_from_u64(seed) };
        group.nodes.iter_mut().for_each(Node::start);
        group.lead();
        group
    }

    fn primary(&self) -> usize {
        self.nodes.iter().position(|node| node.follows.is_none()).expect("there is one")
    }

    /// Any replica.
    fn replica(&mut self) -> usize {
        let primary = self.primary();
        (primary + self.random.random_range(1..NODES)) % NODES
    }

    /// Leads every proxy to where the node's primary is now.
    fn lead(&self) {
        for node in &self.nodes {
            if let Some(server) = node.follows.and_then(|primary| self.nodes[primary].server.as_ref()) {
                node.upstream.lead_to(server.port());
            }
        }
    }

    /// Lets the fault happen, while clients write.
    fn suffer(&mut self, fault: Fault, stopped: &AtomicBool) {
        self.pause(50..200);
        match fault {
            Fault::CutLinks => {
                for _ in 0..6 {
                    let (replica, bytes) = (self.replica(), self.random.random_range(0..20_000));
                    self.nodes[replica].upstream.cut_after(bytes);
                    self.pause(50..300);
                }
            }
            Fault::ChopLinks => {
                for node in &self.nodes {
                    node.upstream.chop(self.random.random_range(1..300));
                }
                let replica = self.replica();
                self.nodes[replica].upstream.cut();
                self.pause(500..1000);
            }
            Fault::StallLink => {
                let replica = self.replica();
                self.nodes[replica].upstream.stall(true);
                self.pause(500..2500);
            }
            Fault::CloseLink => {
                let replica = self.replica();
                self.nodes[replica].upstream.close(true);
                self.pause(300..1500);
            }
            Fault::KillReplica => {
                let replica = self.replica();
                self.nodes[replica].kill();
                self.pause(0..200);
                self.nodes[replica].start();
                self.lead();
            }
            Fault::FreezePrimary => {
                let primary = self.primary();
                self.nodes[primary].server().signal("STOP");
                self.pause(500..2500);
                self.nodes[primary].server().signal("CONT");
            }
            Fault::KillPrimary => {
                // Without its memory it begins a new history from its append only file.
                let primary = self.primary();
                self.nodes[primary].kill();
                stopped.store(true, SeqCst);
                self.nodes[primary].start();
                self.lead();
            }
            Fault::LosePrimary => self.lose_primary(stopped),
            Fault::RestartAll => {
                let mut order: Vec<usize> = (0..NODES).collect();
                order.shuffle(&mut self.random);
                order.iter().for_each(|index| self.nodes[*index].kill());
                stopped.store(true, SeqCst);
                order.shuffle(&mut self.random);
                for index in order {
                    self.nodes[index].start();
                    self.pause(0..200);
                    self.lead();
                }
            }
        }
        self.pause(0..200);
    }

    /// The primary is killed while its links are cut; the replica that has most takes its place, and it comes back as a replica.
    fn lose_primary(&mut self, stopped: &AtomicBool) {
        let (cut, bytes) = (self.replica(), self.random.random_range(0..5_000));
        self.nodes[cut].upstream.cut_after(bytes);
        self.pause(50..200);
        let lost = self.primary();
        self.nodes[lost].kill();
        stopped.store(true, SeqCst);
        let offset =
            |group: &Self, index: usize| group.nodes[index].info("slave_repl_offset").parse::<u64>().unwrap_or(0);
        let settled = |group: &Self, index: usize| group.nodes[index].info("master_link_status") == "down";
        let others: Vec<usize> = (0..NODES).filter(|index| *index != lost).collect();
        for index in others.iter().filter(|index| self.nodes[**index].follows == Some(lost)) {
            eventually("what was on its way has arrived", || settled(self, *index));
        }
        let promoted =
            *others.iter().max_by_key(|index| (offset(self, **index), NODES - **index)).expect("there are others");
        assert_eq!(self.nodes[promoted].server().client().run("REPLICAOF NO ONE"), "+OK");
        self.nodes[promoted].follows = None;
        // One of the rest follows another of the rest.
        let mut rest: Vec<usize> = (0..NODES).filter(|index| *index != promoted).collect();
        rest.shuffle(&mut self.random);
        for (place, index) in rest.iter().enumerate() {
            self.nodes[*index].follows = Some(if place == 2 { rest[0] } else { promoted });
        }
        self.nodes[lost].start();
        self.lead();
        rest.iter().for_each(|index| self.nodes[*index].upstream.cut());
        // The one that was promoted may have followed a node through its proxy: it does not any more.
        self.nodes[promoted].upstream.cut();
    }

    fn pause(&mut self, millis: std::ops::Range<u64>) {
        std::thread::sleep(Duration::from_millis(self.random.random_range(millis)));
    }

    /// Waits until all nodes have the same.
    fn heal(&self) {
        self.nodes.iter().for_each(|node| node.upstream.heal());
        let digests =
            || -> Vec<String> { self.nodes.iter().map(|node| node.server().client().run("DEBUG DIGEST")).collect() };
        let is_whole = || {
            let linked = |node: &Node| node.follows.is_none() || node.info("master_link_status") == "up";
            let end = |node: &Node| node.info("master_repl_offset");
            self.nodes.iter().all(linked) && self.nodes.windows(2).all(|pair| end(&pair[0]) == end(&pair[1]))
        };
        eventually("all nodes have the same", || is_whole() && digests().windows(2).all(|pair| pair[0] == pair[1]));
    }
}

/// Where clients write, whatever becomes of the server.
#[derive(Clone)]
struct Access {
    port: u16,
    config: Arc<ClientConfig>,
}

impl Access {
    fn to(server: &Server) -> Self {
        Self { port: server.port(), config: server.client_config(&[], rustls::ALL_VERSIONS) }
    }
}

/// What a client has written, and how much of it WAIT has confirmed.
#[derive(Default)]
struct Tally {
    written: AtomicU64,
    confirmed: AtomicU64,
    waits: AtomicU64,
}

/// Numbers go up one by one, in a transaction that also writes a list; beside them, commands whose effect depends on chance and order.
fn write(access: &Access, client: usize, tally: &Tally, stopped: &AtomicBool, seed: u64) -> std::io::Result<()> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut wire = Wire::new(tls_to(access.port, &access.config)?);
    let mut run = |line: &str| -> std::io::Result<String> {
        let words = wire::words(line);
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        wire.try_run(&words)
    };
    while !stopped.load(SeqCst) {
        let next = tally.written.load(SeqCst) + 1;
        for line in ["MULTI".into(), format!("SET number{client} {next}"), format!("RPUSH numbers{client} {next}")] {
            run(&line)?;
        }
        if !run("EXEC")?.starts_with('[') {
            return Ok(());
        }
        tally.written.store(next, SeqCst);
        let (a, b) = (random.random_range(0..20), random.random_range(0..20));
        let line = match random.random_range(0..13) {
            0 => format!("SADD set{a} {b} {next}"),
            1 => format!("SPOP set{a}"),
            2 => format!("ZINCRBY zset{a} 0.3 m{b}"),
            3 => format!("HINCRBYFLOAT hash{a} f{b} 1.7"),
            4 => format!("XADD stream{a} MAXLEN ~ 100 * f {next}"),
            5 => format!("SET brief{a} {next} PX {}", b + 1),
            6 => format!("LMOVE list{a} list{b} LEFT RIGHT"),
            7 => format!("LPUSH list{a} {next} {b}"),
            8 => format!("EVAL \"redis.call('append', KEYS[1], redis.call('incr', KEYS[2]))\" 2 text{a} count{b}"),
            9 => format!("SUNIONSTORE set{a} set{b} set0"),
            10 => format!("DEL text{a} list{b}"),
            11 => format!("SETRANGE text{a} {b} {}", "x".repeat(500)),
            _ => format!("GETEX brief{a} PX 100"),
        };
        run(&line)?;
        if next.is_multiple_of(5) {
            tally.waits.fetch_add(1, SeqCst);
            if run("WAIT 1 200")?.parse::<u64>().is_ok_and(|replicas| replicas > 0) {
                tally.confirmed.store(next, SeqCst);
            }
        }
    }
    Ok(())
}

/// What was confirmed is there, nothing in between is missing, and the numbers go on from what is there.
fn check(client: &mut Wire, tallies: &[Tally], what: &str) {
    for (index, tally) in tallies.iter().enumerate() {
        let number = |reply: String| reply.trim_matches('\'').parse::<u64>().unwrap_or(0);
        let found = number(client.run(&format!("GET number{index}")));
        let (confirmed, written) = (tally.confirmed.load(SeqCst), tally.written.load(SeqCst));
        assert!(confirmed <= found, "{what}: {confirmed} were confirmed, {found} are there");
        assert!(found <= written + 1, "{what}: {found} of {written}");
        let (length, last) = (
            number(client.run(&format!("LLEN numbers{index}"))),
            number(client.run(&format!("LINDEX numbers{index} -1"))),
        );
        assert_eq!((length, last), (found, found), "{what}: half a transaction");
        tally.written.store(found, SeqCst);
    }
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn nodes_heal_and_nothing_confirmed_is_lost() {
    let (rounds, seed) = (variable("REDIS_TLS_CHAOS_ROUNDS", ROUNDS), variable("REDIS_TLS_CHAOS_SEED", 1));
    let site = Site::new();
    let mut group = Group::start(&site, seed);
    group.heal();
    let tallies: Vec<Tally> = (0..CLIENTS).map(|_| Tally::default()).collect();
    for round in 0..rounds {
        let fault = match Fault::ALL.get(round as usize) {
            Some(fault) => *fault,
            None => Fault::ALL[group.random.random_range(0..Fault::ALL.len())],
        };
        let what = format!("seed {seed}, round {round}, {fault:?}");
        let access = Access::to(group.nodes[group.primary()].server());
        let stopped = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for (index, tally) in tallies.iter().enumerate() {
                let (access, stopped) = (&access, &stopped);
                let seed = seed.wrapping_mul(1000).wrapping_add(round * 10 + index as u64);
                // A connection that ends is part of the game: the primary may be gone.
                scope.spawn(move || write(access, index, tally, stopped, seed).is_ok());
            }
            group.suffer(fault, &stopped);
            stopped.store(true, SeqCst);
        });
        println!("{what}");
        group.heal();
        check(&mut group.nodes[group.primary()].server().client(), &tallies, &what);
    }
    let sum = |count: fn(&Tally) -> &AtomicU64| tallies.iter().map(|tally| count(tally).load(SeqCst)).sum::<u64>();
    let cuts: u64 = group.nodes.iter().map(|node| node.upstream.cuts()).sum();
    let (written, confirmed, waits) = (sum(|t| &t.written), sum(|t| &t.confirmed), sum(|t| &t.waits));
    println!(
        "{rounds} rounds, {written} transactions, {confirmed} confirmed by {waits} waits, {cuts} cut connections: none lost"
    );
    assert!(confirmed > 0 && cuts > 0);
}
