//! Looking at a list: LLEN, LINDEX, LRANGE, LPOS.

use crate::base::number::parse_i64;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::range::clamp_elements;
use crate::data::list::List;
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "llen",
            arity: 2,
            flags: flags![READONLY, FAST],
            categories: Categories::LIST,
            keys: keys::FIRST_RO,
            group: Group::List,
            since: "1.0.0",
            summary: "Counts the elements of a list.",
            complexity: "O(1)",
            args: "key:key",
            ..Spec::BASE
        },
        run: llen,
    },
    Command {
        spec: Spec {
            name: "lindex",
            arity: 3,
            flags: flags![READONLY],
            categories: Categories::LIST,
            keys: keys::FIRST_READ,
            group: Group::List,
            since: "1.0.0",
            summary: "Reads one list element by position.",
            complexity: "O(N) where N is the number of elements to traverse to get to the element at index. This \
                makes asking for the first or the last element of the list O(1).",
            args: "key:key index:integer",
            ..Spec::BASE
        },
        run: lindex,
    },
    Command {
        spec: Spec {
            name: "lrange",
            arity: 4,
            flags: flags![READONLY],
            categories: Categories::LIST,
            keys: keys::FIRST_READ,
            group: Group::List,
            since: "1.0.0",
            summary: "Reads a range of list elements by position.",
            complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end \
                (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.",
            args: "key:key start:integer stop:integer",
            ..Spec::BASE
        },
        run: lrange,
    },
    Command {
        spec: Spec {
            name: "lpos",
            arity: -3,
            flags: flags![READONLY],
            categories: Categories::LIST,
            keys: keys::FIRST_READ,
            group: Group::List,
            since: "6.0.6",
            summary: "Finds at which positions of a list an element stands.",
            complexity: "O(N) where N is the number of elements in the list, for the average case. When searching for \
                elements near the head or the tail of the list, or when the MAXLEN option is provided, the command \
                may run in constant time.",
            args: "key:key element:string rank?=RANK:integer num-matches?=COUNT:integer len?=MAXLEN:integer",
            ..Spec::BASE
        },
        run: lpos,
    },
];

pub(super) fn llen(ctx: &mut Context<'_>) -> CommandResult {
    let len = ctx.keys.read::<List>(ctx.args.at(1))?.map_or(0, List::len);
    ctx.done_int(len as i64)
}

/// The position an index means, where negative ones count from the end.
pub(super) fn position(index: i64, len: usize) -> Option<usize> {
    let absolute = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(absolute).ok().filter(|position| *position < len)
}

pub(super) fn lindex(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let Some(list) = ctx.keys.read::<List>(key)? else {
        ctx.reply.null();
        return Ok(Outcome::Done);
    };
    let index = ctx.int(2)?;
    match position(index, list.len()).and_then(|position| list.get(position)) {
        Some(element) => ctx.reply.element(element),
        None => ctx.reply.null(),
    }
    Ok(Outcome::Done)
}

pub(super) fn lrange(ctx: &mut Context<'_>) -> CommandResult {
    let (start, end) = (ctx.int(2)?, ctx.int(3)?);
    let list = ctx.keys.read::<List>(ctx.args.at(1))?;
    let Some((list, range)) = list.and_then(|list| Some((list, clamp_elements(start, end, list.len())?))) else {
        ctx.reply.array(0);
        return Ok(Outcome::Done);
    };
    ctx.reply.array(range.len());
    for element in list.iter_from(range.start).take(range.len()) {
        ctx.reply.element(element);
    }
    Ok(Outcome::Done)
}

pub(super) fn lpos(ctx: &mut Context<'_>) -> CommandResult {
    let request = PositionRequest::parse(ctx)?;
    let (key, wanted) = (ctx.args.at(1), ctx.args.at(2));
    let mut found = Vec::new();
    if let Some(list) = ctx.keys.read::<List>(key)? {
        let backwards = request.rank < 0;
        let skip = request.rank.unsigned_abs() - 1;
        let limit = match request.count {
            None => 1,
            Some(0) => usize::MAX,
            Some(count) => count,
        };
        let compared = if request.max_len == 0 { usize::MAX } else { request.max_len };
        let last = list.len() - 1;
        let elements: Box<dyn Iterator<Item = _>> =
            if backwards { Box::new(list.iter_rev()) } else { Box::new(list.iter()) };
        let matches = elements.take(compared).enumerate().filter(|(_, element)| element.eq_bytes(wanted));
        let positions = matches.map(|(i, _)| if backwards { last - i } else { i });
        found.extend(positions.skip(usize::try_from(skip).unwrap_or(usize::MAX)).take(limit));
    }
    match (request.count, found.first()) {
        (None, Some(position)) => ctx.reply.count(*position),
        (None, None) => ctx.reply.null(),
        (Some(_), _) => {
            ctx.reply.array(found.len());
            for position in found {
                ctx.reply.count(position);
            }
        }
    }
    Ok(Outcome::Done)
}

struct PositionRequest {
    /// Which match counts as the first; negative from the end, never 0.
    rank: i64,
    count: Option<usize>,
    max_len: usize,
}

impl PositionRequest {
    fn parse(ctx: &Context<'_>) -> Result<Self, WireError> {
        const RANK_ZERO: WireError = WireError::fixed(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start \
             from the end of the list",
        );
        let mut request = Self { rank: 1, count: None, max_len: 0 };
        let mut index = 3;
        while index < ctx.args.len() {
            let Some(value) = ctx.args.get(index + 1) else { return Err(WireError::SYNTAX) };
            let non_negative = |what: &str| {
                let error = WireError::new(format!("ERR {what} can't be negative"));
                parse_i64(value).and_then(|v| usize::try_from(v).ok()).ok_or(error)
            };
            if ctx.args.is(index, "RANK") {
                request.rank = parse_i64(value).filter(|rank| *rank != i64::MIN).ok_or_else(|| match parse_i64(value) {
                    None => WireError::NOT_INTEGER,
                    Some(_) => WireError::fixed("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"),
                })?;
                if request.rank == 0 {
                    return Err(RANK_ZERO);
                }
            } else if ctx.args.is(index, "COUNT") {
                request.count = Some(non_negative("COUNT")?);
            } else if ctx.args.is(index, "MAXLEN") {
                request.max_len = non_negative("MAXLEN")?;
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 2;
        }
        Ok(request)
    }
}
