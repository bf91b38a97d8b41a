//! The request parser against a general RESP decoder: a million seeded commands, whole, in pieces and damaged.
//!
//! The oracle is `redis-protocol`, which is more lenient about what is not canonical; hence a damaged stream must
//! agree only where the oracle's frame is written exactly as it would encode it. What always holds: no panic, no endless loop,
//! and no argument outside the buffer.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use redis_protocol::resp2::decode::decode;
use redis_protocol::resp2::types::OwnedFrame;
use redis_tls::resp::{Limits, Parsed, Parser};

const COMMANDS: usize = 1_000_000;
const DAMAGED_STREAMS: usize = 200_000;
const LIMITS: Limits = Limits { max_bulk_bytes: 512 << 20, authenticated: true };

type Request = Vec<Vec<u8>>;

fn random_request(random: &mut SmallRng) -> Request {
    let count = if random.random_ratio(1, 50) { random.random_range(1..200) } else { random.random_range(1..6) };
    (0..count)
        .map(|_| {
            let length = match random.random_range(0..100) {
                0 => random.random_range(0..5000),
                1..20 => 0,
                _ => random.random_range(1..24),
            };
            // Many line ends, so that a parser that looks for them inside arguments is found out.
            (0..length)
                .map(|_| if random.random_ratio(1, 8) { b"\r\n$*"[random.random_range(0..4)] } else { random.random() })
                .collect()
        })
        .collect()
}

fn encode(request: &Request, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", request.len()).as_bytes());
    for argument in request {
        out.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

/// The oracle's view of the first request: its arguments and its length, where it is an array of bulk strings.
fn oracle(bytes: &[u8]) -> Option<(Request, usize)> {
    let Ok(Some((OwnedFrame::Array(frames), length))) = decode(bytes) else { return None };
    let request = frames.into_iter().map(|frame| match frame {
        OwnedFrame::BulkString(bytes) => Some(bytes),
        _ => None,
    });
    Some((request.collect::<Option<_>>()?, length))
}

fn arguments(parser: &Parser, bytes: &[u8]) -> Request {
    parser.args(bytes).from(0).map(<[u8]>::to_vec).collect()
}

#[test]
fn a_million_commands_are_read_as_the_oracle_reads_them() {
    let mut random = SmallRng::seed_from_u64(20_240_601);
    let mut parser = Parser::new();
    let mut done = 0;
    while done < COMMANDS {
        let requests: Vec<Request> = (0..random.random_range(1..40)).map(|_| random_request(&mut random)).collect();
        let mut bytes = Vec::new();
        requests.iter().for_each(|request| encode(request, &mut bytes));
        let (mut start, mut arrived) = (0, 0);
        for expected in &requests {
            // The buffer grows by random pieces until the request is whole.
            while parser.parse(&bytes[start..arrived], LIMITS) != Parsed::Request {
                assert!(arrived < bytes.len(), "a whole request was not seen, after {done}");
                arrived = (arrived + random.random_range(1..400)).min(bytes.len());
            }
            let got = arguments(&parser, &bytes[start..arrived]);
            let (wanted, length) = oracle(&bytes[start..]).expect("the oracle reads it");
            assert_eq!((&got, parser.consumed()), (&wanted, length), "after {done}");
            assert_eq!(&got, expected, "after {done}");
            start += length;
            parser.next();
            done += 1;
        }
        assert_eq!(start, bytes.len());
    }
}

#[test]
fn damaged_streams_never_panic_and_agree_where_they_are_canonical() {
    let mut random = SmallRng::seed_from_u64(77);
    for round in 0..DAMAGED_STREAMS {
        let mut bytes = Vec::new();
        for _ in 0..random.random_range(1..4) {
            encode(&random_request(&mut random), &mut bytes);
        }
        bytes.truncate(4096);
        for _ in 0..random.random_range(1..6) {
            damage(&mut bytes, &mut random);
        }
        let limits = Limits { authenticated: random.random(), ..LIMITS };
        read_all(&bytes, limits, round);
    }
}

fn damage(bytes: &mut Vec<u8>, random: &mut SmallRng) {
    if bytes.is_empty() {
        return;
    }
    // Mostly near the front, where the lengths are.
    let span = if random.random() { bytes.len().min(16) } else { bytes.len() };
    let at = random.random_range(0..span);
    match random.random_range(0..4) {
        0 => bytes[at] = random.random(),
        1 => bytes[at] = b"\r\n$*-0123456789\"' "[random.random_range(0..18)],
        2 => {
            bytes.remove(at);
        }
        _ => bytes.insert(at, b"\r\n$*-0123456789\"' "[random.random_range(0..18)]),
    }
}

fn read_all(bytes: &[u8], limits: Limits, round: usize) {
    let mut parser = Parser::new();
    let mut start = 0;
    loop {
        let rest = &bytes[start..];
        let outcome = parser.parse(rest, limits);
        if limits.authenticated
            && let Some((wanted, length)) = oracle(rest)
            && !wanted.is_empty()
        {
            let mut canonical = Vec::new();
            encode(&wanted, &mut canonical);
            if canonical == rest[..length] {
                assert_eq!(outcome, Parsed::Request, "round {round}");
                assert_eq!((arguments(&parser, rest), parser.consumed()), (wanted, length), "round {round}");
            }
        }
        match outcome {
            Parsed::Request => assert!(!arguments(&parser, rest).is_empty(), "round {round}"),
            Parsed::Nothing => {}
            Parsed::Incomplete | Parsed::Broken(_) => return,
        }
        assert!(parser.consumed() > 0 && parser.consumed() <= rest.len(), "round {round}");
        start += parser.consumed();
        parser.next();
    }
}
