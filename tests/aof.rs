//! The append only file as it outlives the process: what is in it, how it is rewritten, loaded, switched, checked and refused.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::server::{PROGRAM, create_certificates, run, text, tls_arguments};
use support::{Mode, Server, Wire, blocked, check, eventually, free_port, info_field};
use tempfile::TempDir;

const ALLOWED: &[&str] = &["--enable-debug-command", "yes", "--save", "", "--appendonly", "yes"];

fn folder() -> TempDir {
    let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
    create_certificates(folder.path());
    folder
}

fn start(folder: &Path, more: &[&str]) -> Server {
    Server::start_in(folder, Mode::Tls, &[ALLOWED, more].concat())
}

fn info(client: &mut Wire, field: &str) -> String {
    let info = client.text("INFO persistence");
    info_field(&info, field).unwrap_or_else(|| panic!("no {field} in {info}")).to_owned()
}

fn part(folder: &Path, name: &str) -> PathBuf {
    folder.join("appendonlydir").join(name)
}

fn parts(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.join("appendonlydir"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The commands of a part, arguments parted by blanks.
fn commands(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.split("\r\n");
    let mut commands = Vec::new();
    while let Some(count) = lines.next().and_then(|line| line.strip_prefix('*')) {
        let count: usize = count.parse().unwrap();
        let words: Vec<_> = (0..count).map(|_| lines.by_ref().nth(1).unwrap()).collect();
        commands.push(words.join(" "));
    }
    commands
}

fn write_parts(folder: &Path, manifest: &str, files: &[(&str, &[u8])]) {
    std::fs::create_dir_all(folder.join("appendonlydir")).unwrap();
    std::fs::write(part(folder, "appendonly.aof.manifest"), manifest).unwrap();
    for (name, bytes) in files {
        std::fs::write(part(folder, name), bytes).unwrap();
    }
}

fn record(line: &str) -> Vec<u8> {
    let words = support::wire::words(line);
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    support::wire::encode(&words)
}

fn records(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| record(line)).collect()
}

const ONE_PART: &str = "file appendonly.aof.1.incr.aof seq 1 type i\n";
const INCREMENT: &str = "appendonly.aof.1.incr.aof";

fn fill(client: &mut Wire) {
    for db in [0, 3] {
        client.run(&format!("SELECT {db}"));
        for command in
            ["SET number 12345", "SET text hello", "SET later x EX 10000", "XADD s 1-1 f v", "XADD s 1-2 f w"]
        {
            client.run(command);
        }
        client.run("XGROUP CREATE s g 0");
        client.run("XREADGROUP GROUP g c COUNT 1 STREAMS s >");
        for i in 0..300 {
            for command in [
                "RPUSH list e# #",
                "SADD ints #000",
                "SADD set m#",
                "HSET hash f# #",
                "ZADD zset #.25 m#",
                "PFADD hll #",
            ] {
                client.send(&command.replace('#', &i.to_string()));
            }
            for _ in 0..6 {
                client.reply();
            }
        }
        client.run("HSET fields a 1 b 2");
        client.run("HEXPIRE fields 10000 FIELDS 1 a");
    }
    client.run("SELECT 0");
    client.run("FUNCTION LOAD \"#!lua name=lib\\nredis.register_function('one', function() return 1 end)\"");
}

fn digest(client: &mut Wire) -> String {
    let digest = client.run("DEBUG DIGEST");
    assert_eq!(digest.len(), 41, "{digest}");
    digest
}

fn rewrite(client: &mut Wire) {
    assert_eq!(client.run("BGREWRITEAOF"), "+Background append only file rewriting started");
    eventually("the rewrite ends", || info(client, "aof_rewrite_in_progress") == "0");
    assert_eq!(info(client, "aof_last_bgrewrite_status"), "ok");
}

#[test]
fn commands_are_written_as_they_must_be_replayed() {
    let server = Server::tls(&[ALLOWED, &["--appendfsync", "always"]].concat());
    let mut client = server.client();
    for command in [
        "SET k v EX 100",
        "SADD s a",
        "SPOP s",
        "GET k",
        "PUBLISH channel message",
        "MULTI",
        "SET a 1",
        "SELECT 2",
        "SET b 2",
        "EXEC",
        "MULTI",
        "INCR a",
        "EXEC",
        "EVAL \"redis.call('set','x','1') redis.call('select', '5') redis.call('incr','y')\" 0",
        "FLUSHDB",
    ] {
        let reply = client.run(command);
        assert!(!reply.starts_with('-'), "{command}: {reply}");
    }
    let mut written = commands(&part(server.path(), INCREMENT));
    assert!(written[1].starts_with("SET k v PXAT "), "{written:?}");
    written.remove(1);
    let expected = [
        "SELECT 0", "SADD s a", "SREM s a", "MULTI", "SET a 1", "SELECT 2", "SET b 2", "EXEC", "INCR a", "MULTI",
        "set x 1", "SELECT 5", "incr y", "EXEC", "SELECT 2", "FLUSHDB",
    ];
    assert_eq!(written, expected);
}

#[test]
fn everything_comes_back_after_a_kill_and_from_either_kind_of_base() {
    let folder = folder();
    for preamble in ["yes", "no"] {
        let server = start(folder.path(), &["--aof-use-rdb-preamble", preamble]);
        let mut client = server.client();
        client.run("FLUSHALL");
        client.run("FUNCTION FLUSH");
        fill(&mut client);
        let before = digest(&mut client);
        assert_eq!(client.run("DEBUG LOADAOF"), "+OK");
        assert_eq!(digest(&mut client), before);
        drop(server);
        let server = start(folder.path(), &["--aof-use-rdb-preamble", preamble]);
        let mut client = server.client();
        assert_eq!(digest(&mut client), before, "from the increment");
        rewrite(&mut client);
        client.run("SET after rewrite");
        let after = digest(&mut client);
        drop(server);
        let server = start(folder.path(), &["--aof-use-rdb-preamble", preamble]);
        let mut client = server.client();
        assert_eq!(digest(&mut client), after, "from the base");
        assert_eq!(client.run("FCALL one 0"), "1");
        assert_eq!(client.run("HTTL fields FIELDS 2 a b").matches("-1").count(), 1);
        let names = parts(folder.path());
        assert_eq!(names.len(), 3, "history is removed: {names:?}");
        let suffix = if preamble == "yes" { "base.rdb" } else { "base.aof" };
        assert!(names[0].ends_with(suffix), "{names:?}");
    }
}

#[test]
fn it_is_switched_on_and_off_while_the_server_runs() {
    let folder = folder();
    let server = start(folder.path(), &["--appendonly", "no"]);
    let mut client = server.client();
    client.run("SET before 1");
    assert_eq!(client.run("CONFIG SET appendonly yes"), "+OK");
    client.run("SET during 1");
    eventually("the base is there", || parts(folder.path()).iter().any(|name| name.ends_with("1.incr.aof")));
    eventually("the rewrite ends", || info(&mut client, "aof_rewrite_in_progress") == "0");
    assert_eq!(info(&mut client, "aof_enabled"), "1");
    client.run("SET on 1");
    assert_eq!(client.run("CONFIG SET appendonly no"), "+OK");
    client.run("SET off 1");
    assert_eq!(info(&mut client, "aof_enabled"), "0");
    drop(server);
    let server = start(folder.path(), &[]);
    let mut client = server.client();
    assert_eq!(client.run("MGET before during on off"), "['1' '1' '1' nil]");
}

#[test]
fn it_is_rewritten_by_itself_when_it_has_grown() {
    let options = ["--auto-aof-rewrite-percentage", "100", "--auto-aof-rewrite-min-size", "10kb"];
    let server = Server::tls(&[ALLOWED, &options].concat());
    let mut client = server.client();
    for _ in 0..100 {
        client.run(&format!("SET key {}", "x".repeat(200)));
    }
    eventually("it is rewritten", || info(&mut client, "aof_rewrites") != "0");
    eventually("the rewrite ends", || info(&mut client, "aof_rewrite_in_progress") == "0");
    assert!(server.log().contains("Starting automatic rewriting of AOF on "));
}

#[test]
fn rewrites_wait_for_saves_and_refuse_each_other() {
    let server = Server::tls(&[ALLOWED, &["--rdb-key-save-delay", "300000"]].concat());
    let mut client = server.client();
    client.run("SET k v");
    assert_eq!(client.run("BGSAVE"), "+Background saving started");
    assert_eq!(client.run("BGREWRITEAOF"), "+Background append only file rewriting scheduled");
    assert_eq!(info(&mut client, "aof_rewrite_scheduled"), "1");
    eventually("it begins", || info(&mut client, "aof_rewrite_in_progress") == "1");
    assert_eq!(client.run("BGREWRITEAOF"), "-ERR Background append only file rewriting already in progress");
    assert!(client.run("BGSAVE").starts_with("-ERR Another child process is active (AOF?)"));
    eventually("it ends", || info(&mut client, "aof_rewrite_in_progress") == "0");
}

#[test]
fn a_cut_end_is_dropped_where_that_is_allowed() {
    for (bytes, expected) in [
        ([records(&["SET a 1", "SET b 2"]), b"*3\r\n$3\r\nSE".to_vec()].concat(), "['1' '2']"),
        (records(&["SET a 1", "MULTI", "SET b 2"]), "['1' nil]"),
    ] {
        let folder = folder();
        write_parts(folder.path(), ONE_PART, &[(INCREMENT, &bytes)]);
        let server = start(folder.path(), &[]);
        let mut client = server.client();
        assert_eq!(client.run("MGET a b"), expected);
        client.run("SET c 3");
        drop(server);
        let server = start(folder.path(), &["--aof-load-truncated", "no"]);
        assert_eq!(server.client().run("GET c"), "'3'", "what follows the cut is whole");
    }
}

#[test]
fn a_cut_at_any_byte_leaves_the_whole_commands_before_it() {
    let folder = folder();
    let server = start(folder.path(), &["--aof-load-truncated", "yes"]);
    let mut client = server.client();
    let path = part(folder.path(), INCREMENT);
    let lines = ["SET a 1", "RPUSH b x y", "HSET c f v", "INCR a"];
    let mut ends = vec![0];
    lines.iter().for_each(|line| ends.push(ends.last().unwrap() + record(line).len()));
    let whole = records(&lines);
    let expected = ["[nil 0 nil]", "['1' 0 nil]", "['1' 2 nil]", "['1' 2 'v']", "['2' 2 'v']"];
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(client.run("DEBUG LOADAOF"), "+OK", "{cut}");
        let commands = ends.iter().filter(|end| **end <= cut).count() - 1;
        for line in ["MULTI", "GET a", "LLEN b", "HGET c f"] {
            client.run(line);
        }
        assert_eq!(client.run("EXEC"), expected[commands], "{cut}");
        assert_eq!(std::fs::read(&path).unwrap().len(), ends[commands], "what is cut off is gone from the file too");
    }
    assert_eq!(client.run("CONFIG SET aof-load-truncated no"), "+OK");
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(client.run("DEBUG LOADAOF").starts_with("-ERR Error trying to load the AOF files"));
    assert_eq!(std::fs::read(&path).unwrap().len(), whole.len() - 1, "a file that is refused is left alone");
}

