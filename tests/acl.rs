//! Users as a client sees them: rules, refusals, ACL LOG, files, certificates, and what becomes of connections.

mod support;

use std::time::{Duration, Instant};

use support::server::{run, text};
use support::{Server, Wire, check, eventually, info_field};

const WRONG_PASS: &str = "-WRONGPASS invalid username-password pair or user is disabled.";
const NO_KEY: &str = "-NOPERM this user has no permissions to access one of the keys used as arguments";
const NO_CHANNEL: &str = "-NOPERM this user has no permissions to access one of the channels used as arguments";

/// A client that acts as a user.
fn client_as(server: &Server, user: &str, password: &str) -> Wire {
    let mut client = server.client();
    assert_eq!(client.run(&format!("AUTH {user} {password}")), "+OK");
    client
}

#[test]
fn users_are_made_shown_and_removed() {
    let server = Server::tls(&[]);
    check(
        &mut server.client(),
        &[
            ("ACL WHOAMI", "'default'"),
            ("ACL LIST", "['user default on nopass ~* &* +@all']"),
            ("ACL SETUSER joe", "+OK"),
            ("ACL SETUSER joe on >pw ~a:* %R~b &c +@string -append (+config|get ~x)", "+OK"),
            ("ACL USERS", "['default' 'joe']"),
            (
                "ACL GETUSER joe",
                "['flags' ['on'] 'passwords' \
                 ['30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4'] 'commands' '-@all +@string -append' \
                 'keys' '~a:* %R~b' 'channels' '&c' 'selectors' [['commands' '-@all +config|get' 'keys' '~x' 'channels' \
                 '']]]",
            ),
            ("ACL GETUSER jim", "nil"),
            (
                "ACL SETUSER joe +nosuch",
                "-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL",
            ),
            (
                "ACL SETUSER joe <no",
                "-ERR Error in ACL SETUSER modifier '<no': The password you are trying to remove from the user does not exist",
            ),
            ("ACL SETUSER joe (+get", "-ERR Unmatched parenthesis in acl selector starting at '(+get'."),
            ("ACL SETUSER \"a b\" on", "-ERR Usernames can't contain spaces or null characters"),
            ("ACL SETUSER jane reset", "+OK"),
            (
                "ACL LIST",
                "['user default on nopass ~* &* +@all' 'user jane off sanitize-payload resetchannels -@all' 'user joe on…",
            ),
            ("ACL SETUSER jane skip-sanitize-payload", "+OK"),
            (
                "ACL GETUSER jane",
                "['flags' ['off' 'skip-sanitize-payload'] 'passwords' [] 'commands' '-@all' 'keys' '' 'channels' '' 'selectors' []]",
            ),
            ("ACL DELUSER jane", "1"),
            ("ACL CAT \"\\xff\"", "-ERR Unknown category \\'\\xff\\'"),
            ("ACL DELUSER joe jim joe", "1"),
            ("ACL DELUSER default", "-ERR The 'default' user cannot be removed"),
            ("ACL CAT nosuch", "-ERR Unknown category 'nosuch'"),
            ("ACL CAT a b", "-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."),
            (
                "ACL GENPASS 0",
                "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
            ),
            (
                "ACL SAVE",
                "-ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.",
            ),
            ("ACL BOGUS", "-ERR unknown subcommand 'BOGUS'. Try ACL HELP."),
        ],
    );
    let mut client = server.client3();
    assert!(client.run("ACL GETUSER default").starts_with("{'flags': ~['on' 'nopass']"));
    assert_eq!(client.run("ACL GENPASS 5").len(), 4);
    assert_eq!(client.run("ACL GENPASS").len(), 66);
}

#[test]
fn categories_agree_with_command_list() {
    let server = Server::tls(&[]);
    let mut client = server.client();
    let categories = client.run("ACL CAT");
    let names: Vec<&str> = categories.trim_matches(['[', ']']).split(' ').map(|name| name.trim_matches('\'')).collect();
    assert_eq!(names.len(), 21);
    for name in names {
        let category = client.run(&format!("ACL CAT {name}"));
        assert_eq!(category, client.run(&format!("COMMAND LIST FILTERBY ACLCAT {name}")), "{name}");
        assert!(category.len() > 2, "{name} is empty");
    }
}

