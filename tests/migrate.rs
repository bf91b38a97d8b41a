//! `redis-tls migrate`: live migrations between ours and a real Redis, cut links, refusals.

mod support;

use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use support::server::{PROGRAM, signal, text};
use support::{DEADLINE, Mode, Proxy, Server, Site, Wire, eventually};

const FUNCTIONS: &str =
    "#!lua name=library\nredis.register_function('f', function(keys) return redis.call('INCR', keys[1]) end)";

/// A migration on its way; killed when dropped.
struct Migration(Option<Child>);

impl Migration {
    fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    fn start_with(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let child = Command::new(PROGRAM)
            .args(["migrate", "--progress", "1", "--timeout", "15"])
            .args(args)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        Self(Some(child))
    }

    /// Asks for the cut-over.
    fn cut_over(&self) {
        signal(self.0.as_ref().expect("it runs").id(), "INT");
    }

    /// Exit code and everything said.
    fn end(mut self) -> (Option<i32>, String) {
        let mut child = self.0.take().expect("it runs");
        let end = std::time::Instant::now() + 2 * DEADLINE;
        while child.try_wait().expect("the child can be waited for").is_none() {
            if std::time::Instant::now() > end {
                let _ = child.kill();
                let output = child.wait_with_output().expect("output");
                panic!("it should have ended: {}", text(&output));
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let output: Output = child.wait_with_output().expect("output");
        (output.status.code(), text(&output))
    }
}

impl Drop for Migration {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let output = child.wait_with_output();
            if let Ok(output) = output
                && std::thread::panicking()
            {
                eprintln!("--- the migration\n{}---", text(&output));
            }
        }
    }
}

/// Tells the writers to stop, also when the test fails.
struct Stopped<'s>(&'s AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Keys of every type in two databases, some that expire, and a library.
fn fill(client: &mut Wire) {
    client.run_args(&[b"FUNCTION", b"LOAD", FUNCTIONS.as_bytes()]);
    for i in 0..300 {
        for line in [
            format!("SET string{i} {i}"),
            format!("SET volatile{i} {i} EX 1000"),
            format!("RPUSH list{} {i}", i % 7),
            format!("SADD set{} member{i}", i % 5),
            format!("SADD ints {i}"),
            format!("ZADD zset{} {i}.5 member{i}", i % 3),
            format!("HSET hash{} field{i} {i}", i % 11),
            format!("XADD stream{} * field {i}", i % 2),
        ] {
            client.send(&line);
        }
    }
    (0..300 * 8).for_each(|_| assert!(!client.reply().starts_with('-')));
    for line in [
        "XGROUP CREATE stream0 group 0",
        "XREADGROUP GROUP group me COUNT 3 STREAMS stream0 >",
        "PFADD hll a b c",
        "SET soon gone PX 1",
        "SELECT 5",
        "SET other database",
        "SELECT 0",
    ] {
        assert!(!client.run(line).starts_with('-'), "{line}");
    }
    let long = "x".repeat(300_000);
    client.run_args(&[b"SET", b"long", long.as_bytes()]);
    client.run_args(&[b"RPUSH", b"long list", long.as_bytes(), b"\x00\xff\r\n"]);
}

/// Writes without a pause until told to stop; what comes out depends on the order of everything.
fn write_until(client: &mut Wire, stopped: &AtomicBool) -> u64 {
    let mut count = 0;
    while !stopped.load(SeqCst) {
        for line in [
            "INCR counter",
            "RPUSH queue a b c",
            "LPOP queue 2",
            "SPOP set0",
            "SADD set0 again",
            "FCALL f 1 called",
            "EVAL \"redis.call('incr', 'x') redis.call('append', 'y', 'z')\" 0",
            "MULTI",
            "HINCRBY hash0 n 1",
            "XADD stream0 MAXLEN 50 * a b",
            "EXEC",
            "SETEX brief 100 v",
            "GETSET got it",
            "DEL brief",
        ] {
            let words = support::wire::words(line);
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            match client.try_run(&words) {
                Ok(reply) => assert!(!reply.starts_with('-'), "{line}: {reply}"),
                Err(_) => return count,
            }
            count += 1;
        }
    }
    count
}

/// Begins to move what can be reached in plaintext at a port into an encrypted server.
fn encrypt(site: &Site, from: u16, target: &Server, options: &[&str]) -> Migration {
    let (from, to) = (format!("redis://127.0.0.1:{from}"), format!("rediss://localhost:{}", target.port()));
    Migration::start(&[&["--from", &from, "--to", &to, "--cacert", &ca(site)], options].concat())
}