#[test]
fn what_is_wrong_ends_the_start_with_a_sentence() {
    let good = record("SET a 1");
    let foreign = [&good[..], b"!!!"].concat();
    let cut = [&good[..], b"*2\r\n"].concat();
    let two = "file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n";
    type Files<'a> = &'a [(&'a str, &'a [u8])];
    let rows: &[(&str, Files<'_>, &str, &str)] = &[
        (
            ONE_PART,
            &[(INCREMENT, &foreign)],
            "yes",
            "Bad file format reading the append only file appendonly.aof.1.incr.aof",
        ),
        (ONE_PART, &[(INCREMENT, &cut)], "no", "Unexpected end of file reading the append only file"),
        (ONE_PART, &[(INCREMENT, &record("BLA a"))], "yes", "Unknown command 'BLA' reading the append only file"),
        (ONE_PART, &[(INCREMENT, b"REDIS0011garbage")], "yes", "Error reading the RDB base file"),
        (ONE_PART, &[], "yes", "Unable to obtain the AOF file appendonly.aof.1.incr.aof length"),
        (
            two,
            &[(INCREMENT, &cut), ("appendonly.aof.2.incr.aof", &good)],
            "yes",
            "Fatal error: the truncated file is not the last file",
        ),
        ("file x seq 1\n", &[], "yes", "Invalid AOF manifest file format"),
        ("", &[], "yes", "Found an empty AOF manifest"),
    ];
    for (manifest, files, truncated, expected) in rows {
        let folder = folder();
        write_parts(folder.path(), manifest, files);
        let port = free_port().to_string();
        let tls = tls_arguments(folder.path());
        let dir = folder.path().to_str().unwrap();
        let mut args = vec!["--port", "0", "--tls-port", &port, "--dir", dir, "--aof-load-truncated", truncated];
        args.extend(ALLOWED);
        args.extend(tls.iter().map(String::as_str));
        let output = run(folder.path(), &args);
        assert_eq!(output.status.code(), Some(1), "{expected}");
        assert!(text(&output).contains(expected), "{expected}:\n{}", text(&output));
    }
}

#[test]
fn what_has_expired_since_takes_part_in_what_came_later() {
    let folder = folder();
    let bytes = records(&["RPUSH list foo", "PEXPIREAT list 1000", "RPUSH list bar", "SET k v PXAT 1000", "PERSIST k"]);
    write_parts(folder.path(), ONE_PART, &[(INCREMENT, &bytes)]);
    let server = start(folder.path(), &[]);
    let mut client = server.client();
    assert_eq!(client.run("LLEN list"), "0");
    assert_eq!(client.run("GET k"), "'v'");
}

#[test]
fn scripts_are_replayed_whatever_the_role() {
    let folder = folder();
    let bytes = records(&["EVAL \"redis.call('set',KEYS[1],'100')\" 1 k", "EVAL \"redis.call('incr',KEYS[1])\" 1 k"]);
    write_parts(folder.path(), ONE_PART, &[(INCREMENT, &bytes)]);
    let nobody = free_port().to_string();
    let server =
        Server::start_in(folder.path(), Mode::Plain, &[ALLOWED, &["--replicaof", "127.0.0.1", &nobody]].concat());
    assert_eq!(server.client().run("GET k"), "'101'");
}

#[test]
fn the_single_file_of_an_older_server_is_taken_over() {
    let folder = folder();
    let old = folder.path().join("appendonly.aof");
    std::fs::write(&old, records(&["SELECT 2", "SET a 1"])).unwrap();
    let server = start(folder.path(), &[]);
    let mut client = server.client();
    client.run("SELECT 2");
    assert_eq!(client.run("INCR a"), "2");
    assert!(!old.exists());
    drop(server);
    let server = start(folder.path(), &[]);
    let mut client = server.client();
    client.run("SELECT 2");
    assert_eq!(client.run("GET a"), "'2'");
}

#[test]
fn replies_wait_for_the_disk_and_others_are_served_meanwhile() {
    let server = Server::tls(&[ALLOWED, &["--appendfsync", "always"]].concat());
    let (mut client, mut other) = (server.client(), server.client());
    client.run("DEBUG AOF-FLUSH-SLEEP 300000");
    let size = || std::fs::metadata(part(server.path(), INCREMENT)).unwrap().len();
    let before = size();
    client.send("SET k v");
    assert_eq!(other.run("PING").len(), 5);
    assert_eq!(client.reply(), "+OK");
    assert!(size() > before);
}

#[test]
fn writes_are_refused_while_they_cannot_be_written_down() {
    let server = Server::tls(ALLOWED);
    let mut client = server.client();
    client.run("SET k v");
    // A file that takes nothing more: the limit holds for the whole process, its log included, so it is lifted at once.
    let limit = |bytes: &str| {
        let pid = server.pid().to_string();
        Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]).status()
    };
    assert!(limit("1").unwrap().success());
    client.run(&format!("SET big {}", "x".repeat(1000)));
    eventually("writes are refused", || client.run("SET k w").starts_with("-MISCONF Errors writing to the AOF file: "));
    assert_eq!(client.run("GET k").len(), 3);
    assert!(client.run("PING").starts_with("-MISCONF"));
    assert!(limit("unlimited").unwrap().success());
    eventually("writes are taken again", || client.run("SET k x") == "+OK");
    assert_eq!(info(&mut client, "aof_last_write_status"), "ok");
    assert_eq!(client.run("DEBUG LOADAOF"), "+OK");
    assert_eq!(client.run("GET k"), "'x'");
    assert_eq!(client.int("STRLEN big"), 1000);
}

