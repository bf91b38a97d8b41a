//! A data folder changes hands: this server goes on where a real Redis 7.0 stopped, Redis where this server did, and nothing is lost.

mod support;

use std::path::Path;

use support::{ALLOWED, Mode, Redis, Server, Site, Wire, eventually, info_field};

/// How the data is kept.
const WAYS: &[&[&str]] = &[
    &[],
    &["--appendonly", "yes"],
    &["--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--aof-timestamp-enabled", "yes"],
    &["--appendonly", "yes", "--appenddirname", "parts", "--appendfilename", "the file.aof"],
];

fn ours(folder: &Path, way: &[&str]) -> Server {
    Server::start_in(folder, Mode::Tls, &[ALLOWED, &["--save", ""], way].concat())
}

fn theirs(folder: &Path, way: &[&str]) -> Redis {
    Redis::start_in(folder.to_owned(), Mode::Plain, way)
}

/// Adds to every type, in small and in large.
fn add(client: &mut Wire, round: usize) {
    for db in [0, 3] {
        client.run(&format!("SELECT {db}"));
        for (name, count) in [("small", 3), ("large", 300)] {
            for i in 0..count {
                for command in
                    ["RPUSH #list e@ @", "SADD #ints @000", "SADD #set m@", "HSET #hash f@ @", "ZADD #zset @.25 m@"]
                {
                    let command = command.replace('#', name).replace('@', &(i * 7 + round).to_string());
                    assert!(client.run(&command).parse::<u64>().is_ok(), "{command}");
                }
            }
        }
        for command in [
            format!("SET number {round}"),
            format!("SET text{round} hello"),
            format!("SET later{round} x EX 100000"),
            format!("XADD stream {round}-1 f v"),
            format!("XADD stream {round}-2 f w"),
            format!("XGROUP CREATE stream group{round} 0"),
            format!("XREADGROUP GROUP group{round} alice COUNT 1 STREAMS stream >"),
            format!("PFADD hll {round}"),
            format!("SETBIT bits {round} 1"),
        ] {
            let reply = client.run(&command);
            assert!(!reply.starts_with('-'), "{command}: {reply}");
        }
    }
    client.run("SELECT 0");
    let library = format!("#!lua name=lib{round}\nredis.register_function('f{round}', function() return {round} end)");
    assert_eq!(client.run_args(&[b"FUNCTION", b"LOAD", library.as_bytes()]), format!("'lib{round}'"));
}

/// All there is after `rounds` rounds: the keys, and what a digest of them leaves out.
fn everything(client: &mut Wire, rounds: usize) -> Vec<String> {
    let digest = client.run("DEBUG DIGEST");
    assert_eq!(digest.len(), 41, "{digest}");
    let mut all = vec![digest, client.run("XINFO GROUPS stream")];
    for round in 1..=rounds {
        all.push(client.run(&format!("XPENDING stream group{round}")));
        assert_eq!(client.int(&format!("FCALL f{round} 0")), round as i64);
    }
    all
}

/// Adds data and has it all brought to the folder; what there is then.
fn add_and_leave(client: &mut Wire, way: &[&str], round: usize) -> Vec<String> {
    add(client, round);
    if way.is_empty() {
        assert_eq!(client.run("SAVE"), "+OK");
    } else {
        assert!(client.run("BGREWRITEAOF").starts_with("+Background append only file rewriting"));
        eventually("the rewrite ends", || {
            let info = client.text("INFO persistence");
            info_field(&info, "aof_rewrite_in_progress") == Some("0")
                && info_field(&info, "aof_rewrite_scheduled") == Some("0")
        });
        for line in ["MULTI", "INCR number", "DEL smallset", "EXEC", "SELECT 3", "EXPIRE text1 100000", "SELECT 0"] {
            assert!(!client.run(line).starts_with('-'), "{line}");
        }
    }
    everything(client, round)
}

#[test]
fn each_goes_on_where_the_other_stopped() {
    let site = Site::new();
    for way in WAYS {
        let folder = site.folder();
        let server = ours(&folder, way);
        let mut expected = add_and_leave(&mut server.client(), way, 1);
        drop(server);
        for round in [2, 4] {
            let redis = theirs(&folder, way);
            let mut client = redis.plain_client();
            assert_eq!(everything(&mut client, round - 1), expected, "Redis after us, {way:?}");
            expected = add_and_leave(&mut client, way, round);
            drop(redis);
            let server = ours(&folder, way);
            let mut client = server.client();
            assert_eq!(everything(&mut client, round), expected, "we after Redis, {way:?}");
            expected = add_and_leave(&mut client, way, round + 1);
        }
    }
}
