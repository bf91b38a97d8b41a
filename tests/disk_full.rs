//! A disk that is full: writes are refused with a sentence instead of being lost, what is on disk stays good, and everything goes on when
//! there is room again. And a disk that nobody may write to.

mod support;

use std::path::Path;

use support::server::{create_certificates, run, text, tls_arguments};
use support::{Mode, Server, SmallDisk, Wire, eventually, free_port, info_field};
use tempfile::TempDir;

const DISK_BYTES: usize = 4 << 20;
const ALLOWED: &[&str] = &["--enable-debug-command", "yes"];
/// Keys whose snapshot is larger than what is left on a full disk.
const KEYS: i64 = 20_000;

/// Certificates and the log are elsewhere: they are not to fill up with the data.
fn certificates() -> TempDir {
    let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
    create_certificates(folder.path());
    folder
}

fn start(certificates: &TempDir, disk: &SmallDisk, more: &[&str]) -> Server {
    Server::start_in(certificates.path(), Mode::Tls, &[ALLOWED, &["--dir", disk.text()], more].concat())
}

fn info(client: &mut Wire, field: &str) -> String {
    let info = client.text("INFO persistence");
    info_field(&info, field).unwrap_or_else(|| panic!("no {field} in {info}")).to_owned()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "filler");
    names.sort();
    names
}

#[test]
fn a_snapshot_that_finds_no_room_leaves_the_last_one_and_writes_are_refused_until_one_is_saved() {
    let (folder, disk) = (certificates(), SmallDisk::new(DISK_BYTES));
    let options = ["--save", "900 1"];
    let mut server = start(&folder, &disk, &options);
    let mut client = server.client();
    client.run("SET first 1");
    assert_eq!(client.run("SAVE"), "+OK");
    let (before, snapshot) = (files(disk.path()), std::fs::read(disk.path().join("dump.rdb")).unwrap());
    client.run(&format!("DEBUG POPULATE {KEYS}"));
    disk.fill(&server);
    assert_eq!(client.run("BGSAVE"), "+Background saving started");
    eventually("the save fails", || info(&mut client, "rdb_last_bgsave_status") == "err");
    for line in ["SET k v", "DEL first", "PING"] {
        let reply = client.run(line);
        assert!(reply.starts_with("-MISCONF Redis is configured to save RDB snapshots, but"), "{line}: {reply}");
    }
    assert_eq!(client.run("GET first"), "'1'");
    assert_eq!(client.run("SAVE"), "-ERR");
    assert_eq!(client.run("SHUTDOWN"), "-ERR Errors trying to SHUTDOWN. Check logs.");
    assert_eq!(files(disk.path()), before, "no temporary file is left");
    assert_eq!(std::fs::read(disk.path().join("dump.rdb")).unwrap(), snapshot);
    disk.free(&server);
    assert_eq!(client.run("BGSAVE"), "+Background saving started");
    eventually("the save succeeds", || info(&mut client, "rdb_last_bgsave_status") == "ok");
    assert_eq!(client.run("SET k v"), "+OK");
    client.send("SHUTDOWN");
    assert_eq!(server.wait(), Some(0));
    assert!(server.log().contains("Write error while saving DB to the disk"), "{}", server.log());
    let server = start(&folder, &disk, &options);
    assert_eq!(server.client().int("DBSIZE"), KEYS + 2);
}

#[test]
fn writes_are_refused_while_the_append_only_file_finds_no_room_and_none_is_lost() {
    let (folder, disk) = (certificates(), SmallDisk::new(DISK_BYTES));
    let options = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"];
    let server = start(&folder, &disk, &options);
    let mut client = server.client();
    let large = "x".repeat(1 << 20);
    assert_eq!(client.run("SET before 1"), "+OK");
    disk.fill(&server);
    // Taken before it is known that it cannot be written down: kept in memory, and written when there is room.
    let taken = client.run(&format!("SET large {large}"));
    assert_eq!(taken, "+OK");
    eventually("writes are refused", || client.run("SET k v").starts_with("-MISCONF Errors writing to the AOF file: "));
    assert_eq!(info(&mut client, "aof_last_write_status"), "err");
    let buffered: u64 = info(&mut client, "aof_buffer_length").parse().unwrap();
    assert!(buffered > 1 << 20, "{buffered} bytes wait");
    assert_eq!(client.run("GET before"), "'1'");
    assert_eq!(client.int("STRLEN large"), 1 << 20);
    disk.free(&server);
    eventually("writes are taken again", || client.run("SET after 1") == "+OK");
    assert_eq!(info(&mut client, "aof_last_write_status"), "ok");
    eventually("nothing waits", || info(&mut client, "aof_buffer_length") == "0");
    server.signal("KILL");
    drop(server);
    let server = start(&folder, &disk, &[&options[..], &["--aof-load-truncated", "no"]].concat());
    let mut client = server.client();
    assert_eq!(client.run("MGET before after"), "['1' '1']");
    assert_eq!(client.int("STRLEN large"), 1 << 20);
}