#[test]
fn times_are_noted_and_can_be_cut_back_to() {
    let folder = folder();
    let server = start(folder.path(), &["--aof-timestamp-enabled", "yes", "--appendfsync", "always"]);
    server.client().run("SET k v");
    let bytes = std::fs::read(part(folder.path(), INCREMENT)).unwrap();
    assert!(bytes.starts_with(b"#TS:"), "{}", bytes.escape_ascii());
    drop(server);
    let times = |seconds: &[u32]| {
        seconds
            .iter()
            .flat_map(|second| [format!("#TS:{second}\r\n").into_bytes(), record(&format!("SET k{second} v"))].concat())
            .collect::<Vec<u8>>()
    };
    write_parts(folder.path(), ONE_PART, &[(INCREMENT, &times(&[10, 11, 13]))]);
    let manifest = part(folder.path(), "appendonly.aof.manifest");
    let check = |until: &str| {
        let args = ["check-aof", "--truncate-to-timestamp", until, manifest.to_str().unwrap()];
        let output = Command::new(PROGRAM).args(args).output().unwrap();
        (output.status.success(), text(&output))
    };
    assert!(check("13").1.contains("Truncate nothing in AOF"));
    let (done, said) = check("12");
    assert!(done && said.contains("to timestamp 12"), "{said}");
    assert_eq!(std::fs::read(part(folder.path(), INCREMENT)).unwrap(), times(&[10, 11]));
    let (done, said) = check("9");
    assert!(!done && said.contains("has nothing before timestamp 9, aborting"), "{said}");
}