#[test]
fn requests_are_refused_by_command_key_and_channel() {
    let server = Server::tls(&[]);
    let mut admin = server.client();
    check(
        &mut admin,
        &[
            ("ACL SETUSER joe on nopass ~a:* %R~r:* %W~w:* &n.* +@all -@dangerous -debug +sort +config|get", "+OK"),
            ("MSET r:1 x w:1 y other z", "+OK"),
            ("RPUSH a:list 1 2", "2"),
            ("ACL DRYRUN joe GET other", "'This user has no permissions to access the 'other' key'"),
            ("ACL DRYRUN joe FLUSHALL", "'This user has no permissions to run the 'flushall' command'"),
            ("ACL DRYRUN joe CONFIG SET a b", "'This user has no permissions to run the 'config|set' command'"),
            ("ACL DRYRUN joe PUBLISH x m", "'This user has no permissions to access the 'x' channel'"),
            ("ACL DRYRUN joe GET r:1", "+OK"),
            ("ACL DRYRUN joe GET", "-ERR wrong number of arguments for 'get' command"),
            ("ACL DRYRUN joe CONFIG", "-ERR wrong number of arguments for 'config' command"),
            ("ACL DRYRUN joe BOGUS", "-ERR Command 'BOGUS' not found"),
            ("ACL DRYRUN jim GET a", "-ERR User 'jim' not found"),
        ],
    );
    check(
        &mut client_as(&server, "joe", "x"),
        &[
            ("ACL WHOAMI", "'joe'"),
            ("GET r:1", "'x'"),
            ("SET r:1 y", NO_KEY),
            ("SET w:1 z", "+OK"),
            ("SET w:1 z GET", NO_KEY),
            ("GET w:1", NO_KEY),
            ("STRLEN w:1", "1"),
            ("COPY r:1 w:2", "1"),
            ("COPY r:1 r:2", NO_KEY),
            ("MGET a:1 r:1 other", NO_KEY),
            ("FLUSHALL", "-NOPERM this user has no permissions to run the 'flushall' command"),
            ("CONFIG SET a b", "-NOPERM this user has no permissions to run the 'config|set' command"),
            ("SORT a:list BY w_*", "-ERR BY option of SORT denied due to insufficient ACL permissions."),
            ("SORT a:list GET #", "-ERR GET option of SORT denied due to insufficient ACL permissions."),
            ("SORT a:list BY nosort", "['1' '2']"),
            ("PUBLISH n.1 m", "0"),
            ("PUBLISH m m", NO_CHANNEL),
            ("SUBSCRIBE n.1 m", NO_CHANNEL),
            ("PSUBSCRIBE n.1*", NO_CHANNEL),
            ("SSUBSCRIBE m", NO_CHANNEL),
            ("PSUBSCRIBE n.*", "['psubscribe' 'n.*' 1]"),
        ],
    );
}

#[test]
fn refusals_are_logged_and_counted() {
    let server = Server::tls(&[]);
    let mut admin = server.client();
    check(&mut admin, &[("ACL SETUSER joe on >pw ~a +get +set +multi +exec +client", "+OK"), ("ACL LOG", "[]")]);
    let mut joe = client_as(&server, "joe", "pw");
    check(
        &mut joe,
        &[
            ("CLIENT SETNAME joes", "+OK"),
            ("GET b", NO_KEY),
            ("GET b", NO_KEY),
            ("AUTH joe wrong", WRONG_PASS),
            ("MULTI", "+OK"),
            ("DEL a", "-NOPERM this user has no permissions to run the 'del' command"),
            ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ],
    );
    let log = admin.run("ACL LOG");
    let entries: Vec<&str> = log.split("['count' ").skip(1).collect();
    assert_eq!(entries.len(), 3, "{log}");
    for (entry, expected) in entries.iter().zip([
        "1 'reason' 'command' 'context' 'multi' 'object' 'del' 'username' 'joe' ",
        "1 'reason' 'auth' 'context' 'toplevel' 'object' 'AUTH' 'username' 'joe' ",
        "2 'reason' 'key' 'context' 'toplevel' 'object' 'b' 'username' 'joe' ",
    ]) {
        assert!(entry.starts_with(expected), "{entry}\n{expected}");
        assert!(entry.contains("name=joes") && entry.contains("user=joe"), "{entry}");
    }
    assert!(entries[2].contains("'entry-id' 0 'timestamp-created' ") && entries[2].contains("cmd=get"), "{log}");
    let stats = admin.run("INFO stats");
    let stats = stats.replace("\\r\\n", "\n");
    for (field, count) in [("auth", "1"), ("cmd", "1"), ("key", "2"), ("channel", "0")] {
        assert_eq!(info_field(&stats, &format!("acl_access_denied_{field}")), Some(count), "{stats}");
    }
    assert_eq!(admin.run("ACL LOG 1").matches("'count'").count(), 1);
    check(&mut admin, &[("ACL LOG RESET", "+OK"), ("ACL LOG", "[]"), ("CONFIG SET acllog-max-len 0", "+OK")]);
    check(&mut joe, &[("GET c", NO_KEY)]);
    check(&mut admin, &[("ACL LOG", "[]")]);
}