#[test]
fn where_every_reply_promises_the_disk_a_full_one_ends_the_process_and_what_was_promised_is_there() {
    let (folder, disk) = (certificates(), SmallDisk::new(DISK_BYTES));
    let options = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];
    let mut server = start(&folder, &disk, &options);
    let mut client = server.client();
    disk.fill(&server);
    let large = "x".repeat(1000);
    let mut promised = 0;
    while client.try_run(&[b"SET", format!("k{promised}").as_bytes(), large.as_bytes()]).is_ok_and(|r| r == "+OK") {
        promised += 1;
        assert!(promised < 10_000, "the disk is never full");
    }
    assert_eq!(server.wait(), Some(1));
    let filler = disk.path().join("filler");
    if filler.exists() {
        std::fs::remove_file(filler).unwrap();
    }
    drop(server);
    let server = start(&folder, &disk, &options);
    let found = server.client().int("DBSIZE");
    // The one that failed was on its way; it may be there or not.
    assert!((promised..=promised + 1).contains(&found), "{found} of {promised}");
}

#[test]
fn a_rewrite_that_finds_no_room_leaves_the_parts_that_are_there() {
    let (folder, disk) = (certificates(), SmallDisk::new(DISK_BYTES));
    let options = ["--save", "", "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"];
    let server = start(&folder, &disk, &options);
    let mut client = server.client();
    // Not from DEBUG POPULATE, which no file knows of.
    client.run(&format!("EVAL \"for i = 1, {KEYS} do redis.call('SET', 'key:' .. i, 'v') end\" 0"));
    assert_eq!(client.run("SET k v"), "+OK");
    eventually("everything is written", || info(&mut client, "aof_buffer_length") == "0");
    disk.fill(&server);
    assert_eq!(client.run("BGREWRITEAOF"), "+Background append only file rewriting started");
    eventually("the rewrite fails", || info(&mut client, "aof_last_bgrewrite_status") == "err");
    assert_eq!(files(disk.path()), ["appendonlydir", "redis-tls.group"].map(String::from), "no temporary file is left");
    disk.free(&server);
    eventually("writes are taken", || client.run("SET k w") == "+OK");
    assert_eq!(client.run("BGREWRITEAOF"), "+Background append only file rewriting started");
    eventually("the rewrite succeeds", || info(&mut client, "aof_last_bgrewrite_status") == "ok");
    server.signal("KILL");
    drop(server);
    let server = start(&folder, &disk, &options);
    let mut client = server.client();
    assert_eq!(client.int("DBSIZE"), KEYS + 1);
    assert_eq!(client.run("GET k"), "'w'");
}

/// A start that must fail; what it said.
fn refused_start(certificates: &TempDir, disk: &SmallDisk, more: &[&str]) -> String {
    let port = free_port().to_string();
    let tls = tls_arguments(certificates.path());
    let mut args = vec!["--port", "0", "--tls-port", &port, "--dir", disk.text()];
    args.extend(tls.iter().map(String::as_str));
    args.extend(more);
    let output = run(certificates.path(), &args);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    text(&output)
}

#[test]
fn a_folder_that_nobody_may_write_to_is_served_as_long_as_nothing_must_be_written() {
    let (folder, disk) = (certificates(), SmallDisk::new(DISK_BYTES));
    let files_on = ["--appendonly", "yes"];
    let mut server = start(&folder, &disk, &files_on);
    let mut client = server.client();
    client.run("SET k v");
    assert_eq!(client.run("SAVE"), "+OK");
    client.send("SHUTDOWN");
    assert_eq!(server.wait(), Some(0));
    disk.make_read_only();

    let mut server = start(&folder, &disk, &["--save", "900 1"]);
    let mut client = server.client();
    assert_eq!(client.run("GET k"), "'v'");
    assert_eq!(client.run("SAVE"), "-ERR");
    assert_eq!(client.run("SET k w"), "+OK", "a failed SAVE has been answered");
    assert_eq!(client.run("BGSAVE"), "+Background saving started");
    eventually("the save fails", || info(&mut client, "rdb_last_bgsave_status") == "err");
    assert!(client.run("SET k x").starts_with("-MISCONF Redis is configured to save RDB snapshots"));
    assert!(client.run("CONFIG SET appendonly yes").contains("Unable to turn on AOF. Check server logs."));
    assert_eq!(client.run("SHUTDOWN SAVE"), "-ERR Errors trying to SHUTDOWN. Check logs.");
    assert_eq!(client.run("GET k"), "'w'");
    client.send("SHUTDOWN SAVE FORCE");
    assert_eq!(server.wait(), Some(0));

    let said = refused_start(&folder, &disk, &files_on);
    assert!(said.contains("Can't open the append-only file"), "{said}");
    let said = refused_start(&folder, &disk, &[&files_on[..], &["--appenddirname", "other"]].concat());
    assert!(said.contains("Can't open or create append-only dir other"), "{said}");
}
