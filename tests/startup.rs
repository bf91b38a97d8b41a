//! Starting and ending: one sentence and exit code 1 for every start that cannot be, `check`, signals.

mod support;

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use support::server::{create_certificates, run, text, tls_arguments};
use support::{Mode, Server, eventually, free_port};
use tempfile::TempDir;

fn folder() -> TempDir {
    let folder = TempDir::with_prefix("redis-tls-test-").unwrap();
    create_certificates(folder.path());
    folder
}

/// A start that must fail with exit code 1 and a message that contains all of `words`.
fn refused(folder: &Path, args: &[&str], words: &[&str]) {
    let before = names(folder);
    let output = run(folder, args);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    for word in words {
        assert!(said.to_lowercase().contains(&word.to_lowercase()), "{args:?}: no '{word}' in: {said}");
    }
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
    assert_eq!(names(folder), before, "{args:?}: nothing may be touched");
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

fn tls_start<'a>(port: &'a str, arguments: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["--port", "0", "--tls-port", port];
    args.extend(arguments.iter().map(String::as_str));
    args.extend(more);
    args
}

#[test]
fn directives_that_cannot_be_are_refused() {
    let folder = folder();
    let port = free_port().to_string();
    for (args, words) in [
        (&["--bogus-directive", "1"][..], &["bogus-directive"][..]),
        (&["--maxclients", "many"], &["maxclients"]),
        (&["--timeout", "-1"], &["timeout"]),
        (&["--appendonly", "maybe"], &["appendonly"]),
        (&["--maxmemory-policy", "forget"], &["maxmemory-policy"]),
        (&["--port", "99999"], &["port"]),
        (&["/nowhere/redis.conf"], &["/nowhere/redis.conf"]),
    ] {
        let mut all = args.to_vec();
        if !args.contains(&"--port") {
            all.extend(["--port", &port]);
        }
        refused(folder.path(), &all, words);
    }
}

#[test]
fn a_configuration_file_is_named_with_its_line() {
    let folder = folder();
    std::fs::write(folder.path().join("redis.conf"), "# comment\ntimeout 5\nbogus-directive yes\n").unwrap();
    refused(folder.path(), &["redis.conf"], &["redis.conf", "3", "bogus-directive"]);
    std::fs::write(folder.path().join("bad.toml"), "timeout = 5\n\nmaxclients = \"many\"\n").unwrap();
    refused(folder.path(), &["bad.toml"], &["bad.toml", "3", "maxclients"]);
    std::fs::write(folder.path().join("broken.toml"), "timeout = = 5\n").unwrap();
    refused(folder.path(), &["broken.toml"], &["broken.toml", "1"]);
}

#[test]
fn port_and_tls_port_exclude_each_other() {
    let folder = folder();
    let (plain, tls) = (free_port().to_string(), free_port().to_string());
    let arguments = tls_arguments(folder.path());
    let mut args = vec!["--port", &plain, "--tls-port", &tls];
    args.extend(arguments.iter().map(String::as_str));
    refused(folder.path(), &args, &["port", "tls-port"]);
}

#[test]
fn certificates_that_cannot_serve_are_refused() {
    let folder = folder();
    let other = folder.path().join("other");
    create_certificates(&other);
    std::fs::write(folder.path().join("garbage.pem"), "no certificate\n").unwrap();
    let arguments = tls_arguments(folder.path());
    let port = free_port().to_string();
    let foreign_key = other.join("server.key");
    let foreign_key = foreign_key.to_str().unwrap();
    for (more, words) in [
        (&["--tls-cert-file", "missing.crt"][..], &["missing.crt"][..]),
        (&["--tls-key-file", "missing.key"], &["missing.key"]),
        (&["--tls-cert-file", "garbage.pem"], &["garbage.pem"]),
        (&["--tls-key-file", "garbage.pem"], &["garbage.pem"]),
        (&["--tls-key-file", foreign_key], &["server.key"]),
        (&["--tls-ca-cert-file", "garbage.pem", "--tls-auth-clients", "yes"], &["garbage.pem"]),
        (&["--tls-protocols", "TLSv1.1"], &["tls-protocols"]),
        (&["--tls-ciphers", "NO-SUCH-CIPHER"], &["NO-SUCH-CIPHER"]),
    ] {
        refused(folder.path(), &tls_start(&port, &arguments, more), words);
    }
    refused(folder.path(), &["--port", "0", "--tls-port", &port], &["tls-cert-file"]);
}

#[test]
fn a_port_in_use_is_named() {
    let folder = folder();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    refused(folder.path(), &["--port", &port, "--bind", "127.0.0.1"], &[&port, "in use"]);
    let arguments = tls_arguments(folder.path());
    refused(folder.path(), &tls_start(&port, &arguments, &["--bind", "127.0.0.1"]), &[&port, "in use"]);
}

