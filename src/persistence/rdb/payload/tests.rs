use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::*;
use crate::data::hash::Hash;
use crate::data::list::List;
use crate::data::set::Set;
use crate::data::zset::ZSet;
use crate::keyspace::{Container, Object, StrRef};

/// A value of each type and form.
fn specimens(limits: &Limits) -> Vec<Object> {
    let mut specimens =
        vec![Object::Raw(b"plain".to_vec()), Object::Raw(b"x".repeat(300)), Object::Raw(b"-70000".to_vec())];
    for count in [1usize, 3, 200, 700] {
        let (mut list, mut ints, mut set, mut hash, mut zset) =
            (List::new(), Set::new(), Set::new(), Hash::new(), ZSet::new());
        for i in 0..count {
            list.push_back(format!("element {i}").as_bytes(), limits);
            list.push_back(i.to_string().as_bytes(), limits);
            ints.insert((i * 1_000_000).to_string().as_bytes(), limits);
            set.insert(format!("member {i}").as_bytes(), limits);
            hash.set(format!("field {i}").as_bytes(), i.to_string().as_bytes(), limits);
            zset.insert(format!("member {i}").as_bytes(), (i as f64) / 3.0 - 20.0, limits);
        }
        specimens.extend([
            list.into_object(),
            ints.into_object(),
            set.into_object(),
            hash.into_object(),
            zset.into_object(),
        ]);
    }
    let mut large = List::new();
    large.push_back(&b"large".repeat(4000), limits);
    large.push_back(b"small", limits);
    specimens.push(large.into_object());
    specimens
}

/// All of a value as text.
fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Str(StrRef::Int(value)) => value.to_string(),
        ValueRef::Str(StrRef::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::List(list) => format!("{:?}", list.iter().map(|e| e.to_vec()).collect::<Vec<_>>()),
        ValueRef::Set(set) => {
            let mut members: Vec<_> = set.iter().map(|e| e.to_vec()).collect();
            members.sort();
            format!("{members:?}")
        }
        ValueRef::Hash(hash) => {
            let mut fields: Vec<_> = hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect();
            fields.sort();
            format!("{fields:?}")
        }
        ValueRef::ZSet(set) => format!("{:?}", set.iter().map(|(m, s)| (m.to_vec(), s)).collect::<Vec<_>>()),
        ValueRef::Stream(stream) => {
            format!("{:?} {:?}", stream.log.nodes().collect::<Vec<_>>(), stream.groups.iter().collect::<Vec<_>>())
        }
    }
}

fn shown_owned(value: &OwnedValue) -> String {
    match value {
        OwnedValue::Inline(bytes) => shown(ValueRef::Str(StrRef::Bytes(bytes))),
        OwnedValue::Int(value) => shown(ValueRef::Str(StrRef::Int(*value))),
        OwnedValue::Object(object) => shown(object.as_value()),
    }
}

#[test]
fn every_form_comes_back_as_it_was() {
    let limits = Limits::default();
    for specimen in specimens(&limits) {
        for (version, compression) in [(Version::V10, true), (Version::V11, true), (Version::V11, false)] {
            let payload = dump(specimen.as_value(), version, compression);
            let value = restore(verified(&payload, true).unwrap(), &limits, &mut Mending::default()).unwrap();
            assert_eq!(shown_owned(&value), shown(specimen.as_value()));
            if let (OwnedValue::Object(back), Version::V11) = (&value, version) {
                assert_eq!(dump(back.as_value(), version, compression).len(), payload.len());
            }
        }
    }
}

#[test]
fn version_10_has_no_packed_set() {
    let mut set = Set::new();
    set.insert(b"a", &Limits::default());
    let object = set.into_object();
    assert_eq!(dump(object.as_value(), Version::V10, true)[0], super::super::code::kind::SET);
    assert_eq!(dump(object.as_value(), Version::V11, true)[0], super::super::code::kind::SET_LISTPACK);
}

#[test]
fn a_wrong_checksum_or_version_is_refused() {
    let good = dump(ValueRef::Str(StrRef::Bytes(b"value")), Version::V11, true);
    assert!(verified(&good, true).is_some());
    for at in 0..good.len() {
        assert!(verified(&good[..at], true).is_none());
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(verified(&bad, true).is_none());
    }
    let mut newer = good.clone();
    newer[good.len() - 10] = 13;
    assert!(verified(&newer, false).is_none());
}

#[test]
fn damaged_payloads_are_refused_or_give_a_value_that_works() {
    let limits = Limits::default();
    let mut random = SmallRng::seed_from_u64(11);
    let mut accepted = 0;
    for specimen in specimens(&limits) {
        for compression in [false, true] {
            let good = dump(specimen.as_value(), Version::V11, compression);
            for _ in 0..300 {
                let mut bad = good[..good.len() - 10].to_vec();
                for _ in 0..random.random_range(1..4) {
                    let at = random.random_range(0..bad.len());
                    bad[at] = random.random();
                }
                if let Ok(value) = restore(&bad, &limits, &mut Mending::allowed_if(random.random())) {
                    accepted += 1;
                    shown_owned(&value);
                }
            }
        }
    }
    assert!(accepted > 100, "the fuzz must reach past the checks, {accepted}");
}

#[test]
fn payloads_of_redis_7_0_are_read() {
    let limits = Limits::default();
    // DUMP of: SET k 10; RPUSH k 1 a; ZADD k 1.5 m.
    for (payload, expected) in [
        (&b"\x00\xc0\x0a"[..], "10"),
        (b"\x12\x01\x02\x0c\x0c\x00\x00\x00\x02\x00\x01\x01\x81\x61\x02\xff", "[[49], [97]]"),
        (b"\x11\x0f\x0f\x00\x00\x00\x02\x00\x81\x6d\x02\x83\x31\x2e\x35\x04\xff", "[([109], 1.5)]"),
    ] {
        assert_eq!(shown_owned(&restore(payload, &limits, &mut Mending::default()).unwrap()), expected);
    }
}
