//! The bytes of FUNCTION DUMP: as in a snapshot file, an opcode and the text for each library, and at the end the format's
//! version and a checksum.
//!
//! ```text
//! 245 text … | version, 2 bytes | CRC-64
//! ```

use crate::base::crc64::crc64;
use crate::persistence::rdb::Version;
use crate::persistence::rdb::code::opcode;
use crate::persistence::rdb::payload::verified;
use crate::persistence::rdb::read::Reader;
use crate::persistence::rdb::write::Writer;
use crate::resp::WireError;

/// The dump of some libraries.
pub(super) fn write<'a>(sources: impl Iterator<Item = &'a [u8]>, version: Version, compression: bool) -> Vec<u8> {
    let mut writer = Writer::new(compression);
    for source in sources {
        writer.byte(opcode::FUNCTION_2);
        writer.string(source);
    }
    let mut payload = writer.out;
    payload.extend_from_slice(&version.number().to_le_bytes());
    let checksum = crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// The libraries of a dump.
pub(super) fn read(payload: &[u8]) -> Result<Vec<Vec<u8>>, WireError> {
    const WRONG: WireError = WireError::fixed("ERR DUMP payload version or checksum are wrong");
    const UNREADABLE: WireError = WireError::fixed("ERR failed loading the given functions payload");
    let libraries = verified(payload, true).ok_or(WRONG)?;
    let mut reader = Reader::with_buffer(libraries, false, libraries.len());
    let mut sources = Vec::new();
    while reader.offset() < libraries.len() as u64 {
        match reader.byte().map_err(|_| UNREADABLE)? {
            opcode::FUNCTION_2 => sources.push(reader.string().map_err(|_| UNREADABLE)?),
            opcode::FUNCTION_OLD => return Err(WireError::fixed("ERR Pre-GA function format not supported")),
            _ => return Err(WireError::fixed("ERR given type is not a function")),
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let long = vec![b'a'; 500];
        let sources: [&[u8]; 2] = [b"#!lua name=a\n", &long];
        for compression in [false, true] {
            let payload = write(sources.into_iter(), Version::V11, compression);
            assert_eq!(read(&payload).unwrap(), sources);
            for end in 0..payload.len() {
                assert!(read(&payload[..end]).is_err());
            }
            let mut broken = payload.clone();
            broken[3] ^= 1;
            assert!(read(&broken).is_err());
        }
        assert_eq!(read(b"bad_payload").unwrap_err().text(), "ERR DUMP payload version or checksum are wrong");
    }
}