fn ca(site: &Site) -> String {
    site.path().join("ca.crt").to_str().unwrap().to_owned()
}

#[test]
fn a_plaintext_redis_moves_into_an_encrypted_group_while_it_is_written_to() {
    let site = Site::new();
    let (source, target) = (site.redis(Mode::Plain, &[]), site.ours(Mode::Tls, &[]));
    let mut seen = source.plain_client();
    fill(&mut seen);
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop = Stopped(&stopped);
        let writer = scope.spawn(|| write_until(&mut source.plain_client(), &stopped));
        let migration = encrypt(&site, source.port, &target, &["--digest", "--pause-source", "20"]);
        let mut client = target.client();
        eventually("the live stream arrives", || {
            let number = |reply: String| reply.trim_matches('\'').parse::<u64>().unwrap_or(0);
            number(client.run("GET counter")) > 200
        });
        // A source that is paused keeps what has expired.
        assert_eq!(seen.run("GET soon"), "nil");
        migration.cut_over();
        let (code, said) = migration.end();
        // The source's clients still wait with their writes, so that both sides can be compared.
        assert_eq!(code, Some(0), "{said}");
        for part in ["lag 0 bytes", "1 libraries", "0 refused", "0 cuts", "database 5", "equal", "has everything"] {
            assert!(said.contains(part), "no '{part}' in {said}");
        }
        assert!(!said.contains("DIFFERENT"), "{said}");
        assert_eq!(client.run("DEBUG DIGEST"), seen.run("DEBUG DIGEST"));
        assert_eq!(client.run("FCALL f 1 called").parse::<u64>().ok().map(|n| n > 1), Some(true));
        drop(stop);
        source.cli(&["CLIENT", "UNPAUSE"]);
        assert!(writer.join().unwrap() > 200);
    });
}

#[test]
fn ours_moves_to_ours_with_passwords_that_are_never_shown() {
    let site = Site::new();
    let source = site.ours(Mode::Tls, &["--requirepass", "from-secret"]);
    let target = site.ours(Mode::Tls, &["--requirepass", "to-secret"]);
    let (mut s, mut t) = (source.client(), target.client());
    s.run("AUTH from-secret");
    t.run("AUTH to-secret");
    fill(&mut s);
    assert_eq!(s.run("HSET dying a 1 b 2"), "2");
    assert_eq!(s.run("HPEXPIRE dying 1000000 FIELDS 1 a"), "[1]");
    let to = format!("rediss://default:to%2Dsecret@localhost:{}", target.port());
    let args = ["--from", &format!("rediss://localhost:{}", source.port()), "--to", &to, "--cacert", &ca(&site)];
    let args = [&args[..], &["--once", "--digest"]].concat();
    let (code, said) = Migration::start(&args).end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("NOAUTH"), "{said}");
    let environment = [("REDIS_TLS_FROM_PASSWORD", "from-secret")];
    let (code, said) = Migration::start_with(&args, &environment).end();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("from-secret") && !said.contains("to-secret"), "{said}");
    assert_eq!(s.run("DEBUG DIGEST"), t.run("DEBUG DIGEST"));
    assert_eq!(t.run("HTTL dying FIELDS 2 a b").split(' ').nth(1), Some("-1]"));
    // Now the target holds something.
    t.run("SET only-here 1");
    let (code, said) = Migration::start_with(&args, &environment).end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--flush-target"), "{said}");
    assert_eq!(t.run("GET only-here"), "'1'", "nothing was touched");
    let (code, said) = Migration::start_with(&[&args[..], &["--flush-target"]].concat(), &environment).end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((t.run("GET only-here"), t.run("DEBUG DIGEST")), ("nil".into(), s.run("DEBUG DIGEST")));
}

#[test]
fn ours_moves_to_a_real_redis() {
    let site = Site::new();
    let (source, target) = (site.ours(Mode::Tls, &[]), site.redis(Mode::Plain, &[]));
    let mut s = source.client();
    fill(&mut s);
    let (code, said) = Migration::start(&[
        "--from",
        &format!("rediss://localhost:{}", source.port()),
        "--to",
        &format!("redis://127.0.0.1:{}", target.port),
        "--cacert",
        &ca(&site),
        "--once",
    ])
    .end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(s.run("DEBUG DIGEST"), format!("+{}", target.cli(&["DEBUG", "DIGEST"])));
}