#[test]
fn rules_hold_when_a_command_runs_not_when_it_was_asked_for() {
    let server = Server::tls(&[]);
    let mut admin = server.client();
    check(&mut admin, &[("ACL SETUSER joe on nopass ~* +@all", "+OK")]);
    let mut queueing = client_as(&server, "joe", "x");
    check(&mut queueing, &[("MULTI", "+OK"), ("INCR a", "+QUEUED"), ("INCR b", "+QUEUED")]);
    let mut waiting = client_as(&server, "joe", "x");
    waiting.send("BLPOP list 0");
    eventually("joe waits", || admin.run("CLIENT LIST").contains("flags=b"));
    check(&mut admin, &[("ACL SETUSER joe resetkeys ~a", "+OK"), ("RPUSH list x", "1")]);
    assert_eq!(waiting.reply(), NO_KEY);
    check(
        &mut queueing,
        &[(
            "EXEC",
            "[1 -NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
             command is no longer allowed for the following reason: no permission to touch the specified keys]",
        )],
    );
    assert_eq!(admin.run("LLEN list"), "1");
    check(&mut admin, &[("ACL SETUSER joe +@all -exec ~*", "+OK")]);
    check(
        &mut queueing,
        &[
            ("MULTI", "+OK"),
            ("INCR a", "+QUEUED"),
            (
                "EXEC",
                "-EXECABORT Transaction discarded because of: NOPERM this user has no permissions to run the 'exec' command",
            ),
            ("INCR a", "2"),
        ],
    );
}

#[test]
fn scripts_may_do_what_their_caller_may() {
    let server = Server::tls(&[]);
    let mut admin = server.client();
    check(&mut admin, &[("ACL SETUSER joe on nopass ~a +eval +get +set", "+OK")]);
    let mut joe = client_as(&server, "joe", "x");
    check(&mut joe, &[("EVAL \"return redis.call('set','a',1)\" 0", "+OK")]);
    let refused = joe.run("EVAL \"return redis.call('set','b',1)\" 0");
    assert!(refused.starts_with("-ERR The user executing the script can't access at least one of the keys mentioned in the command arguments"), "{refused}");
    check(
        &mut joe,
        &[("EVAL \"return {redis.acl_check_cmd('get','a'), redis.acl_check_cmd('get','b')}\" 0", "[1 nil]")],
    );
    let log = admin.run("ACL LOG");
    assert!(log.contains("'context' 'lua' 'object' 'b' 'username' 'joe'") && log.contains("cmd=eval"), "{log}");
}

#[test]
fn connections_follow_their_users() {
    let server = Server::tls(&[]);
    let mut admin = server.client();
    check(
        &mut admin,
        &[("ACL SETUSER joe on nopass ~* &* +@all", "+OK"), ("ACL SETUSER jim on nopass &n.* +@all", "+OK")],
    );
    let mut joe = client_as(&server, "joe", "x");
    assert!(admin.run("CLIENT LIST").contains("user=joe"));
    check(&mut admin, &[("CLIENT KILL USER nobody", "-ERR No such user 'nobody'"), ("CLIENT KILL USER joe", "1")]);
    eventually("joe is gone", || joe.try_run(&[b"PING"]).is_err());

    let mut joe = client_as(&server, "joe", "x");
    check(&mut admin, &[("ACL DELUSER joe", "1"), ("ACL SETUSER joe on nopass +@all", "+OK")]);
    eventually("deleted users are gone", || joe.try_run(&[b"PING"]).is_err());

    let mut jim = client_as(&server, "jim", "x");
    check(&mut jim, &[("SUBSCRIBE n.1", "['subscribe' 'n.1' 1]")]);
    check(&mut admin, &[("ACL SETUSER jim &m", "+OK")]);
    check(&mut jim, &[("PING", "['pong' '']")]);
    check(&mut admin, &[("ACL SETUSER jim resetchannels &m", "+OK")]);
    eventually("subscribers of what is taken away are gone", || jim.try_run(&[b"PING"]).is_err());

    let mut own = client_as(&server, "jim", "x");
    assert_eq!(own.run("ACL DELUSER jim"), "1", "the reply comes before the end");
    eventually("who deletes itself is gone", || own.try_run(&[b"PING"]).is_err());
}

