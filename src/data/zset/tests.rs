use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

fn sorted(model: &BTreeMap<Vec<u8>, f64>) -> Vec<(Vec<u8>, f64)> {
    let mut pairs: Vec<_> = model.iter().map(|(m, s)| (m.clone(), *s)).collect();
    pairs.sort_by(|a, b| order((a.1, &a.0), (b.1, &b.0)));
    pairs
}

fn owned<'a>(pairs: impl Iterator<Item = (Element<'a>, f64)>) -> Vec<(Vec<u8>, f64)> {
    pairs.map(|(m, s)| (m.to_vec(), s)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn behaves_as_a_sorted_vector(entries in prop_oneof![Just(0usize), Just(30), Just(1000)], operations in proptest::collection::vec((0u8..8, 0u16..200, -5i8..5), 1..400)) {
        let limits = Limits { zset_max_listpack_entries: entries, ..Limits::default() };
        let (mut set, mut model) = (ZSet::new(), BTreeMap::new());
        for (operation, member, score) in operations {
            let (member, score) = (format!("m{member}").into_bytes(), f64::from(score) / 2.0);
            match operation {
                0..=4 => {
                    let expected = match model.insert(member.clone(), score) {
                        None => Inserted::Added,
                        Some(old) if old == score => Inserted::Same,
                        Some(_) => Inserted::Updated,
                    };
                    prop_assert_eq!(set.insert(&member, score, &limits), expected);
                }
                5 => prop_assert_eq!(set.remove(&member), model.remove(&member)),
                6 => {
                    let expected = sorted(&model).last().cloned();
                    if let Some((m, _)) = &expected { model.remove(m); }
                    prop_assert_eq!(set.pop(true), expected);
                }
                _ => {
                    let position = sorted(&model).iter().position(|(m, _)| *m == member);
                    prop_assert_eq!(set.rank(&member), position);
                }
            }
        }
        let pairs = sorted(&model);
        prop_assert_eq!(&owned(set.iter()), &pairs);
        prop_assert_eq!(owned(set.range(1..4.min(pairs.len().max(1)), true)), pairs.iter().take(4).skip(1).rev().cloned().collect::<Vec<_>>());
        let (min, max) = (ScoreBound { value: -1.0, exclusive: true }, ScoreBound { value: 1.5, exclusive: false });
        let range = set.score_range(min, max);
        let expected: Vec<_> = pairs.iter().filter(|(_, s)| *s > -1.0 && *s <= 1.5).cloned().collect();
        prop_assert_eq!(owned(set.range(range.clone(), false)), expected);
        set.remove_range(range);
        prop_assert_eq!(owned(set.iter()), pairs.into_iter().filter(|(_, s)| !(*s > -1.0 && *s <= 1.5)).collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn scanning_misses_nobody_who_stays(
        moves in proptest::collection::vec((any::<bool>(), 0u16..300, -3i8..3), 0..200),
        count in 1usize..20,
    ) {
        let limits = Limits { zset_max_listpack_entries: 0, ..Limits::default() };
        let mut set = ZSet::new();
        for i in 0..100 {
            set.insert(format!("stay{i}").as_bytes(), f64::from(i % 5), &limits);
            set.insert(format!("move{i}").as_bytes(), f64::from(i % 3), &limits);
        }
        let (mut cursor, mut seen) = (0, HashSet::new());
        let mut moves = moves.into_iter();
        loop {
            cursor = set.scan(cursor, count, |m, _| { seen.insert(m.to_vec()); });
            if cursor == 0 { break; }
            for (insert, i, score) in moves.by_ref().take(7) {
                let name = format!("move{i}");
                if insert {
                    set.insert(name.as_bytes(), f64::from(score), &limits);
                } else {
                    set.remove(name.as_bytes());
                }
                // Those who stay may still get other scores.
                set.insert(format!("stay{}", i % 100).as_bytes(), f64::from(score), &limits);
            }
        }
        for i in 0..100 {
            prop_assert!(seen.contains(format!("stay{i}").as_bytes()), "stay{}", i);
        }
    }
}

#[test]
fn memory_follows_the_number_of_members() {
    let limits = Limits { zset_max_listpack_entries: 0, ..Limits::default() };
    let mut set = ZSet::new();
    for i in 0..20_000 {
        set.insert(format!("member{i}").as_bytes(), f64::from(i % 97), &limits);
    }
    let full = set.memory_usage();
    for i in 10..20_000 {
        assert_eq!(set.remove(format!("member{i}").as_bytes()), Some(f64::from(i % 97)));
    }
    assert!(set.memory_usage() < full / 50, "{} of {full}", set.memory_usage());
    assert_eq!(set.rank(b"member9"), Some(9));
    assert_eq!(set.sample(100).len(), 10);
}

#[test]
fn form_follows_the_limits_and_scores_survive_it() {
    let limits = Limits { zset_max_listpack_entries: 3, zset_max_listpack_value: 4, ..Limits::default() };
    let scores = [0.1, f64::INFINITY, 1e300, -7.0];
    let mut set = ZSet::new();
    for (i, score) in scores.into_iter().enumerate() {
        assert_eq!(set.encoding(), "listpack");
        set.insert(format!("m{i}").as_bytes(), score, &limits);
        for (i, score) in scores.into_iter().enumerate().take(i + 1) {
            assert_eq!(set.score(format!("m{i}").as_bytes()), Some(score));
        }
    }
    assert_eq!(set.encoding(), "skiplist");
    set.pop_max();
    set.pack_if_small(&limits);
    assert_eq!((set.encoding(), set.pop_min()), ("listpack", Some((b"m3".to_vec(), -7.0))));
    set.insert(b"longer", 1.0, &limits);
    assert_eq!(set.encoding(), "skiplist");
}

#[test]
fn members_with_one_score_are_found_by_name() {
    for entries in [0, 100] {
        let limits = Limits { zset_max_listpack_entries: entries, ..Limits::default() };
        let mut set = ZSet::new();
        for member in ["a", "b", "c", "d", "10"] {
            set.insert(member.as_bytes(), 0.0, &limits);
        }
        let names = |min, max| -> Vec<String> {
            let range = set.lex_range(&min, &max);
            set.range(range, false).map(|(m, _)| String::from_utf8(m.to_vec()).unwrap()).collect()
        };
        assert_eq!(names(LexBound::Min, LexBound::Inclusive(b"b")), ["10", "a", "b"]);
        assert_eq!(names(LexBound::Exclusive(b"a"), LexBound::Max), ["b", "c", "d"]);
        assert!(names(LexBound::Max, LexBound::Min).is_empty());
    }
}

#[test]
fn scans_and_picks_see_every_member() {
    let limits = Limits { zset_max_listpack_entries: 0, ..Limits::default() };
    let mut set = ZSet::new();
    for i in 0..500 {
        set.insert(format!("{i}").as_bytes(), f64::from(i % 7), &limits);
    }
    for i in 0..200 {
        set.remove(format!("{i}").as_bytes());
    }
    let (mut cursor, mut seen) = (0, HashSet::new());
    loop {
        cursor = set.scan(cursor, 10, |m, _| {
            seen.insert(m.to_vec());
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 300);
    let picked: HashSet<_> = (0..20_000).filter_map(|_| set.at_random().map(|(m, _)| m.to_vec())).collect();
    assert_eq!(picked.len(), 300);
}
