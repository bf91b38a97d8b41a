use super::*;
use proptest::prelude::*;

const SPARSE_MAX: usize = 3000;

fn of<'a>(elements: impl IntoIterator<Item = &'a str>, sparse_max: usize) -> Vec<u8> {
    let mut bytes = empty();
    for element in elements {
        add(&mut bytes, element.as_bytes(), sparse_max).unwrap();
    }
    bytes
}

fn numbers(range: std::ops::Range<u32>, sparse_max: usize) -> Vec<u8> {
    let mut bytes = empty();
    for number in range {
        add(&mut bytes, number.to_string().as_bytes(), sparse_max).unwrap();
    }
    bytes
}

/// Values that a Redis 7.0.15 made of the same elements.
#[test]
fn bytes_and_estimates_are_those_of_redis() {
    let small = of(["a", "b", "c", "d", "e", "foo", "bar", "hello", "", "1234567"], SPARSE_MAX);
    let runs = b"W1\x84EH\x806\x90D>\x80C\n\x80C\x15\x80A>\x88IN\x84I\x8c\x80Bm\x80BZ";
    assert_eq!(&small[..HEADER], b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80");
    assert_eq!(&small[HEADER..], runs);
    assert_eq!(estimate(&small), Ok(10));
    let mut sevens = empty();
    for number in 1..=500 {
        add(&mut sevens, (number * 7).to_string().as_bytes(), SPARSE_MAX).unwrap();
    }
    assert_eq!((sevens.len(), estimate(&sevens)), (1051, Ok(499)));
    let (dense, sparse) = (numbers(1..5001, SPARSE_MAX), numbers(1..1001, SPARSE_MAX));
    assert_eq!((dense.len(), estimate(&dense)), (12304, Ok(4985)));
    assert_eq!((sparse.len(), estimate(&sparse)), (1922, Ok(1001)));
}

#[test]
fn the_sparse_form_ends_where_it_is_told_to() {
    assert_eq!(encoding(&numbers(0..100, SPARSE_MAX)), Encoding::Sparse);
    let dense = numbers(0..100, 50);
    assert_eq!((encoding(&dense), dense.len()), (Encoding::Dense, DENSE_LENGTH));
    assert_eq!(estimate(&dense), estimate(&numbers(0..100, SPARSE_MAX)));
    let mut high = empty();
    assert_eq!(raise(&mut high, REGISTERS - 1, 33, SPARSE_MAX), Ok(true));
    assert_eq!((encoding(&high), dense::get(&high[HEADER..], REGISTERS - 1)), (Encoding::Dense, 33));
}

#[test]
fn the_estimate_is_kept_until_something_changes() {
    let mut bytes = of(["a"], SPARSE_MAX);
    assert_eq!(cached_estimate(&bytes), None);
    cache_estimate(&mut bytes, 1);
    assert_eq!(cached_estimate(&bytes), Some(1));
    assert_eq!(add(&mut bytes, b"a", SPARSE_MAX), Ok(false));
    assert_eq!(cached_estimate(&bytes), Some(1));
    assert_eq!(add(&mut bytes, b"b", SPARSE_MAX), Ok(true));
    assert_eq!(cached_estimate(&bytes), None);
}

#[test]
fn what_is_no_hyperloglog_is_recognised() {
    let good = of(["a"], SPARSE_MAX);
    assert!(is_valid(&good));
    for (what, bytes) in [
        ("magic", [b"HYLX", &good[4..]].concat()),
        ("encoding", [&good[..4], &[2], &good[5..]].concat()),
        ("dense length", [&good[..4], &[0], &good[5..]].concat()),
        ("header", good[..HEADER - 1].to_vec()),
        ("nothing", Vec::new()),
    ] {
        assert!(!is_valid(&bytes), "{what}");
    }
    let long = [&good[..], b"hello"].concat();
    assert!(is_valid(&long));
    assert_eq!(estimate(&long), Err(CORRUPT));
    assert_eq!(Registers::default().merge(&long), Err(CORRUPT));
    assert_eq!(make_dense(&mut long.clone()), Err(CORRUPT));
}

proptest! {
    #[test]
    fn both_forms_agree(raises in proptest::collection::vec((0..REGISTERS, 1u8..=32), 1..300), narrow in any::<bool>()) {
        let (mut dense, mut sparse, mut model) = (empty(), empty(), vec![0; REGISTERS]);
        make_dense(&mut dense).unwrap();
        for (register, value) in raises {
            let register = if narrow { register % 40 } else { register };
            let changed = model[register] < value;
            model[register] = value.max(model[register]);
            prop_assert_eq!(raise(&mut dense, register, value, SPARSE_MAX), Ok(changed));
            prop_assert_eq!(raise(&mut sparse, register, value, SPARSE_MAX), Ok(changed));
        }
        prop_assert_eq!(encoding(&sparse), Encoding::Sparse);
        for bytes in [&dense, &sparse] {
            let mut registers = Registers::default();
            registers.merge(bytes).unwrap();
            prop_assert_eq!(registers.values(), &model);
            prop_assert_eq!(estimate(bytes), Ok(registers.estimate()));
        }
    }

    #[test]
    fn corrupt_strings_are_answered(tail in proptest::collection::vec(any::<u8>(), 0..40), cover in any::<bool>(), element: [u8; 4], value in 1u8..=51) {
        let mut bytes = empty();
        if !cover {
            bytes.truncate(HEADER);
        }
        bytes.extend_from_slice(&tail);
        prop_assert!(is_valid(&bytes));
        let _ = estimate(&bytes);
        let _ = Registers::default().merge(&bytes);
        let _ = runs(&bytes).count();
        let _ = make_dense(&mut bytes.clone());
        let _ = add(&mut bytes, &element, SPARSE_MAX);
        let register = usize::from(u16::from_le_bytes([element[0], element[1]])) % REGISTERS;
        let _ = raise(&mut bytes, register, value, SPARSE_MAX);
    }
}