#[test]
fn check_aof_finds_damage_and_cuts_it_off_when_told_to() {
    let folder = folder();
    let good = record("set foo hello");
    write_parts(folder.path(), ONE_PART, &[(INCREMENT, &[&good[..], b"!!!"].concat())]);
    let manifest = part(folder.path(), "appendonly.aof.manifest");
    let check = |args: &[&str], answer: &str| {
        let mut child = Command::new(PROGRAM)
            .arg("check-aof")
            .args(args)
            .arg(&manifest)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), text(&output))
    };
    let (fine, said) = check(&[], "");
    assert!(!fine && said.contains("ok_up_to_line=8, diff=3") && said.contains("is not valid"), "{said}");
    let (fine, said) = check(&["--fix"], "n\n");
    assert!(!fine && said.contains("Aborting..."), "{said}");
    let (fine, said) = check(&["--fix"], "y\n");
    assert!(fine && said.contains("Successfully truncated AOF appendonly.aof.1.incr.aof"), "{said}");
    let (fine, said) = check(&[], "");
    assert!(fine && said.ends_with("All AOF files and manifest are valid\n"), "{said}");
    assert!(said.contains("[info] 1 commands read\n[info] 1 times set\n"), "{said}");
    assert_eq!(std::fs::read(part(folder.path(), INCREMENT)).unwrap(), good);
}