#[test]
fn a_cut_link_is_gone_on_with_where_it_was() {
    let site = Site::new();
    let (source, target) = (site.redis(Mode::Plain, &["--repl-backlog-size", "16mb"]), site.ours(Mode::Tls, &[]));
    let proxy = Proxy::to(source.port, 7);
    fill(&mut source.plain_client());
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop = Stopped(&stopped);
        let writer = scope.spawn(|| write_until(&mut source.plain_client(), &stopped));
        let migration = encrypt(&site, proxy.port(), &target, &["--digest"]);
        let mut client = target.client();
        let number = |reply: String| reply.trim_matches('\'').parse::<u64>().unwrap_or(0);
        let mut at_target = || number(client.run("GET counter"));
        eventually("the copy arrives", || at_target() > 0);
        for cut in 0..4 {
            // What is written from now on is not in the copy any more.
            let written = number(source.cli(&["GET", "counter"]));
            eventually("the live stream goes on", || at_target() > written);
            if cut < 3 {
                let cuts = proxy.cuts();
                proxy.cut_after(997);
                eventually("the link is cut", || proxy.cuts() > cuts);
            }
        }
        drop(stop);
        writer.join().unwrap();
        // It may have expired without having been removed, which a digest sees.
        source.cli(&["GET", "soon"]);
        migration.cut_over();
        let (code, said) = migration.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains(" 0 cuts") && said.contains("digest") && !said.contains("DIFFERENT"), "{said}");
        assert_eq!(client.run("DEBUG DIGEST"), format!("+{}", source.cli(&["DEBUG", "DIGEST"])));
    });
}

#[test]
fn keys_that_get_more_time_while_the_target_is_behind_do_not_expire_there() {
    let site = Site::new();
    let (source, target) = (site.redis(Mode::Plain, &[]), site.ours(Mode::Tls, &[]));
    let proxy = Proxy::to(source.port, 3);
    let (mut s, mut t) = (source.plain_client(), target.client());
    for line in ["SET session v PX 2500", "SET lasting v PX 500000", "SET ending v PX 2000", "SET plain v"] {
        assert_eq!(s.run(line), "+OK");
    }
    let migration = encrypt(&site, proxy.port(), &target, &[]);
    eventually("the copy arrives", || t.run("EXISTS session lasting ending plain") == "4");
    proxy.stall(true);
    for line in ["SET brief v PX 200", "SET marker v PX 2600"] {
        assert_eq!(s.run(line), "+OK");
    }
    for line in ["PEXPIRE session 600000", "PEXPIRE brief 600000", "COPY brief renamed", "PEXPIRE lasting 400000"] {
        assert_eq!(s.run(line), "1", "{line}");
    }
    eventually("time passes", || s.run("GET marker") == "nil");
    assert_eq!(s.run("GET ending"), "nil");
    proxy.stall(false);
    for key in ["session", "brief", "renamed", "lasting", "plain", "ending", "marker"] {
        let when = format!("PEXPIRETIME {key}");
        eventually(key, || t.run(&when) == s.run(&when));
    }
    migration.cut_over();
    let (code, said) = migration.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(t.run("DEBUG DIGEST"), s.run("DEBUG DIGEST"));
}

#[test]
fn fields_that_get_more_time_while_the_target_is_behind_do_not_expire_there() {
    let site = Site::new();
    let (source, target) = (site.ours(Mode::Plain, &[]), site.ours(Mode::Tls, &[]));
    let proxy = Proxy::to(source.port(), 5);
    let (mut s, mut t) = (source.client(), target.client());
    // More fields than are looked at together.
    for i in 0..2500 {
        s.send(&format!("HSETEX large PX 900000 FIELDS 1 field{i} {i}"));
    }
    (0..2500).for_each(|_| assert_eq!(s.reply(), "1"));
    for (line, reply) in [
        ("HSET h a 5 b 2 c 3", "3"),
        ("HPEXPIRE h 2500 FIELDS 1 a", "[1]"),
        ("HPEXPIRE h 500000 FIELDS 1 b", "[1]"),
        ("HSETEX ending PX 2000 FIELDS 1 f v", "1"),
        ("HSETEX kept PX 2500 FIELDS 1 f v", "1"),
    ] {
        assert_eq!(s.run(line), reply, "{line}");
    }
    let migration = encrypt(&site, proxy.port(), &target, &[]);
    eventually("the copy arrives", || t.run("EXISTS h ending kept large") == "4");
    proxy.stall(true);
    let payload: Vec<u8> = redis::cmd("DUMP").arg("h").query(&mut source.redis()).unwrap();
    for (line, reply) in [
        ("HPEXPIRE h 600000 FIELDS 1 a", "[1]"),
        ("HINCRBY h a 1", "6"),
        ("HPERSIST kept FIELDS 1 f", "[1]"),
        ("HSETEX brief PX 200 FIELDS 1 f v", "1"),
        ("HPEXPIRE brief 600000 FIELDS 1 f", "[1]"),
        ("COPY brief renamed", "1"),
        ("SET marker v PX 2600", "+OK"),
    ] {
        assert_eq!(s.run(line), reply, "{line}");
    }
    assert_eq!(s.run_args(&[b"RESTORE", b"restored", b"0", &payload]), "+OK");
    assert_eq!(s.run("HPERSIST restored FIELDS 1 a"), "[1]");
    eventually("time passes", || s.run("GET marker") == "nil");
    eventually("a field has expired", || s.run("EXISTS ending") == "0");
    proxy.stall(false);
    for (key, fields) in [
        ("h", "3 a b c"),
        ("kept", "1 f"),
        ("brief", "1 f"),
        ("renamed", "1 f"),
        ("restored", "2 a b"),
        ("ending", "1 f"),
        ("large", "3 field0 field1200 field2499"),
    ] {
        let when = format!("HPEXPIRETIME {key} FIELDS {fields}");
        eventually(key, || t.run(&when) == s.run(&when));
    }
    assert_eq!((t.run("HGET h a"), t.run("HGET kept f")), ("'6'".into(), "'v'".into()));
    migration.cut_over();
    let (code, said) = migration.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(t.run("DEBUG DIGEST"), s.run("DEBUG DIGEST"));
}

