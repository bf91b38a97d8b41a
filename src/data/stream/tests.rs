use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;
use crate::data::Mending;
use crate::data::limits::Limits;

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn filled(ids: impl IntoIterator<Item = u64>) -> Stream {
    let mut stream = Stream::new();
    for ms in ids {
        let value = ms.to_string();
        stream.log.append(NewId::Full(id(ms, 0)), &[b"field", value.as_bytes()], &Limits::default()).unwrap();
    }
    stream
}

fn all(stream: &Stream) -> Vec<u64> {
    stream.log.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.id.ms).collect()
}

#[test]
fn the_bytes_of_a_node_are_those_of_redis() {
    // `XADD x 1-1 f v` on Redis 7: the listpack as DUMP shows it.
    let expected = b"\x1d\x00\x00\x00\x0a\x00\x01\x01\x00\x01\x01\x01\x81f\x02\x00\x01\x02\x01\x00\x01\x00\x01\x81v\x02\x04\x01\xff";
    let mut log = Log::default();
    log.append(NewId::Full(id(1, 1)), &[b"f", b"v"], &Limits::default()).unwrap();
    let nodes: Vec<_> = log.nodes().collect();
    assert_eq!(nodes, [(id(1, 1), &expected[..])]);
}

#[test]
fn entries_come_back_with_their_fields_in_both_directions() {
    let limits = Limits { stream_node_max_entries: 3, ..Limits::default() };
    let mut log = Log::default();
    let entries: Vec<Vec<&[u8]>> =
        vec![vec![b"a", b"1"], vec![b"a", b"2"], vec![b"b", b"x", b"c", b"-7"], vec![b"a", b""], vec![b"a", b"5"]];
    for (at, fields) in entries.iter().enumerate() {
        log.append(NewId::Full(id(10 - at as u64 % 2, at as u64).max(log.last_id().next().unwrap())), fields, &limits)
            .unwrap();
    }
    assert_eq!(log.node_count(), 2);
    let read = |entry: Entry<'_>| -> Vec<Vec<u8>> {
        entry.fields().flat_map(|(field, value)| [field.to_vec(), value.to_vec()]).collect()
    };
    let forwards: Vec<_> = log.range(StreamId::MIN, StreamId::MAX).map(read).collect();
    assert_eq!(forwards, entries);
    let mut backwards: Vec<_> = log.range(StreamId::MIN, StreamId::MAX).backwards().map(read).collect();
    backwards.reverse();
    assert_eq!(backwards, entries);
}

#[test]
fn ranges_are_closed_and_cross_nodes() {
    let stream = filled((1..=500).map(|n| n * 2));
    let range = |from, to| -> Vec<u64> {
        let forwards: Vec<u64> = stream.log.range(id(from, 0), id(to, 0)).map(|entry| entry.id.ms).collect();
        let mut backwards: Vec<u64> =
            stream.log.range(id(from, 0), id(to, 0)).backwards().map(|entry| entry.id.ms).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
        forwards
    };
    assert_eq!(range(2, 6), [2, 4, 6]);
    assert_eq!(range(197, 205), [198, 200, 202, 204]);
    assert_eq!(range(0, 5000).len(), 500);
    assert!(range(6, 2).is_empty() && range(1001, 2000).is_empty() && range(0, 1).is_empty() && range(3, 3).is_empty());
}

#[test]
fn removing_keeps_the_counters() {
    let mut stream = filled(1..=250);
    assert!(stream.log.remove(id(1, 0)) && !stream.log.remove(id(1, 0)) && !stream.log.remove(id(1, 1)));
    assert_eq!(stream.log.first_id(), id(2, 0));
    for ms in 2..=100 {
        assert!(stream.log.remove(id(ms, 0)));
    }
    assert_eq!((stream.log.node_count(), stream.len()), (2, 150));
    assert_eq!((stream.log.first_id(), stream.log.max_deleted_id()), (id(101, 0), id(100, 0)));
    for ms in 101..=250 {
        assert!(stream.log.remove(id(ms, 0)));
    }
    assert_eq!((stream.log.node_count(), stream.log.first_id()), (0, StreamId::MIN));
    assert_eq!((stream.log.last_id(), stream.log.entries_added()), (id(250, 0), 250));
}

#[test]
fn trimming_by_length_and_by_id() {
    let trim = |threshold, whole_nodes, limit| {
        let mut stream = filled(1..=250);
        let removed = stream.log.trim(Trim { threshold, whole_nodes, limit });
        assert_eq!(removed + stream.len(), 250);
        assert_eq!(all(&stream).first().copied().unwrap_or(0), stream.log.first_id().ms);
        removed
    };
    assert_eq!(trim(Threshold::MaxLen(10), false, None), 240);
    assert_eq!(trim(Threshold::MaxLen(10), true, None), 200);
    assert_eq!(trim(Threshold::MaxLen(0), false, None), 250);
    assert_eq!(trim(Threshold::MaxLen(10), true, Some(150)), 100);
    assert_eq!(trim(Threshold::MaxLen(300), false, None), 0);
    assert_eq!(trim(Threshold::MinId(id(151, 0)), false, None), 150);
    assert_eq!(trim(Threshold::MinId(id(151, 0)), true, None), 100);
    assert_eq!(trim(Threshold::MinId(StreamId::MAX), false, None), 250);
}