#[test]
fn the_default_user_can_be_closed() {
    let server = Server::tls(&["--user", "joe", "on", ">pw", "+@all", "~*", "--user", "default", "off"]);
    check(
        &mut server.client(),
        &[
            ("PING", "-NOAUTH Authentication required."),
            ("AUTH x", "-WRONGPASS invalid username-password pair or user is disabled."),
            ("HELLO 3 AUTH joe wrong", WRONG_PASS),
            ("HELLO 3 AUTH joe pw SETNAME me", "{'server'…"),
            ("ACL WHOAMI", "'joe'"),
            ("ACL SETUSER default on nopass", "+OK"),
            ("RESET", "+RESET"),
            ("ACL WHOAMI", "-NOPERM this user has no permissions to run the 'acl|whoami' command"),
        ],
    );
}

#[test]
fn requirepass_is_the_default_users_password() {
    let server = Server::tls(&["--requirepass", "one"]);
    let mut client = client_as(&server, "default", "one");
    check(
        &mut client,
        &[
            ("CONFIG SET requirepass two", "+OK"),
            ("AUTH one", WRONG_PASS),
            ("AUTH two", "+OK"),
            ("ACL SETUSER default >three", "+OK"),
            ("AUTH three", "+OK"),
            ("CONFIG SET requirepass \"\"", "+OK"),
            ("ACL LIST", "['user default on nopass ~* &* +@all']"),
        ],
    );
}

#[test]
fn an_acl_file_is_loaded_and_saved_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    support::server::create_certificates(folder.path());
    let file = folder.path().join("users.acl");
    std::fs::write(&file, "user joe on nopass +@all ~*\n\nuser default on nopass ~* &* +@all\n").unwrap();
    let server = Server::start_in(folder.path(), support::Mode::Tls, &["--aclfile", "users.acl"]);
    let mut admin = server.client();
    let mut joe = client_as(&server, "joe", "x");
    std::fs::write(&file, "user joe on +nosuch\nbogus\nuser joe on\n").unwrap();
    check(
        &mut admin,
        &[
            (
                "ACL LOAD",
                "-ERR users.acl:1: Error in applying operation '+nosuch': Unknown command or category name in ACL. \
                 users.acl:2 should start with user keyword followed by the username. WARNING: Duplicate user 'joe' found \
                 on line 3. WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
            ),
            ("ACL USERS", "['default' 'joe']"),
            ("ACL SETUSER jim on %R~x", "+OK"),
            ("ACL SAVE", "+OK"),
        ],
    );
    check(&mut joe, &[("PING", "+PONG")]);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "user default on nopass ~* &* +@all\n\
         user jim on %R~x resetchannels -@all\n\
         user joe on nopass ~* resetchannels +@all\n"
    );
    check(&mut admin, &[("ACL SETUSER jim off", "+OK"), ("ACL LOAD", "+OK"), ("ACL DRYRUN jim GET x", "'This user…")]);
    assert!(admin.run("ACL GETUSER jim").contains("'on'"));
    eventually("connections of replaced users are gone", || joe.try_run(&[b"PING"]).is_err());
}

#[test]
fn configurations_that_cannot_be_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let start = |configuration: &str| {
        std::fs::write(folder.path().join("redis.conf"), configuration).unwrap();
        let output = run(folder.path(), &["redis.conf", "--port", "0", "--dir", "."]);
        assert!(!output.status.success(), "{configuration}");
        text(&output)
    };
    for (configuration, expected) in [
        (
            "user a on\naclfile x\n",
            "please define either an ACL file or declare users directly in your redis.conf, but not both.",
        ),
        (
            "user a\nuser a\n",
            "at line 2\n>>> 'user a'\nError in user declaration 'a': Duplicate user found. A user can only be defined once in config files",
        ),
        (
            "hz 10\nuser a on bogus\n",
            "at line 2\n>>> 'user a on bogus'\nError in user declaration 'bogus': Syntax error",
        ),
        (
            "user a +nosuch\n",
            "Error loading ACL rule '+nosuch' for the user named 'a': Unknown command or category name in ACL",
        ),
        (
            "aclfile none.acl\n",
            "Aborting Redis startup because of ACL errors: Error loading ACLs, opening file 'none.acl': No such file or directory",
        ),
    ] {
        let output = start(configuration);
        assert!(output.contains(expected), "{configuration}: {output}");
    }
}

