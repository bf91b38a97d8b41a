//! LOLWUT: a picture, and the version.
//!
//! The picture is the walk that OpenSSH draws of a key's fingerprint (D. Loss, T. Limmer, A. von Gernler, "The drunken bishop", 2009),
//! here of the run id: every start of the server has its own.

use crate::base::number::parse_i64;
use crate::catalog::{Group, Spec, flags};
use crate::config::REDIS_VERSION;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "lolwut",
        arity: -1,
        flags: flags![READONLY, FAST],
        group: Group::Server,
        since: "5.0.0",
        summary: "Draws a picture and names the version.",
        args: "version?=VERSION:integer",
        ..Spec::BASE
    },
    run: lolwut,
}];

const WIDTH: usize = 33;
const HEIGHT: usize = 13;
/// What a field looks like by the number of visits; the last one also stands for more.
const MARKS: &[u8] = b" .o+=*BOX@%&#/^";

pub(super) fn lolwut(ctx: &mut Context<'_>) -> CommandResult {
    let version = match (ctx.args.is(1, "version"), ctx.args.get(2)) {
        (true, Some(version)) => parse_i64(version).ok_or(WireError::NOT_INTEGER)?,
        (true, None) => 0,
        (false, _) => i64::from(u8::MAX),
    };
    let mut text = String::new();
    // The versions before 5 had no picture.
    if version >= 5 {
        text.push_str(&picture(ctx.engine.run_id.as_bytes()));
    }
    text.push_str(&format!("Redis ver. {REDIS_VERSION}\n"));
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// The walk that the bits of `seed` describe, in a frame.
fn picture(seed: &[u8]) -> String {
    let mut visits = [[0usize; WIDTH]; HEIGHT];
    let start = (WIDTH / 2, HEIGHT / 2);
    let (mut x, mut y) = start;
    for byte in seed {
        for pair in [byte & 3, byte >> 2 & 3, byte >> 4 & 3, byte >> 6] {
            x = if pair & 1 == 0 { x.saturating_sub(1) } else { (x + 1).min(WIDTH - 1) };
            y = if pair & 2 == 0 { y.saturating_sub(1) } else { (y + 1).min(HEIGHT - 1) };
            visits[y][x] += 1;
        }
    }
    let edge = format!("+{}+\n", "-".repeat(WIDTH));
    let mut text = edge.clone();
    for (row, line) in visits.iter().enumerate() {
        text.push('|');
        for (column, count) in line.iter().enumerate() {
            text.push(match (column, row) {
                place if place == start => 'S',
                place if place == (x, y) => 'E',
                _ => char::from(MARKS[(*count).min(MARKS.len() - 1)]),
            });
        }
        text.push_str("|\n");
    }
    text + &edge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_depends_on_its_seed_and_fits_its_frame() {
        let (one, two) = (picture(b"0123456789abcdef"), picture(b"fedcba9876543210"));
        assert_ne!(one, two);
        assert_eq!(one, picture(b"0123456789abcdef"));
        for line in one.lines() {
            assert_eq!(line.chars().count(), WIDTH + 2);
        }
        assert_eq!(one.lines().count(), HEIGHT + 2);
    }
}
