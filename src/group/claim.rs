//! What two nodes tell each other of their groups before one becomes the replica of the other, and whether they may.
//!
//! Every data folder gets an id of its own at its first start, and nodes whose ids mean no more than that follow each other freely, as those of
//! Redis do. An operator who fixes the id (parameter `group-id`) gives it weight: from then on a node follows nobody of another group.
//!
//! | replica | primary | |
//! |---|---|---|
//! | not fixed | not fixed | follows, and takes over the id |
//! | not fixed | fixed | follows, and becomes a fixed member with its first synchronisation |
//! | fixed | the same id | follows |
//! | fixed | another id, fixed or not | is refused |
//! | other mode | | is refused, whatever the ids |
//!
//! Becoming a primary changes nothing. A program that knows no groups says nothing of its own, and is believed for its certificate alone.

use crate::tls::mode::TransitEncryption;

/// Hexadecimal digits of an id.
pub const ID_DIGITS: usize = 32;

/// Whether a text is an id.
pub fn is_id(text: &[u8]) -> bool {
    text.len() == ID_DIGITS && text.iter().all(u8::is_ascii_hexdigit)
}

/// What a node says of its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The group's id.
    pub id: String,
    /// Its mode, where it is told.
    pub mode: Option<TransitEncryption>,
    /// Whether the node is held to it.
    pub fixed: bool,
}

/// Why a node must not follow another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Their modes differ.
    Mode {
        /// The primary's.
        primary: TransitEncryption,
        /// The replica's.
        replica: TransitEncryption,
    },
    /// The replica is held to another group.
    Group {
        /// The primary's.
        primary: String,
        /// The replica's.
        replica: String,
    },
}

impl std::fmt::Display for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mode { primary, replica } => write!(
                f,
                "the primary's group has transit encryption {primary} and the replica's has it {replica}: make the replica a \
                 member of a group of the same mode"
            ),
            Self::Group { primary, replica } => write!(
                f,
                "the primary belongs to group {primary} and the replica is held to group {replica}: start the replica in an \
                 empty data folder, with group-id {primary} or none, or give it a primary of its own group"
            ),
        }
    }
}

impl Claim {
    /// Whether a node that claims this may follow `primary`.
    pub fn may_follow(&self, primary: &Self) -> Result<(), Stranger> {
        if let (Some(replica), Some(primary)) = (self.mode, primary.mode)
            && replica != primary
        {
            return Err(Stranger::Mode { primary, replica });
        }
        if self.fixed && !self.id.eq_ignore_ascii_case(&primary.id) {
            return Err(Stranger::Group { primary: primary.id.clone(), replica: self.id.clone() });
        }
        Ok(())
    }

    /// What a primary answers to a replica that may follow it.
    pub fn answer(&self) -> String {
        format!("GROUP {} {}", self.id, if self.fixed { "fixed" } else { "open" })
    }

    /// Reads such an answer.
    pub fn parse_answer(text: &[u8]) -> Option<Self> {
        let mut words = text.split(|byte| *byte == b' ');
        if words.next() != Some(b"GROUP") {
            return None;
        }
        let id = words.next().filter(|id| is_id(id))?;
        let fixed = words.next()? == b"fixed";
        Some(Self { id: String::from_utf8_lossy(id).into_owned(), mode: None, fixed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(id: &str, mode: TransitEncryption, fixed: bool) -> Claim {
        Claim { id: id.repeat(ID_DIGITS), mode: Some(mode), fixed }
    }

    #[test]
    fn only_a_fixed_id_and_the_mode_count() {
        use TransitEncryption::{Off, On};
        let cases = [
            (claim("a", On, false), claim("b", On, false), true),
            (claim("a", On, false), claim("b", On, true), true),
            (claim("a", On, true), claim("a", On, true), true),
            (claim("a", On, true), claim("A", On, false), true),
            (claim("a", On, true), claim("b", On, true), false),
            (claim("a", On, true), claim("b", On, false), false),
            (claim("a", On, false), claim("a", Off, false), false),
        ];
        for (replica, primary, expected) in cases {
            let judged = replica.may_follow(&primary);
            assert_eq!(judged.is_ok(), expected, "{replica:?} {primary:?}");
            if let Err(stranger) = judged {
                assert!(
                    stranger.to_string().contains("make the replica")
                        || stranger.to_string().contains("start the replica")
                );
            }
        }
    }

    #[test]
    fn answers_read_back() {
        for fixed in [true, false] {
            let claim = Claim { id: "0f".repeat(16), mode: None, fixed };
            assert_eq!(Claim::parse_answer(claim.answer().as_bytes()), Some(claim));
        }
        for bad in ["OK", "GROUP", "GROUP x fixed", "GROUP 0f", ""] {
            assert_eq!(Claim::parse_answer(bad.as_bytes()), None, "{bad}");
        }
        assert!(Claim::parse_answer(format!("GROUP {}", "0f".repeat(16)).as_bytes()).is_none());
    }
}