#[test]
fn config_rewrite_keeps_users() {
    for (name, begin) in
        [("redis.conf", "user joe on ~x\n"), ("redis-tls.toml", "[[user]]\nname = \"joe\"\nrules = \"on ~x\"\n")]
    {
        let folder = tempfile::tempdir().unwrap();
        support::server::create_certificates(folder.path());
        let file = folder.path().join(name);
        std::fs::write(&file, begin).unwrap();
        let start = || Server::start_in(folder.path(), support::Mode::Tls, &[file.to_str().unwrap()]);
        let users = {
            let server = start();
            let mut admin = server.client();
            check(
                &mut admin,
                &[("ACL SETUSER jim on >pw ~a (+get ~b)", "+OK"), ("ACL DELUSER joe", "1"), ("CONFIG REWRITE", "+OK")],
            );
            admin.run("ACL LIST")
        };
        assert_eq!(start().client().run("ACL LIST"), users, "{name}");
    }
}

#[test]
fn guessing_passwords_gets_slow_and_nobody_else_waits() {
    let server = Server::tls(&["--requirepass", "secret"]);
    let mut guesser = server.client();
    let mut bystander = client_as(&server, "default", "secret");
    let begin = Instant::now();
    for guess in 0..17 {
        guesser.send(&format!("AUTH guess{guess}"));
        assert_eq!(bystander.run("PING"), "+PONG");
        assert_eq!(guesser.reply(), WRONG_PASS);
    }
    // 10, 20, 40, 80, 160, 320 and 640 milliseconds.
    assert!(begin.elapsed() >= Duration::from_millis(1270), "{:?}", begin.elapsed());
}

#[test]
fn a_certificate_stands_for_a_user() {
    let server = Server::tls(&[
        "--tls-auth-clients-user",
        "CN",
        "--tls-auth-clients",
        "optional",
        "--user",
        "client",
        "on",
        "+@all",
        "~*",
        "--user",
        "other",
        "on",
        "nopass",
        "+@all",
    ]);
    let config = server.client_config(&["client.crt", "client.key"], rustls::ALL_VERSIONS);
    let name = certificate_name(&server);
    let mut admin = server.client();
    assert_eq!(admin.run(&format!("ACL SETUSER {name} on +@all ~*")), "+OK");
    let mut client = Wire::new(server.try_tls(&config).unwrap());
    check(
        &mut client,
        &[
            ("ACL WHOAMI", &format!("'{name}'")),
            ("AUTH other x", WRONG_PASS),
            (&format!("AUTH {name} x"), WRONG_PASS),
            ("RESET", "+RESET"),
            ("ACL WHOAMI", &format!("'{name}'")),
        ],
    );
    check(&mut admin, &[(&format!("AUTH {name} x"), WRONG_PASS), (&format!("ACL SETUSER {name} off"), "+OK")]);
    let mut client = Wire::new(server.try_tls(&config).unwrap());
    check(&mut client, &[("ACL WHOAMI", "'default'")]);
}

/// The common name of the development client certificate.
fn certificate_name(server: &Server) -> String {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let chain = support::server::certificates(&server.path().join("client.crt"));
    let (_, certificate) = X509Certificate::from_der(&chain[0]).unwrap();
    let name = certificate.subject().iter_common_name().next().unwrap().as_str().unwrap();
    name.to_owned()
}

#[test]
fn who_has_not_authenticated_gets_few_replies() {
    let server = Server::tls(&["--requirepass", "secret"]);
    let mut client = server.client();
    let requests = b"SET x 5\r\n".repeat(500);
    // Replies are left unread until the server has had enough.
    let mut sent = 0;
    while sent < 1000 && client.try_send_raw(&requests).is_ok() {
        sent += 1;
    }
    assert!(sent < 1000, "the server reads on and on");
}
