use super::*;
use proptest::prelude::*;

fn all(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(|e| e.to_vec()).collect()
}

#[test]
fn bytes_are_those_of_redis() {
    let mut pack = Listpack::new();
    for value in [&b"1"[..], b"hello", b"-300", b"100000"] {
        pack.push_back(value);
    }
    let expected = [
        &[31u8, 0, 0, 0, 4, 0][..],
        &[0x01, 0x01],
        &[0x85, b'h', b'e', b'l', b'l', b'o', 0x06],
        &[0xde, 0xd4, 0x02],
        &[0xf2, 0xa0, 0x86, 0x01, 0x04],
        &[0xff],
    ];
    let mut expected: Vec<u8> = expected.concat();
    expected[0] = expected.len() as u8;
    assert_eq!(pack.as_bytes(), expected);
}

#[test]
fn a_count_too_large_to_store_is_counted() {
    let mut pack = Listpack::new();
    for _ in 0..65_534 {
        pack.push_back(b"1");
    }
    assert_eq!((pack.len(), &pack.as_bytes()[4..6]), (65_534, &[0xfe, 0xff][..]));
    pack.push_back(b"2");
    pack.push_back(b"3");
    assert_eq!((pack.len(), &pack.as_bytes()[4..6]), (65_536, &[0xff, 0xff][..]));
    pack.remove(0, 65_000);
    assert_eq!(pack.len(), 536);
    assert_eq!(Listpack::from_bytes_validated(pack.as_bytes().to_vec()), Ok(pack));
}

#[test]
fn an_integer_written_as_a_string_by_others_is_found() {
    let bytes = vec![11, 0, 0, 0, 1, 0, 0x82, b'1', b'2', 3, 0xff];
    let pack = Listpack::from_bytes_validated(bytes).unwrap();
    assert_eq!(pack.find(b"12", 1), Some(0));
}

/// Every way of reading what the validation let through.
fn read_all(pack: &Listpack) {
    let forwards = all(pack);
    let mut backwards: Vec<_> = pack.iter_rev().map(|e| e.to_vec()).collect();
    backwards.reverse();
    assert_eq!(forwards, backwards);
    assert_eq!(forwards.len(), pack.len());
}

#[test]
fn damaged_bytes_are_refused_or_harmless() {
    use rand::{Rng, SeedableRng};
    let mut pack = Listpack::new();
    for i in 0..50 {
        pack.push_back(format!("value-{i}-{}", "x".repeat(i * 7)).as_bytes());
        pack.push_back(format!("{}", i * 1_000_003).as_bytes());
    }
    let mut random = rand::rngs::SmallRng::seed_from_u64(42);
    let mut accepted = 0;
    for round in 0..40_000 {
        let mut bytes = pack.as_bytes().to_vec();
        if round % 4 == 0 {
            // Noise with a plausible header.
            bytes = (0..random.random_range(7..60)).map(|_| random.random()).collect();
            let total = bytes.len() as u32;
            bytes[..4].copy_from_slice(&total.to_le_bytes());
            bytes[4..6].copy_from_slice(&[0xff, 0xff]);
            *bytes.last_mut().unwrap() = END;
        } else {
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..bytes.len());
                bytes[at] ^= 1 << random.random_range(0..8);
            }
            if round % 4 == 1 {
                bytes.truncate(random.random_range(0..bytes.len()));
            }
        }
        if let Ok(pack) = Listpack::from_bytes_validated(bytes) {
            read_all(&pack);
            accepted += 1;
        }
    }
    assert!(accepted > 100, "the fuzz must reach past the checks, {accepted}");
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|v| v.to_string().into_bytes()),
        (-5000i64..5000).prop_map(|v| v.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..150),
        Just(vec![b'z'; 5000]),
    ]
}

proptest! {
    #[test]
    fn behaves_as_a_vector(operations in proptest::collection::vec((0u8..9, any::<u16>(), value()), 1..60)) {
        let mut pack = Listpack::new();
        let mut model: Vec<Vec<u8>> = Vec::new();
        for (operation, at, value) in operations {
            let at = at as usize % (model.len() + 1);
            match operation {
                0 => { pack.push_back(&value); model.push(value); }
                1 => { pack.push_front(&value); model.insert(0, value); }
                2 => { pack.insert(at, &[&value]); model.insert(at, value); }
                3 if at < model.len() => { pack.replace(at, &value); model[at] = value; }
                4 if at < model.len() => { pack.remove(at, 1); model.remove(at); }
                5 => prop_assert_eq!(pack.pop_back(), model.pop()),
                6 => {
                    pack.retain(|element| !element.eq_bytes(&value));
                    model.retain(|own| *own != value);
                }
                7 => {
                    let mut tail = pack.split_off(at);
                    prop_assert_eq!(all(&tail), model[at..].to_vec());
                    tail.append(&pack);
                    pack = tail;
                    model.rotate_left(at);
                }
                _ => prop_assert_eq!(pack.find(&value, 1), model.iter().position(|v| *v == value)),
            }
            prop_assert_eq!(&all(&pack), &model);
            prop_assert_eq!(pack.len(), model.len());
            prop_assert_eq!(pack.get(at as isize).map(|e| e.to_vec()), model.get(at).cloned());
        }
        let mut backwards: Vec<_> = pack.iter_rev().map(|e| e.to_vec()).collect();
        backwards.reverse();
        prop_assert_eq!(&backwards, &model);
        prop_assert_eq!(Listpack::from_bytes_validated(pack.as_bytes().to_vec()), Ok(pack));
    }
}
