//! What to do about a value from outside that is off, but leaves no doubt about what it holds: a count that does not fit what was counted,
//! an order that is none, an element that comes twice.
//!
//! Redis takes such values unless `sanitize-dump-payload` says otherwise, so data that it has served for years may hold them. Taken as they
//! are they would break what this server relies on. They are put right where that is allowed, and refused where it is not.

use super::malformed::Malformed;

/// Whether values may be put right, and what was. By default they may not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mending {
    allowed: bool,
    mended: Option<Malformed>,
}

impl Mending {
    /// Values are put right, or refused.
    pub fn allowed_if(allowed: bool) -> Self {
        Self { allowed, mended: None }
    }

    /// Something is about to be put right; an error where that is not allowed.
    pub fn mend(&mut self, what: Malformed) -> Result<(), Malformed> {
        if !self.allowed {
            return Err(what);
        }
        self.mended.get_or_insert(what);
        Ok(())
    }

    /// What was put right first since the last call.
    pub fn take_mended(&mut self) -> Option<Malformed> {
        self.mended.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Element;
    use crate::data::hash::Hash;
    use crate::data::intset::Intset;
    use crate::data::limits::Limits;
    use crate::data::listpack::Listpack;
    use crate::data::set::Set;
    use crate::data::zset::ZSet;

    fn pack(elements: &[&str]) -> Listpack {
        let mut pack = Listpack::new();
        elements.iter().for_each(|element| pack.push_back(element.as_bytes()));
        pack
    }

    fn text(element: Element<'_>) -> String {
        String::from_utf8(element.to_vec()).unwrap()
    }

    /// What is read, as text; an error where it is refused.
    type Read = fn(&mut Mending) -> Result<String, Malformed>;

    const OFF: &[(&str, Read)] = &[
        ("3 4", |mending| {
            let mut bytes = pack(&["3", "4"]).as_bytes().to_vec();
            bytes[4] = 9;
            let pack = Listpack::from_bytes(bytes, mending)?;
            assert_eq!(Listpack::from_bytes_validated(pack.as_bytes().to_vec()), Ok(pack.clone()));
            Ok(pack.iter().map(text).collect::<Vec<_>>().join(" "))
        }),
        ("[-2, 1, 7]", |mending| {
            let bytes = [2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 1, 0, 7, 0, 0xfe, 0xff];
            let set = Intset::from_bytes(bytes.to_vec(), mending)?;
            Ok(format!("{:?}", set.iter().collect::<Vec<_>>()))
        }),
        ("a=1 b=2", |mending| {
            let hash = Hash::from_pack(pack(&["a", "1", "b", "2", "a", "3"]), &Limits::default(), mending)?;
            assert_eq!(hash.len(), 2);
            Ok(hash.iter().map(|(f, v)| format!("{}={}", text(f), text(v))).collect::<Vec<_>>().join(" "))
        }),
        ("a b", |mending| {
            let set = Set::from_pack(pack(&["a", "b", "a"]), &Limits::default(), mending)?;
            let mut members: Vec<_> = set.iter().map(text).collect();
            members.sort();
            Ok(members.join(" "))
        }),
        ("a1 b2", |mending| {
            let set = ZSet::from_pack(pack(&["a", "1", "b", "2", "a", "3"]), &Limits::default(), mending)?;
            Ok(set.iter().map(|(member, score)| format!("{}{score}", text(member))).collect::<Vec<_>>().join(" "))
        }),
    ];

    #[test]
    fn what_is_off_is_put_right_where_that_is_allowed_and_refused_where_not() {
        for (expected, read) in OFF {
            assert!(read(&mut Mending::default()).is_err(), "{expected}");
            let mut mending = Mending::allowed_if(true);
            assert_eq!(read(&mut mending).as_deref(), Ok(*expected));
            assert!(mending.take_mended().is_some() && mending.take_mended().is_none(), "{expected}");
        }
    }

    #[test]
    fn what_leaves_doubt_is_refused_whatever_is_allowed() {
        let mut mending = Mending::allowed_if(true);
        assert!(Hash::from_pack(pack(&["a", "1", "b"]), &Limits::default(), &mut mending).is_err());
        assert!(ZSet::from_pack(pack(&["a", "not a number"]), &Limits::default(), &mut mending).is_err());
        assert!(Intset::from_bytes(vec![2, 0, 0, 0, 2, 0, 0, 0, 7, 0], &mut mending).is_err());
        assert_eq!(mending.take_mended(), None);
    }
}
