//! What a replica says to its primary before the stream begins, answer by answer.
//!
//! First a PING, which any server that can be talked to answers; then, in one go, who the replica is; and once all of that has
//! been answered the request itself. A primary that does not know PSYNC is asked with SYNC. Nodes of ours tell each other in between
//! which group they belong to, see [`crate::group::claim`]; another program does not know the question, and is then trusted by its
//! certificate alone.

use std::collections::VecDeque;

use crate::group::claim::Claim;
use crate::persistence::aof::record;
use crate::tls::mode::TransitEncryption;

use super::id::{ReplOffset, ReplicationId};

/// What a replica has to say of itself.
#[derive(Clone, Debug, Default)]
pub struct Introduction {
    /// User and password, where the primary asks for one; the default user's without a name.
    pub credentials: Option<(Vec<u8>, Vec<u8>)>,
    /// The port on which the replica serves clients.
    pub port: u16,
    /// The address under which it wants to be known.
    pub address: Option<String>,
    /// The group it is a member of.
    pub group: Option<Claim>,
    /// Where its copy stands, if it has one.
    pub position: Option<(ReplicationId, ReplOffset)>,
    /// Whether the primary is to hand over its role.
    pub failover: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Ping,
    Auth,
    Port,
    Address,
    Capabilities,
    Group,
    Psync,
}

/// How the primary begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// With a copy of everything; a primary that was asked with SYNC does not say where it stands.
    Full(Option<(ReplicationId, ReplOffset)>),
    /// With what the replica has not seen yet; the history may have got another id.
    Continue(Option<ReplicationId>),
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another answer.
    Wait,
    /// These bytes are sent, then answers.
    Send(Vec<u8>),
    /// The stream, or a snapshot in front of it.
    Begin(Sync),
    /// SYNC is sent; the snapshot follows without another word.
    BeginOld(Vec<u8>),
    /// Nothing: the connection is closed. The text says why.
    GiveUp(String),
    /// The same, since the two are of different groups.
    Stranger(String),
    /// Nothing now: the primary cannot do it yet, and will later.
    Later(String),
}

/// One line of an answer, without its end.
pub type Answer<'a> = &'a [u8];

/// The replica's half of the conversation.
pub struct Handshake {
    introduction: Introduction,
    open: VecDeque<Question>,
    notes: Vec<String>,
    primary_group: Option<Claim>,
}

impl Handshake {
    /// Begins: the bytes to send first.
    pub fn begin(introduction: Introduction) -> (Self, Vec<u8>) {
        let open = VecDeque::from([Question::Ping]);
        let handshake = Self { introduction, open, notes: Vec::new(), primary_group: None };
        (handshake, command(&[b"PING"]))
    }

    /// What the primary did not understand, which does no harm.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// The group that the primary has told.
    pub fn primary_group(&self) -> Option<&Claim> {
        self.primary_group.as_ref()
    }

    /// Whether the request itself has been made, so that waiting may take longer.
    pub fn has_asked(&self) -> bool {
        self.open.front() == Some(&Question::Psync)
    }

