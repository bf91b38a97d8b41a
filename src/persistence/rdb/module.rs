//! Data of modules, which this server has none of: naming what is there, and stepping over it where only a check is wanted.

use std::io::Read;

use super::code::module;
use super::error::RdbError;
use super::read::Reader;

/// The name of a module type, from the number that stands for it: nine characters of six bits, and ten bits of a version.
pub fn type_name(id: u64) -> String {
    const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..9).rev().map(|place| char::from(CHARACTERS[(id >> (10 + 6 * place)) as usize & 0x3f])).collect()
}

/// Steps over the parts of a value, whose number is read already.
pub fn skip<R: Read>(reader: &mut Reader<R>) -> Result<(), RdbError> {
    loop {
        match reader.length()? {
            module::EOF => return Ok(()),
            module::SINT | module::UINT => {
                reader.length()?;
            }
            module::FLOAT => {
                reader.array::<4>()?;
            }
            module::DOUBLE => {
                reader.double()?;
            }
            module::STRING => {
                reader.string()?;
            }
            _ => return Err(RdbError::Corrupt("unknown part of a module's value")),
        }
    }
}