#[test]
fn waitaof_waits_for_the_disk() {
    let server = Server::tls(ALLOWED);
    let mut client = server.client();
    client.run("SET k v");
    assert_eq!(client.run("WAITAOF 1 0 0"), "[1 0]");
    // Whoever waits for a file is told when there is none any more.
    let mut waiting = blocked(&server, 1, "WAITAOF 1 1 0");
    assert_eq!(client.run("CONFIG SET appendonly no"), "+OK");
    let no_file = "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";
    assert_eq!(waiting.reply(), no_file);
    assert_eq!(client.run("WAITAOF 1 0 0"), no_file);
    check(
        &mut client,
        &[
            ("WAITAOF 2 0 0", "-ERR value is out of range, value must between 0 and 1"),
            ("WAITAOF x 0 0", "-ERR value is not an integer or out of range"),
            ("WAITAOF 0 -1 0", "-ERR value is out of range, must be positive"),
        ],
    );
}

#[test]
fn a_replica_logs_what_its_primary_does_from_its_copy_on() {
    let (primary, folder) = (Server::plain(ALLOWED), folder());
    primary.client().run("SET before 1");
    let address = format!("127.0.0.1 {}", primary.port());
    let server = Server::start_in(folder.path(), Mode::Plain, ALLOWED);
    let mut client = server.client();
    client.run("SET own 1");
    assert_eq!(client.run(&format!("REPLICAOF {address}")), "+OK");
    eventually("the copy is there", || client.run("GET before") == "'1'");
    eventually("its base is there", || info(&mut client, "aof_rewrites") == "1");
    eventually("the rewrite ends", || info(&mut client, "aof_rewrite_in_progress") == "0");
    let mut writer = primary.client();
    writer.run("SET after 1");
    assert_eq!(writer.run("WAITAOF 1 1 20000"), "[1 1]");
    drop(server);
    let server = Server::start_in(folder.path(), Mode::Plain, ALLOWED);
    assert_eq!(server.client().run("MGET own before after"), "[nil '1' '1']");
}