    /// Takes in one line.
    pub fn answer(&mut self, line: Answer<'_>) -> Next {
        let text = || String::from_utf8_lossy(line).into_owned();
        let refused = line.first() == Some(&b'-');
        let Some(question) = self.open.front().copied() else { return Next::Wait };
        if question == Question::Psync {
            return self.begin_with(line);
        }
        self.open.pop_front();
        match question {
            Question::Ping => {
                let reachable = [&b"+"[..], b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted"];
                if !reachable.iter().any(|start| line.starts_with(start)) {
                    return Next::GiveUp(format!("Error reply to PING from master: '{}'", text()));
                }
                return Next::Send(self.introduce());
            }
            Question::Auth if refused => return Next::GiveUp(format!("Unable to AUTH to MASTER: {}", text())),
            Question::Group => {
                if let Some(why) = line.strip_prefix(b"-GROUP ") {
                    return Next::Stranger(String::from_utf8_lossy(why).into_owned());
                }
                self.primary_group = line.strip_prefix(b"+").and_then(Claim::parse_answer);
                let judged = self.introduction.group.as_ref().zip(self.primary_group.as_ref());
                if let Some(Err(stranger)) = judged.map(|(own, primary)| own.may_follow(primary)) {
                    return Next::Stranger(stranger.to_string());
                }
            }
            Question::Port => self.note(refused, "listening-port", &text()),
            Question::Address => self.note(refused, "ip-address", &text()),
            Question::Capabilities => self.note(refused, "capa", &text()),
            Question::Auth | Question::Psync => {}
        }
        if self.open.is_empty() { Next::Send(self.request()) } else { Next::Wait }
    }

    fn note(&mut self, refused: bool, option: &str, answer: &str) {
        if refused {
            self.notes.push(format!("(Non critical) Master does not understand REPLCONF {option}: {answer}"));
        }
    }

    fn introduce(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut say = |question, words: &[&[u8]]| {
            self.open.push_back(question);
            out.extend_from_slice(&command(words));
        };
        match &self.introduction.credentials {
            Some((user, password)) if user.is_empty() => say(Question::Auth, &[b"AUTH", password]),
            Some((user, password)) => say(Question::Auth, &[b"AUTH", user, password]),
            None => {}
        }
        if let Some(group) = &self.introduction.group {
            let fixed = if group.fixed { &b"yes"[..] } else { b"no" };
            let mut words: Vec<&[u8]> = vec![b"REPLCONF", b"group-id", group.id.as_bytes(), b"group-fixed", fixed];
            if let Some(mode) = group.mode {
                words.extend([&b"transit-encryption"[..], if mode == TransitEncryption::On { b"on" } else { b"off" }]);
            }
            say(Question::Group, &words);
        }
        let port = self.introduction.port.to_string();
        say(Question::Port, &[b"REPLCONF", b"listening-port", port.as_bytes()]);
        if let Some(address) = &self.introduction.address {
            say(Question::Address, &[b"REPLCONF", b"ip-address", address.as_bytes()]);
        }
        say(Question::Capabilities, &[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]);
        out
    }

    fn request(&mut self) -> Vec<u8> {
        self.open.push_back(Question::Psync);
        let position = self.introduction.position;
        let (id, wanted) = match &position {
            Some((id, offset)) => (id.as_str(), offset.request().to_string()),
            None => ("?", "-1".to_owned()),
        };
        let mut words: Vec<&[u8]> = vec![b"PSYNC", id.as_bytes(), wanted.as_bytes()];
        if self.introduction.failover {
            words.push(b"FAILOVER");
        }
        command(&words)
    }

    /// The answer to the request itself. Empty lines keep the connection alive.
    fn begin_with(&mut self, line: Answer<'_>) -> Next {
        let text = String::from_utf8_lossy(line);
        if line.is_empty() {
            return Next::Wait;
        }
        if let Some(rest) = line.strip_prefix(b"+FULLRESYNC") {
            let mut words = rest.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
            let id = words.next().and_then(ReplicationId::parse);
            let offset = words.next().and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
            return match (id, offset) {
                (Some(id), Some(offset)) => Next::Begin(Sync::Full(Some((id, ReplOffset(offset))))),
                _ => Next::GiveUp("Master replied with wrong +FULLRESYNC syntax.".into()),
            };
        }
        if let Some(rest) = line.strip_prefix(b"+CONTINUE") {
            return match self.introduction.position {
                Some(_) => Next::Begin(Sync::Continue(ReplicationId::parse(rest.trim_ascii()))),
                None => Next::GiveUp("Master goes on with a stream that was not asked for.".into()),
            };
        }
        if line.starts_with(b"-NOMASTERLINK") || line.starts_with(b"-LOADING") {
            return Next::Later(format!("Master is currently unable to PSYNC but should be in the future: {text}"));
        }
        self.notes.push(if line.starts_with(b"-ERR") {
            format!("Master does not support PSYNC or is in error state (reply: {text})")
        } else {
            format!("Unexpected reply to PSYNC from master: {text}")
        });
        self.open.clear();
        Next::BeginOld(b"SYNC\r\n".to_vec())
    }
}

/// A request as it is sent.
fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    record::command(&mut out, words.iter().copied());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(next: Next) -> String {
        let Next::Send(bytes) = next else { panic!("{next:?}") };
        String::from_utf8(bytes).unwrap().replace("\r\n", " ")
    }

