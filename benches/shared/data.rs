//! Keys to fill a server with: the same for every server, since each follows from its number.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::support::wire::encode;

/// Appends the request that makes key `n`. Of ten keys eight are strings (random letters, numbers, text), one is a hash of six
/// fields and one is a list of six elements.
pub fn request(n: u64, out: &mut Vec<u8>) {
    let mut random = SmallRng::seed_from_u64(n);
    let key = key(n);
    let encoded = match n % 10 {
        0..=3 => encode(&[b"SET", &key, &letters(&mut random, 48)]),
        4 | 5 => encode(&[b"SET", &key, random.random_range(0..1_000_000_000u64).to_string().as_bytes()]),
        6 | 7 => encode(&[b"SET", &key, &document(n, &mut random)]),
        8 => {
            let pairs: Vec<[Vec<u8>; 2]> =
                (0..6).map(|i| [format!("field{i}").into_bytes(), letters(&mut random, 12)]).collect();
            let mut words: Vec<&[u8]> = vec![b"HSET", &key];
            words.extend(pairs.iter().flatten().map(Vec::as_slice));
            encode(&words)
        }
        _ => {
            let elements: Vec<Vec<u8>> = (0..6).map(|_| letters(&mut random, 16)).collect();
            let mut words: Vec<&[u8]> = vec![b"RPUSH", &key];
            words.extend(elements.iter().map(Vec::as_slice));
            encode(&words)
        }
    };
    out.extend_from_slice(&encoded);
}

/// The request that replaces a string: any key that is one.
pub fn overwrite(random: &mut SmallRng, keys: u64) -> Vec<u8> {
    let n = random.random_range(0..keys / 10) * 10 + random.random_range(0..4);
    encode(&[b"SET", &key(n), &letters(random, 48)])
}

fn key(n: u64) -> Vec<u8> {
    format!("object:{n:012}").into_bytes()
}

fn letters(random: &mut SmallRng, count: usize) -> Vec<u8> {
    (0..count).map(|_| random.random_range(b'a'..=b'z')).collect()
}

/// Text that compresses.
fn document(n: u64, random: &mut SmallRng) -> Vec<u8> {
    let (price, stock): (u32, u32) = (random.random_range(1..100_000), random.random_range(0..500));
    format!(
        "{{\"id\":{n},\"name\":\"product number {n}\",\"price\":{price},\"currency\":\"EUR\",\"stock\":{stock},\
         \"tags\":[\"product\",\"product number\",\"EUR\"]}}"
    )
    .into_bytes()
}