#[test]
fn a_shutdown_brings_everything_to_disk() {
    let folder = folder();
    let mut server = start(folder.path(), &["--appendfsync", "no"]);
    let mut client = server.client();
    client.run("SET k v");
    client.send("SHUTDOWN");
    assert_eq!(server.wait(), Some(0));
    assert!(server.log().contains("Calling fsync() on the AOF file."));
    drop(server);
    assert_eq!(start(folder.path(), &[]).client().run("GET k"), "'v'");
}

#[test]
fn scripts_choose_what_the_file_gets() {
    let server = Server::tls(ALLOWED);
    let mut client = server.client();
    let script = "redis.call('set', 'a', '1') redis.set_repl(redis.REPL_NONE) redis.call('set', 'b', '2') \
                  redis.set_repl(redis.REPL_AOF) redis.call('set', 'c', '3') redis.set_repl(redis.REPL_REPLICA) \
                  redis.call('set', 'd', '4')";
    client.run_args(&[b"EVAL", script.as_bytes(), b"0"]);
    assert_eq!(client.run("MGET a b c d"), "['1' '2' '3' '4']");
    assert_eq!(client.run("DEBUG LOADAOF"), "+OK");
    assert_eq!(client.run("MGET a b c d"), "['1' nil '3' nil]");
}
