use std::collections::VecDeque;

use super::*;
use proptest::prelude::*;

fn all(list: &List) -> Vec<Vec<u8>> {
    list.iter().map(|e| e.to_vec()).collect()
}

fn owned<'a>(elements: impl Iterator<Item = Element<'a>>) -> Vec<Vec<u8>> {
    elements.map(|e| e.to_vec()).collect()
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0i64..10).prop_map(|v| v.to_string().into_bytes()),
        (0usize..40).prop_map(|n| vec![b'x'; n]),
        Just(vec![b'L'; 9000]),
        Just(vec![b'm'; 3000]),
    ]
}

/// LREM on a plain vector.
fn remove(model: &mut VecDeque<Vec<u8>>, count: i64, value: &[u8]) -> usize {
    let mut left = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let before = model.len();
    let mut keep = |own: &Vec<u8>| {
        let goes = own == value && left > 0;
        left -= usize::from(goes);
        !goes
    };
    if count >= 0 {
        model.retain(|own| keep(own));
    } else {
        let mut kept: VecDeque<_> = model.drain(..).rev().filter(|own| keep(own)).collect();
        kept.make_contiguous().reverse();
        *model = kept;
    }
    before - model.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn behaves_as_a_deque(
        size in prop_oneof![Just(-2), Just(-1), Just(0), Just(1), Just(3), Just(128)],
        operations in proptest::collection::vec((0u8..12, any::<u16>(), value(), -3i64..4), 1..120),
    ) {
        let limits = Limits { list_max_listpack_size: size, ..Limits::default() };
        let (mut list, mut model) = (List::new(), VecDeque::<Vec<u8>>::new());
        for (operation, at, value, count) in operations {
            let at = at as usize % (model.len() + 1);
            match operation {
                0 | 1 => { list.push_back(&value, &limits); model.push_back(value.clone()); }
                2 => { list.push_front(&value, &limits); model.push_front(value.clone()); }
                3 | 4 => { list.insert(at, &value, &limits); model.insert(at, value.clone()); }
                5 => prop_assert_eq!(list.pop_back(), model.pop_back()),
                6 => prop_assert_eq!(list.pop_front(), model.pop_front()),
                7 => {
                    let set = list.set(at, &value, &limits);
                    prop_assert_eq!(set, at < model.len());
                    if set { model[at] = value.clone(); }
                }
                8 => prop_assert_eq!(list.remove(count, &value), remove(&mut model, count, &value)),
                9 => {
                    let end = (at + 20).min(model.len());
                    list.trim(at..end);
                    model = model.drain(at.min(end)..end).collect();
                }
                10 => {
                    let found = model.iter().position(|own| *own == value);
                    prop_assert_eq!(list.insert_before(&value, b"before", &limits), found.is_some());
                    if let Some(found) = found { model.insert(found, b"before".to_vec()); }
                }
                _ => {
                    let found = model.iter().position(|own| *own == value);
                    prop_assert_eq!(list.insert_after(&value, b"after", &limits), found.is_some());
                    if let Some(found) = found { model.insert(found + 1, b"after".to_vec()); }
                }
            }
            prop_assert_eq!(list.len(), model.len());
            prop_assert_eq!(&all(&list), &Vec::from(model.clone()));
            prop_assert_eq!(owned(list.iter_rev()), model.iter().rev().cloned().collect::<Vec<_>>());
            prop_assert_eq!(list.get(at).map(|e| e.to_vec()), model.get(at).cloned());
            prop_assert_eq!(owned(list.range(at, 9)), model.iter().skip(at).take(9).cloned().collect::<Vec<_>>());
            let back = if at < model.len() { model.iter().take(at + 1).rev().take(9).cloned().collect() } else { Vec::new() };
            prop_assert_eq!(owned(list.range_rev(at, 9)), back);
            let (rank, wanted, max_len) = (if count == 0 { 1 } else { count }, at % 3, at % 5);
            prop_assert_eq!(list.positions(&value, rank, wanted, max_len), positions(&model, &value, rank, wanted, max_len));
        }
    }
}

/// LPOS on a plain vector.
fn positions(model: &VecDeque<Vec<u8>>, value: &[u8], rank: i64, count: usize, max_len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..model.len()).collect();
    if rank < 0 {
        order.reverse();
    }
    if max_len > 0 {
        order.truncate(max_len);
    }
    order.retain(|index| model[*index] == value);
    let mut found = order.split_off((rank.unsigned_abs() as usize - 1).min(order.len()));
    if count > 0 {
        found.truncate(count);
    }
    found
}

#[test]
fn form_follows_the_limit_and_returns_at_half_of_it() {
    let limits = Limits { list_max_listpack_size: 10, ..Limits::default() };
    let form = |list: &List| list.encoding_in(Release::Redis72);
    let mut list = List::new();
    for i in 0..10 {
        list.push_back(format!("{i}").as_bytes(), &limits);
    }
    assert_eq!(form(&list), "listpack");
    list.push_front(b"x", &limits);
    assert_eq!((form(&list), list.node_count()), ("quicklist", 2));
    list.pop_front();
    assert_eq!((form(&list), list.node_count()), ("quicklist", 1));
    list.trim(0..6);
    assert_eq!(form(&list), "quicklist");
    list.pop_back();
    assert_eq!((form(&list), list.len()), ("listpack", 5));
    list.push_back(&[b'L'; 9000], &limits);
    assert_eq!(form(&list), "quicklist");
    assert_eq!((list.encoding(), List::new().encoding()), ("quicklist", "quicklist"));
}

#[test]
fn insertions_at_one_place_do_not_leave_nodes_of_one_element() {
    let limits = Limits { list_max_listpack_size: 16, ..Limits::default() };
    let mut list = List::new();
    for i in 0..64 {
        list.push_back(format!("{i}").as_bytes(), &limits);
    }
    for i in 0..1000 {
        list.insert_before(b"20", format!("new{i}").as_bytes(), &limits);
    }
    assert_eq!(list.len(), 1064);
    assert!(list.node_count() < 2 * 1064 / 16 + 4, "{}", list.node_count());
}