#[test]
fn an_id_given_out_again_has_no_removed_entry_in_its_way() {
    let mut stream = filled(1..=5);
    stream.log.remove(id(4, 0));
    stream.log.remove(id(5, 0));
    stream.log.set_counters(id(3, 0), None, None);
    stream.log.append(NewId::Full(id(5, 0)), &[b"field", b"new"], &Limits::default()).unwrap();
    assert_eq!(all(&stream), [1, 2, 3, 5]);
    assert!(stream.log.remove(id(5, 0)));
    assert_eq!(all(&stream), [1, 2, 3]);
}

#[test]
fn lag_is_told_where_it_can_be() {
    let mut stream = filled(1..=5);
    let mut group = Group::new(StreamId::MIN, None);
    assert_eq!(group.lag(&stream.log), Some(5));
    assert!(group.advance(&stream.log, id(1, 0)));
    assert_eq!((group.entries_read, group.lag(&stream.log)), (Some(1), Some(4)));
    assert!(group.advance(&stream.log, id(2, 0)) && !group.advance(&stream.log, id(2, 0)));
    stream.log.remove(id(4, 0));
    assert_eq!(group.lag(&stream.log), None);
    assert!(group.advance(&stream.log, id(3, 0)));
    assert_eq!((group.entries_read, group.lag(&stream.log)), (None, None));
    assert!(group.advance(&stream.log, id(5, 0)));
    assert_eq!((group.entries_read, group.lag(&stream.log)), (Some(5), Some(0)));
}

#[test]
fn pending_entries_change_hands() {
    let mut group = Group::new(StreamId::MIN, None);
    let (a, b) = (group.add_consumer(b"a", 1).unwrap(), group.add_consumer(b"b", 1).unwrap());
    assert!(group.add_consumer(b"a", 2).is_none());
    let give = |consumer| Pending { consumer, delivered_at: 5, deliveries: 1 };
    group.give(id(1, 0), give(a));
    group.give(id(2, 0), give(a));
    group.give(id(1, 0), give(b));
    assert_eq!((group.consumer(a).pending_len(), group.consumer(b).pending_len()), (1, 1));
    assert!(group.acknowledge(id(1, 0)) && !group.acknowledge(id(1, 0)));
    assert_eq!(group.remove_consumer(b"a"), Some(1));
    assert_eq!((group.pending_len(), group.consumer_count()), (0, 1));
    let c = group.add_consumer(b"c", 3).unwrap();
    assert_eq!((c, group.consumer(c).name()), (a, &b"c"[..]));
}

fn parts_of(stream: &Stream) -> StreamParts {
    let log = LogParts {
        nodes: stream.log.nodes().map(|(id, bytes)| (id, bytes.to_vec())).collect(),
        length: stream.len() as u64,
        last_id: stream.log.last_id(),
        max_deleted_id: stream.log.max_deleted_id(),
        entries_added: Some(stream.log.entries_added()),
    };
    StreamParts { log, groups: Vec::new() }
}

#[test]
fn a_stream_survives_being_taken_apart() {
    let mut stream = filled(1..=250);
    for ms in (1..=250).step_by(7) {
        stream.log.remove(id(ms, 0));
    }
    let mut parts = parts_of(&stream);
    let pending = |n| PendingParts { id: id(n, 0), delivered_at: 9, deliveries: 2 };
    let consumer = |name: &[u8], pending: &[u64]| ConsumerParts {
        name: name.to_vec(),
        seen_at: 1,
        active_at: None,
        pending: pending.iter().map(|n| id(*n, 0)).collect(),
    };
    let group = GroupParts {
        name: b"g".to_vec(),
        last_id: id(3, 0),
        entries_read: Some(-1),
        pending: vec![pending(2), pending(3)],
        consumers: vec![consumer(b"a", &[2]), consumer(b"b", &[3])],
    };
    parts.groups.push(group.clone());
    let back = Stream::from_parts(parts.clone(), &mut Mending::default()).unwrap();
    assert_eq!(all(&back), all(&stream));
    assert_eq!(back.log.first_id(), stream.log.first_id());
    assert_eq!(back.groups.get(b"g").map(|group| group.pending_len()), Some(2));

    let broken = |change: &dyn Fn(&mut StreamParts)| {
        let mut parts = parts.clone();
        change(&mut parts);
        Stream::from_parts(parts, &mut Mending::default()).is_err()
    };
    assert!(broken(&|parts| parts.log.length += 1));
    assert!(broken(&|parts| parts.log.last_id = id(3, 0)));
    assert!(broken(&|parts| parts.log.nodes.swap(0, 1)));
    assert!(broken(&|parts| parts.groups.push(group.clone())));
    assert!(broken(&|parts| parts.groups[0].consumers[1].pending.clear()));
    assert!(broken(&|parts| parts.groups[0].consumers[1].pending.push(id(2, 0))));
    assert!(broken(&|parts| parts.groups[0].consumers[1].name = b"a".to_vec()));

    // Counts and an ID that what is there tells better, and what is pending for nobody.
    let mut off = parts;
    off.log.length += 1;
    off.log.last_id = id(3, 0);
    off.groups[0].consumers[1].pending.clear();
    let mut mending = Mending::allowed_if(true);
    let mended = Stream::from_parts(off, &mut mending).unwrap();
    assert!(mending.take_mended().is_some());
    assert_eq!((all(&mended), mended.len()), (all(&stream), stream.len()));
    assert_eq!(mended.log.last_id(), mended.log.last_entry_id().unwrap());
    assert_eq!(mended.groups.get(b"g").map(|group| group.pending_len()), Some(1));
}