#[test]
fn an_address_of_another_machine_and_a_socket_in_no_folder_are_named() {
    let folder = folder();
    let (port, arguments) = (free_port().to_string(), tls_arguments(folder.path()));
    // Of the block that documentation uses.
    let elsewhere = ["--bind", "203.0.113.1"];
    refused(folder.path(), &tls_start(&port, &arguments, &elsewhere), &["203.0.113.1", "addresses of this machine"]);
    let nowhere = ["--bind", "127.0.0.1", "--unixsocket", "/nowhere/redis.sock"];
    refused(folder.path(), &tls_start(&port, &arguments, &nowhere), &["Unix socket /nowhere/redis.sock", "folder"]);
}

#[test]
fn a_data_folder_keeps_its_mode() {
    for (first, second) in [(Mode::Tls, Mode::Plain), (Mode::Plain, Mode::Tls)] {
        let folder = folder();
        let mut server = Server::start_in(folder.path(), first, &[]);
        server.signal("TERM");
        assert_eq!(server.wait(), Some(0));
        let port = free_port().to_string();
        let arguments = tls_arguments(folder.path());
        let dir = folder.path().to_str().unwrap();
        let args = match second {
            Mode::Plain => vec!["--port", &port, "--dir", dir],
            Mode::Tls => tls_start(&port, &arguments, &["--dir", dir]),
        };
        refused(folder.path(), &args, &["encryption", "backup"]);
        let mut again = Server::start_in(folder.path(), first, &[]);
        assert_eq!(again.client().run("PING"), "+PONG", "the same mode starts again");
        again.signal("INT");
        assert_eq!(again.wait(), Some(0));
    }
}