#[test]
fn a_target_that_is_lost_ends_it_with_a_way_out() {
    let site = Site::new();
    let source = site.ours(Mode::Plain, &[]);
    let mut s = source.client();
    fill(&mut s);
    let lost = |target: &Server, loss: &dyn Fn(&mut Wire), reason: &str| {
        let migration = encrypt(&site, source.port(), target, &["--flush-target"]);
        let (mut s, mut t) = (source.client(), target.client());
        let count = s.int("INCR live");
        eventually("what was written arrives", || t.run("GET live") == format!("'{count}'"));
        loss(&mut t);
        assert!(!s.run("INCR after").starts_with('-'));
        let (code, said) = migration.end();
        assert_eq!(code, Some(1), "{said}");
        for part in [reason, "no cut-over", "begin again with --flush-target"] {
            assert!(said.contains(part), "no '{part}' in {said}");
        }
    };
    let target = site.ours(Mode::Tls, &[]);
    lost(&target, &|t| assert_eq!(t.run("REPLICAOF 127.0.0.1 1"), "+OK"), "READONLY");
    assert_eq!(target.client().run("REPLICAOF NO ONE"), "+OK");
    lost(&target, &|_| target.signal("KILL"), "has a part of the data");
    // The way out.
    let another = site.ours(Mode::Tls, &[]);
    assert_eq!(another.client().run("SET rest of-an-attempt"), "+OK");
    let (code, said) = encrypt(&site, source.port(), &another, &["--flush-target", "--once"]).end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(another.client().run("DEBUG DIGEST"), s.run("DEBUG DIGEST"));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_touched() {
    let site = Site::new();
    let (first, plain) = (site.ours(Mode::Tls, &[]), site.ours(Mode::Plain, &[]));
    let stranger = Server::tls(&[]);
    let replica = site.ours(Mode::Tls, &["--replicaof", "127.0.0.1", &first.port().to_string()]);
    let url = |scheme: &str, server: &Server| format!("{scheme}://localhost:{}", server.port());
    let ca = ca(&site);
    let cases = [
        (url("rediss", &first), url("rediss", &first), "the same server"),
        (url("redis", &plain), url("rediss", &replica), "is a replica"),
        (url("redis", &plain), url("redis", &first), "speaks TLS only"),
        (url("rediss", &plain), url("rediss", &first), "cannot reach"),
        (url("rediss", &stranger), url("rediss", &first), "cannot reach"),
        (url("http", &plain), url("rediss", &first), "expected redis://"),
        (url("redis", &plain), url("rediss", &first) + "/3", "all databases"),
        ("redis://127.0.0.1:1".into(), url("rediss", &first), "cannot reach redis://127.0.0.1:1"),
    ];
    for (from, to, sentence) in &cases {
        let (code, said) = Migration::start(&["--from", from, "--to", to, "--cacert", &ca, "--once"]).end();
        assert_eq!(code, Some(1), "{from} {to}: {said}");
        assert!(said.contains(sentence), "{from} {to}: no '{sentence}' in {said}");
    }
    let (code, said) =
        Migration::start(&["--from", &url("redis", &plain), "--to", &url("rediss", &first), "--once"]).end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--cacert"), "{said}");
}