#[test]
fn a_wrong_count_of_an_entrys_elements_is_put_right_where_that_is_allowed() {
    let stream = filled(1..=3);
    let mut parts = parts_of(&stream);
    let bytes = &mut parts.log.nodes[0].1;
    // The count is the last element; its back length and the end mark follow.
    let at = bytes.len() - 3;
    assert_eq!(bytes[at], 4);
    bytes[at] = 0x48;
    assert!(Stream::from_parts(parts.clone(), &mut Mending::default()).is_err());
    let mended = Stream::from_parts(parts, &mut Mending::allowed_if(true)).unwrap();
    let backwards: Vec<_> =
        mended.log.range(StreamId::MIN, StreamId::MAX).backwards().map(|entry| entry.id.ms).collect();
    assert_eq!(backwards, [3, 2, 1]);
    assert!(mended.log.nodes().eq(stream.log.nodes()));
}

#[test]
fn damaged_nodes_are_refused_or_walk_safely() {
    let mut random = SmallRng::seed_from_u64(7);
    let whole = parts_of(&filled(1..=40));
    for _ in 0..20_000 {
        let mut parts = whole.clone();
        let bytes = &mut parts.log.nodes[0].1;
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        if let Ok(mut stream) = Stream::from_parts(parts, &mut Mending::allowed_if(random.random())) {
            let forwards = all(&stream);
            assert_eq!(forwards.len(), stream.len());
            for entry in stream.log.range(StreamId::MIN, StreamId::MAX).backwards() {
                entry.fields().for_each(drop);
            }
            stream.log.remove(id(20, 0));
            stream.log.trim(Trim { threshold: Threshold::MaxLen(3), whole_nodes: false, limit: None });
            let _ = stream.log.append(NewId::Auto(1), &[b"field", b"value"], &Limits::default());
        }
    }
}

/// The same operations on a stream and on a plain list of IDs.
#[test]
fn a_stream_is_what_a_list_of_ids_says() {
    let mut random = SmallRng::seed_from_u64(11);
    let limits = Limits { stream_node_max_entries: 5, ..Limits::default() };
    let (mut log, mut model) = (Log::default(), Vec::<StreamId>::new());
    for _ in 0..20_000 {
        match random.random_range(0..10) {
            0..5 => {
                let new = NewId::Auto(random.random_range(0..3) + log.last_id().ms);
                model.push(log.append(new, &[b"f", b"v"], &limits).unwrap());
            }
            5..8 if !model.is_empty() => {
                let id = model.remove(random.random_range(0..model.len()));
                assert!(log.remove(id));
            }
            8 => {
                let max = random.random_range(0..60);
                log.trim(Trim { threshold: Threshold::MaxLen(max), whole_nodes: false, limit: None });
                model.drain(..model.len().saturating_sub(max as usize));
            }
            _ => {
                let start = id(random.random_range(0..log.last_id().ms + 2), 0);
                let end = id(start.ms + random.random_range(0..9), 0);
                let expected: Vec<_> = model.iter().copied().filter(|id| (start..=end).contains(id)).collect();
                let found: Vec<_> = log.range(start, end).map(|entry| entry.id).collect();
                assert_eq!(found, expected);
                let found: Vec<_> = log.range(start, end).backwards().map(|entry| entry.id).collect();
                assert!(found.into_iter().rev().eq(expected));
            }
        }
        assert_eq!(log.len(), model.len());
        assert_eq!(log.first_id(), model.first().copied().unwrap_or_default());
        assert_eq!(log.last_entry_id(), model.last().copied());
    }
}