#[test]
fn shutdown_ends_with_code_zero() {
    let mut server = Server::tls(&[]);
    let mut client = server.client();
    client.send("SHUTDOWN NOSAVE");
    assert!(client.read_to_close().is_empty());
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn the_start_is_told_in_readable_lines() {
    let server = Server::tls(&["--supervised", "auto"]);
    support::eventually("a line that says so", || server.log().contains("Ready to accept connections"));
    assert!(!server.log().contains("supervis"), "whoever looks for a supervisor may find none");
}

#[test]
fn configuration_comes_from_redis_conf_toml_and_standard_input() {
    let folder = folder();
    let port = free_port();
    let text_of = |port: u16| format!("port {port}\nbind 127.0.0.1\ntimeout 17\nmaxmemory 1gb\nsave \"\"\n");
    std::fs::write(folder.path().join("included.conf"), "hash-max-ziplist-entries 7\n").unwrap();
    std::fs::write(folder.path().join("redis.conf"), format!("include included.conf\n{}", text_of(port))).unwrap();
    let output = run(folder.path(), &["check", "redis.conf"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    let server = Server::start_in(
        folder.path(),
        Mode::Tls,
        &["--timeout", "17", "--maxmemory", "1gb", "--hash-max-ziplist-entries", "7"],
    );
    let mut client = server.client();
    for (name, value) in [("timeout", "17"), ("maxmemory", "1073741824"), ("hash-max-listpack-entries", "7")] {
        assert_eq!(client.run(&format!("CONFIG GET {name}")), format!("['{name}' '{value}']"));
    }
}

#[test]
fn check_judges_a_configuration_without_starting_it() {
    let folder = folder();
    let good = "port = 0\ntls-port = 6379\ntls-cert-file = \"server.crt\"\ntls-key-file = \"server.key\"\ntls-ca-cert-file = \"ca.crt\"\n";
    for (name, content, code, word) in [
        ("good.toml", good.to_owned(), 0, ""),
        ("bad.toml", "maxclients = \"many\"\n".to_owned(), 1, "maxclients"),
        ("unknown.conf", "bogus yes\n".to_owned(), 1, "bogus"),
        ("both.conf", "port 6379\ntls-port 6380\n".to_owned(), 1, "tls-port"),
        ("missing.toml", good.replace("server.crt", "missing.crt"), 1, "missing.crt"),
        ("mismatch.toml", good.replace("server.key", "client.key"), 1, "client.key"),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
        let output = run(folder.path(), &["check", name]);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", text(&output));
        assert!(text(&output).contains(word), "{name}: {}", text(&output));
    }
}

#[test]
fn version_and_help_are_told() {
    let folder = folder();
    for (argument, word) in [("--version", env!("CARGO_PKG_VERSION")), ("--help", "redis-tls")] {
        let output = run(folder.path(), &[argument]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output).contains(word), "{}", text(&output));
    }
}

#[test]
fn certificates_are_made_once_and_with_closed_keys() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let certificate = std::fs::read(folder.path().join("server.crt")).unwrap();
    for name in ["ca.key", "server.key", "client.key"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    create_certificates(folder.path());
    assert_eq!(std::fs::read(folder.path().join("server.crt")).unwrap(), certificate, "what is there stays");
}

#[test]
fn the_process_title_is_what_the_template_says() {
    let server = Server::tls(&[]);
    let title = || std::fs::read_to_string(format!("/proc/{}/cmdline", server.pid())).unwrap();
    let expected = format!("127.0.0.1:{}", server.port());
    assert!(title().trim_end_matches('\0').ends_with(&expected), "{:?}", title());
    let mut client = server.client();
    assert_eq!(client.run("CONFIG SET proc-title-template \"mine {tls-port} {{\""), "+OK");
    assert_eq!(title().trim_end_matches('\0'), format!("mine {} {{", server.port()));
    assert!(client.run("CONFIG SET proc-title-template {nothing}").contains("template format is invalid"));
    let server = Server::tls(&["--set-proc-title", "no"]);
    let line = std::fs::read_to_string(format!("/proc/{}/cmdline", server.pid())).unwrap();
    assert!(line.contains("--set-proc-title\0no"), "{line:?}");
}

#[test]
fn the_kernel_hears_of_the_role_when_memory_runs_out() {
    let before: i32 = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().parse().unwrap();
    let server = Server::tls(&["--oom-score-adj", "yes", "--oom-score-adj-values", "10 20 30"]);
    let mut client = server.client();
    let score =
        || std::fs::read_to_string(format!("/proc/{}/oom_score_adj", server.pid())).unwrap().trim().parse::<i32>();
    assert_eq!(score(), Ok(before + 10));
    assert_eq!(client.run("REPLICAOF 127.0.0.1 1"), "+OK");
    assert_eq!(score(), Ok(before + 20));
    assert_eq!(client.run("CONFIG SET oom-score-adj-values \"10 25 30\""), "+OK");
    assert_eq!(score(), Ok(before + 25));
    assert_eq!(client.run("REPLICAOF NO ONE"), "+OK");
    assert_eq!(score(), Ok(before + 10));
}

#[test]
fn a_crash_is_reported_with_the_stack_that_led_to_it() {
    let mut aborted = Server::tls(&[]);
    aborted.signal("ABRT");
    let mut crashed = Server::tls(&["--enable-debug-command", "yes"]);
    crashed.client().send("DEBUG SEGFAULT");
    let mut panicked = Server::tls(&["--enable-debug-command", "yes"]);
    panicked.client().send("DEBUG PANIC");
    for (server, signal, why) in [
        (&mut aborted, libc::SIGABRT, "crashed by signal: 6"),
        (&mut crashed, libc::SIGSEGV, "crashed by signal: 11"),
        (&mut panicked, libc::SIGABRT, "DEBUG PANIC was called"),
    ] {
        assert_eq!(server.wait_for_status().signal(), Some(signal), "{why}");
        let log = server.log();
        assert!(log.contains(why) && log.contains("STACK TRACE") && log.contains("crash_report"), "{log}");
    }
}

#[test]
fn the_watchdog_says_what_hangs_and_that_it_goes_on() {
    let server = Server::plain(&["--enable-debug-command", "yes", "--worker-threads", "1", "--watchdog-period", "1"]);
    let mut client = server.client();
    assert_eq!(client.run("DEBUG SLEEP 0.5"), "+OK");
    eventually("the watchdog's lines", || {
        let log = server.log();
        log.contains("WATCHDOG TIMER EXPIRED --- worker-0 has given no sign") && log.contains("worker-0 goes on, ")
    });

    // Loading counts too. 30 keys of 100 kB, each 20 ms: 2 MiB come in 400 ms.
    client.run("DEBUG POPULATE 30 key 100000");
    client.run("CONFIG SET rdbcompression no");
    assert_eq!(client.run("SAVE"), "+OK");
    client.run("CONFIG SET key-load-delay 20000");
    assert_eq!(client.run("DEBUG RELOAD NOSAVE NOFLUSH MERGE"), "+OK");
    assert!(server.log().contains("EXPIRED --- the loading of data"), "{}", server.log());

    assert_eq!(client.run("CONFIG SET watchdog-period 0 key-load-delay 0"), "+OK");
    let watched = || {
        std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap().flatten().any(|thread| {
            std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim_end() == "watchdog")
        })
    };
    eventually("the watchdog's end", || !watched());
}
