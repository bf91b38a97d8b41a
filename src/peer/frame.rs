//! One reply at the start of what has arrived.
//!
//! The codec takes stack for every array within another and makes room for as many elements as are announced. What comes from another
//! server may be anything, so a reply is measured first: only one that is whole and not deeply nested is decoded.

use std::io;

use redis_protocol::resp2::decode::decode;
use redis_protocol::resp2::types::OwnedFrame;

/// Arrays within one another; no command that is called here answers with as many.
const MAX_NESTING: usize = 16;
/// A longer string is none.
const MAX_BULK_BYTES: u64 = 4 << 30;
/// A longer line is none.
const MAX_LINE_BYTES: usize = 64 << 10;

/// Decodes the reply at the start of `input`, with its length; `None` while it is not whole.
pub fn first_frame(input: &[u8]) -> io::Result<Option<(OwnedFrame, usize)>> {
    match measure(input)? {
        Some(length) => decode(&input[..length]).map_err(io::Error::other),
        None => Ok(None),
    }
}

/// The bytes of the reply at the start of `input`; `None` while it is not whole.
fn measure(input: &[u8]) -> io::Result<Option<usize>> {
    // For each array that has begun, the replies still missing of it.
    let mut missing = smallvec::SmallVec::<[u64; MAX_NESTING]>::new();
    let mut at = 0;
    loop {
        let rest = &input[at..];
        let Some(end) = rest.iter().take(MAX_LINE_BYTES).position(|byte| *byte == b'\n') else {
            return if rest.len() < MAX_LINE_BYTES { Ok(None) } else { Err(io::Error::other("a line without an end")) };
        };
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        at += end + 1;
        let length =
            line.get(1..).and_then(crate::base::number::parse_i64).and_then(|length| u64::try_from(length).ok());
        match (line.first(), length) {
            (Some(b'$'), Some(length)) if length > MAX_BULK_BYTES => {
                return Err(io::Error::other("a reply of impossible length"));
            }
            (Some(b'$'), Some(length)) => {
                at += length as usize + 2;
                if at > input.len() {
                    return Ok(None);
                }
            }
            (Some(b'*'), Some(length @ 1..)) => {
                if missing.len() == MAX_NESTING {
                    return Err(io::Error::other("a reply of too many arrays within one another"));
                }
                missing.push(length);
                continue;
            }
            _ => {}
        }
        // One reply more, and maybe the last one of the arrays around it.
        while let Some(left) = missing.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            missing.pop();
        }
        if missing.is_empty() {
            return Ok(Some(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_measured_as_it_is_decoded() {
        for reply in
            ["+OK\r\n", "$3\r\na\nb\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", ":5\r\n", "*2\r\n*1\r\n$0\r\n\r\n+x\r\n"]
        {
            let bytes = [reply.as_bytes(), b"+next\r\n"].concat();
            let (frame, length) = first_frame(&bytes).unwrap().unwrap();
            assert_eq!((Some((frame, length)), length), (decode(&bytes).unwrap(), reply.len()), "{reply}");
            for cut in 0..reply.len() {
                assert_eq!(first_frame(&bytes[..cut]).unwrap(), None, "{reply} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_a_hostile_server_answers_is_refused() {
        for reply in [
            "*1\r\n".repeat(200_000),
            "*9999999\r\n".repeat(20),
            "$9223372036854775807\r\n".into(),
            "x".repeat(100_000),
        ] {
            assert!(first_frame(reply.as_bytes()).is_err(), "{}", &reply[..20]);
        }
        assert_eq!(first_frame(b"*999999999999\r\n$4294967296\r\nabc").unwrap(), None);
    }
}
