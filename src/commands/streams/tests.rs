//! What is replayed gives the same streams: random commands on one engine, their replay on another.

use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::acl::{CommandIndex, Users};
use crate::base::clock::UnixMillis;
use crate::config::{CommandLine, Config};
use crate::data::limits::Limits;
use crate::engine::{Engine, FeedOffset, Parts, Run};
use crate::resp::{OwnedArgs, Parsed, Parser};
use crate::session::{Client, Session};

/// An engine with one client.
struct Server {
    engine: &'static Engine,
    session: Session,
    limits: Limits,
}

impl Server {
    fn new() -> Self {
        let line = CommandLine::default();
        let loaded = crate::config::load(&line, &mut std::io::empty()).unwrap();
        let table = crate::commands::table();
        let engine: &'static Engine = Box::leak(Box::new(Engine::new(Parts {
            config: Config::new(loaded),
            config_file: None,
            users: Users::new(CommandIndex::new(table.rows().iter().map(|row| &row.spec)), b""),
            table,
            tls: None,
            workers: 1,
            now_ms: 0,
        })));
        let client = Arc::new(Client::unconnected(1));
        let limits = Limits { stream_node_max_entries: 4, ..Limits::default() };
        Self { engine, session: Session::new(client, true, 0), limits }
    }

    fn run(&mut self, now: i64, words: &OwnedArgs) -> String {
        let settings = self.engine.config.snapshot();
        let mut run = Run::begin(self.engine, &settings, &self.limits);
        run.now = UnixMillis(now);
        let mut out = Vec::new();
        self.engine.execute(&mut run, &mut self.session, words.as_args(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn line(&mut self, now: i64, line: &str) -> String {
        self.run(now, &line.split(' ').map(str::as_bytes).collect())
    }

    /// What both servers must agree about.
    fn state(&mut self, now: i64) -> Vec<String> {
        let mut state = Vec::new();
        for key in ["a", "b"] {
            state.push(self.line(now, &format!("XRANGE {key} - +")));
            state.push(self.line(now, &format!("XPENDING {key} g - + 1000")));
            for reply in ["XINFO STREAM", "XINFO GROUPS"] {
                let reply = self.line(now, &format!("{reply} {key}"));
                let lines: Vec<&str> = reply.split("\r\n").collect();
                let shared = ["last-generated-id", "max-deleted-entry-id", "entries-added", "last-delivered-id"];
                let values = lines.windows(4).filter(|lines| shared.contains(&lines[0]));
                state.extend(values.map(|lines| lines[..4].join(" ")));
            }
        }
        state
    }
}

/// The commands that were written to a feed since `offset`.
fn read_feed(engine: &Engine, offset: &mut FeedOffset) -> Vec<OwnedArgs> {
    let bytes = engine.feed.read(*offset, usize::MAX).unwrap();
    offset.0 += bytes.len() as u64;
    let (mut parser, mut commands, mut rest) = (Parser::new(), Vec::new(), &bytes[..]);
    let limits = crate::resp::Limits { max_bulk_bytes: 1 << 20, authenticated: true };
    while let Parsed::Request = parser.parse(rest, limits) {
        commands.push(parser.args(rest).to_owned());
        rest = &rest[parser.consumed()..];
        parser.next();
    }
    assert!(rest.is_empty());
    commands
}

fn random_command(random: &mut SmallRng) -> String {
    const FORMS: &[&str] = &[
        "XADD K * f v",
        "XADD K * f v",
        "XADD K N-* other v",
        "XADD K MAXLEN ~ N * f v",
        "XADD K MAXLEN ~ 1 LIMIT N * f v",
        "XADD K MINID ~ N NOMKSTREAM * f v x y",
        "XADD K MAXLEN = 9 * f v",
        "XTRIM K MAXLEN ~ N",
        "XTRIM K MINID ~ N LIMIT 4",
        "XTRIM K MAXLEN 6",
        "XDEL K N-0 N-1",
        "XSETID K 100000 ENTRIESADDED 100000",
        "XGROUP CREATE K g $ MKSTREAM",
        "XGROUP CREATE K g 0 MKSTREAM",
        "XGROUP SETID K g N",
        "XGROUP DESTROY K g",
        "XGROUP CREATECONSUMER K g C",
        "XGROUP DELCONSUMER K g C",
        "XREADGROUP GROUP g C STREAMS a b > >",
        "XREADGROUP GROUP g C COUNT 2 STREAMS K >",
        "XREADGROUP GROUP g C COUNT 3 NOACK STREAMS K >",
        "XACK K g N-0",
        "XCLAIM K g C 0 N-0 N-1 N-0",
        "XCLAIM K g C 1 N-0 FORCE JUSTID",
        "XCLAIM K g C 0 N-0 TIME 7 RETRYCOUNT N LASTID N",
        "XAUTOCLAIM K g C 0 0",
        "XAUTOCLAIM K g C 1 N COUNT 2 JUSTID",
    ];
    // The stream grows as time goes on: numbers near the clock hit entries.
    let mut line = String::new();
    for word in FORMS.choose(random).unwrap_or(&"").split(' ') {
        let number = random.random_range(1..400);
        let word = match word {
            "K" => ["a", "b"].choose(random).unwrap_or(&"a").to_string(),
            "C" => ["alice", "bob"].choose(random).unwrap_or(&"bob").to_string(),
            word if word.contains(|c: char| c.is_ascii_uppercase() && c != 'N') => word.to_owned(),
            word => word.replace('N', &number.to_string()),
        };
        line.push_str(if line.is_empty() { "" } else { " " });
        line.push_str(&word);
    }
    line
}

#[test]
fn what_is_replayed_gives_the_same_streams() {
    let (mut primary, mut replica) = (Server::new(), Server::new());
    let mut random = SmallRng::seed_from_u64(3);
    let mut offset = primary.engine.feed.attach();
    let mut replayed = 0;
    for now in 1..6000 {
        let line = random_command(&mut random);
        let reply = primary.line(now / 16, &line);
        for command in read_feed(primary.engine, &mut offset) {
            let answer = replica.run(now / 16, &command);
            assert!(!answer.starts_with('-'), "{line} is replayed as {command:?}: {answer}");
            replayed += 1;
        }
        assert_eq!(primary.state(now / 16), replica.state(now / 16), "{line}: {reply}");
    }
    assert!(replayed > 1500, "most commands change something: {replayed}");
}