    #[test]
    fn a_replica_introduces_itself_and_asks() {
        let id = ReplicationId::random();
        let introduction = Introduction {
            credentials: Some((b"me".to_vec(), b"secret".to_vec())),
            port: 7000,
            position: Some((id, ReplOffset(41))),
            ..Introduction::default()
        };
        let (mut handshake, first) = Handshake::begin(introduction);
        assert_eq!(first, b"*1\r\n$4\r\nPING\r\n");
        let text = sent(handshake.answer(b"-NOAUTH Authentication required."));
        assert!(text.starts_with("*3 $4 AUTH $2 me $6 secret *3 $8 REPLCONF $14 listening-port $4 7000"), "{text}");
        assert_eq!(handshake.answer(b"+OK"), Next::Wait);
        assert_eq!(handshake.answer(b"-ERR what"), Next::Wait);
        assert_eq!(sent(handshake.answer(b"+OK")), format!("*3 $5 PSYNC $40 {id} $2 42 "));
        assert_eq!(handshake.take_notes().len(), 1);
        assert_eq!(handshake.answer(b""), Next::Wait);
        let other = ReplicationId::random();
        assert_eq!(handshake.answer(format!("+CONTINUE {other}").as_bytes()), Next::Begin(Sync::Continue(Some(other))));
    }

    #[test]
    fn answers_to_the_request() {
        let asked = |answer: &[u8]| {
            let (mut handshake, _) = Handshake::begin(Introduction::default());
            handshake.answer(b"+PONG");
            handshake.answer(b"+OK");
            assert_eq!(sent(handshake.answer(b"+OK")), "*3 $5 PSYNC $1 ? $2 -1 ");
            handshake.answer(answer)
        };
        let id = ReplicationId::random();
        let full = Next::Begin(Sync::Full(Some((id, ReplOffset(9)))));
        assert_eq!(asked(format!("+FULLRESYNC {id} 9").as_bytes()), full);
        for bad in ["+FULLRESYNC", "+FULLRESYNC x 1", "+CONTINUE"] {
            assert!(matches!(asked(bad.as_bytes()), Next::GiveUp(_)), "{bad}");
        }
        assert!(matches!(asked(b"-NOMASTERLINK x"), Next::Later(_)));
        assert_eq!(asked(b"-ERR unknown command"), Next::BeginOld(b"SYNC\r\n".to_vec()));
    }

    #[test]
    fn whoever_is_refused_gives_up() {
        let (mut handshake, _) = Handshake::begin(Introduction::default());
        assert!(matches!(handshake.answer(b"-LOADING x"), Next::GiveUp(_)));
    }

    #[test]
    fn members_of_other_groups_part() {
        let claim = |id: &str, fixed| Claim { id: id.repeat(32), mode: Some(TransitEncryption::On), fixed };
        let answered = |fixed, answer: &str| {
            let group = Some(claim("a", fixed));
            let (mut handshake, _) = Handshake::begin(Introduction { group, ..Introduction::default() });
            let text = sent(handshake.answer(b"+PONG"));
            assert!(text.contains("group-id") && text.contains("transit-encryption $2 on"), "{text}");
            let next = handshake.answer(answer.as_bytes());
            (next, handshake.primary_group().cloned())
        };
        let (own, other) = (claim("a", true).answer(), claim("b", true).answer());
        let told = |id: &str| Some(Claim { mode: None, ..claim(id, true) });
        assert_eq!(answered(true, &format!("+{own}")), (Next::Wait, told("a")));
        assert_eq!(answered(false, &format!("+{other}")), (Next::Wait, told("b")));
        assert!(matches!(answered(true, &format!("+{other}")).0, Next::Stranger(_)));
        assert_eq!(answered(false, "-GROUP no").0, Next::Stranger("no".into()));
        assert_eq!(answered(true, "-ERR Unrecognized REPLCONF option: group-id"), (Next::Wait, None), "a real Redis");
    }
}
