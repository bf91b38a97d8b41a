//! SORT and SORT_RO.
//!
//! BY and GET patterns name keys that are not arguments, so both commands run with the whole keyspace to themselves.

use crate::catalog::{KeyFinder, Spec, categories, flags};
use crate::catalog::{KeyFlags, KeySpec};
use std::borrow::Cow;
use std::cmp::Ordering;

use crate::base::number::parse_f64_lenient;
use crate::data::hash::Hash;
use crate::data::list::List;
use crate::data::zset::ZSet;
use crate::engine::{Command, CommandResult, Context, EventClass, Outcome};
use crate::keyspace::ValueRef;
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "sort",
            arity: -2,
            flags: flags![WRITE, DENYOOM, EXCLUSIVE],
            categories: categories![SET, SORTEDSET, LIST, DANGEROUS],
            keys: &[
                KeySpec::index(1, KeyFlags::READ),
                KeySpec {
                    notes: "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from \
                        the content of the key we sort",
                    ..KeySpec::unknown(KeyFlags::READ)
                },
                KeySpec {
                    notes: "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear \
                        anywhere in the argument array",
                    ..KeySpec::unknown(KeyFlags::STORE)
                },
            ],
            finder: KeyFinder::Sort,
            since: "1.0.0",
            summary: "Orders a list, set or sorted set, and stores the result if asked.",
            complexity: "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number \
                of returned elements. When the elements are not sorted, complexity is O(N).",
            args: "key:key by-pattern<pattern>?=BY:pattern#1 limit?=LIMIT:(offset:integer count:integer) \
                get-pattern<pattern>?+=GET:pattern#1 order?:(asc=ASC | desc=DESC) sorting?=ALPHA \
                destination?=STORE:key#2",
            ..Spec::BASE
        },
        run: sort,
    },
    Command {
        spec: Spec {
            name: "sort_ro",
            arity: -2,
            flags: flags![READONLY, EXCLUSIVE],
            categories: categories![SET, SORTEDSET, LIST, DANGEROUS],
            keys: &[
                KeySpec::index(1, KeyFlags::READ),
                KeySpec {
                    notes: "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from \
                        the content of the key we sort",
                    ..KeySpec::unknown(KeyFlags::READ)
                },
            ],
            since: "7.0.0",
            summary: "Orders a list, set or sorted set without storing anything.",
            complexity: "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number \
                of returned elements. When the elements are not sorted, complexity is O(N).",
            args: "key:key by-pattern<pattern>?=BY:pattern#1 limit?=LIMIT:(offset:integer count:integer) \
                get-pattern<pattern>?+=GET:pattern#1 order?:(asc=ASC | desc=DESC) sorting?=ALPHA",
            ..Spec::BASE
        },
        run: sort_ro,
    },
];

const BY_DENIED: WireError = WireError::fixed("ERR BY option of SORT denied due to insufficient ACL permissions.");
const GET_DENIED: WireError = WireError::fixed("ERR GET option of SORT denied due to insufficient ACL permissions.");

struct Request<'a> {
    descending: bool,
    alphabetic: bool,
    limit: Option<(i64, i64)>,
    by: Option<&'a [u8]>,
    get: Vec<&'a [u8]>,
    store: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    fn parse(ctx: &Context<'a>, may_store: bool) -> Result<Self, WireError> {
        let mut request =
            Self { descending: false, alphabetic: false, limit: None, by: None, get: Vec::new(), store: None };
        let args = ctx.args;
        let mut index = 2;
        while index < args.len() {
            let left = args.len() - index - 1;
            if args.is(index, "ASC") {
                request.descending = false;
            } else if args.is(index, "DESC") {
                request.descending = true;
            } else if args.is(index, "ALPHA") {
                request.alphabetic = true;
            } else if args.is(index, "LIMIT") && left >= 2 {
                request.limit = Some((ctx.int(index + 1)?, ctx.int(index + 2)?));
                index += 2;
            } else if may_store && args.is(index, "STORE") && left >= 1 {
                request.store = Some(args.at(index + 1));
                index += 1;
            } else if args.is(index, "BY") && left >= 1 {
                let pattern = args.at(index + 1);
                if pattern.contains(&b'*') && !ctx.may_read_all_keys() {
                    return Err(BY_DENIED);
                }
                request.by = Some(pattern);
                index += 1;
            } else if args.is(index, "GET") && left >= 1 {
                if !ctx.may_read_all_keys() {
                    return Err(GET_DENIED);
                }
                request.get.push(args.at(index + 1));
                index += 1;
            } else {
                return Err(WireError::SYNTAX);
            }
            index += 1;
        }
        Ok(request)
    }

    /// How many values an element makes.
    fn per_element(&self) -> usize {
        self.get.len().max(1)
    }

    /// The element, or what a GET pattern makes of it.
    fn value<'v>(&self, ctx: &Context<'_>, item: &'v Item, index: usize) -> Option<Cow<'v, [u8]>> {
        match self.get.get(index).copied() {
            None | Some(b"#") => Some(Cow::Borrowed(&item.element)),
            Some(pattern) => lookup(ctx, pattern, &item.element).map(Cow::Owned),
        }
    }
}

/// An element with what it is sorted by.
struct Item {
    element: Vec<u8>,
    number: f64,
    text: Option<Vec<u8>>,
}

pub(super) fn sort(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, true)
}

pub(super) fn sort_ro(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, false)
}

fn run(ctx: &mut Context<'_>, may_store: bool) -> CommandResult {
    let request = Request::parse(ctx, may_store)?;
    let (elements, is_set, is_ordered) = elements(ctx)?;
    if is_ordered && let Some(set) = ctx.keys.write::<ZSet>(ctx.args.at(1))? {
        // As in Redis, where a sorted set that has been sorted once keeps its large form.
        set.become_table();
    }
    // A pattern without a star is the same for all elements: nothing to sort by.
    let mut by = request.by;
    let mut unsorted = by.is_some_and(|pattern| !pattern.contains(&b'*'));
    // What would be stored or seen by a script from a set must come in a definite order.
    let must_be_definite = is_set && (request.store.is_some() || ctx.session.in_script);
    if unsorted && must_be_definite {
        (unsorted, by) = (false, None);
    }
    let alphabetic = request.alphabetic || (must_be_definite && request.by.is_some() && by.is_none());
    let mut elements = elements;
    if unsorted && is_ordered && request.descending {
        elements.reverse();
    }
    let mut items: Vec<Item> = Vec::with_capacity(elements.len());
    for element in elements {
        items.push(if unsorted {
            Item { element, number: 0.0, text: None }
        } else {
            weigh(ctx, element, by, alphabetic)?
        });
    }
    if !unsorted {
        items.sort_by(|a, b| {
            let order = compare(a, b, alphabetic, by.is_some());
            if request.descending { order.reverse() } else { order }
        });
    }
    let range = window(request.limit, items.len());
    let Some(target) = request.store else {
        reply(ctx, &request, &items[range]);
        return Ok(Outcome::Done);
    };
    let mut output = Vec::new();
    for item in &items[range] {
        output.extend((0..request.per_element()).map(|index| request.value(ctx, item, index)));
    }
    store(ctx, target, &output)
}

/// Writes the values one by one: few elements and many patterns can be much.
fn reply(ctx: &mut Context<'_>, request: &Request<'_>, items: &[Item]) {
    ctx.reply.array(items.len().saturating_mul(request.per_element()));
    for item in items {
        for index in 0..request.per_element() {
            if ctx.reply.is_futile() {
                return;
            }
            let value = request.value(ctx, item, index);
            ctx.reply.bulk_or_null(value.as_deref());
        }
    }
}

/// The elements of the value, whether it is a set, and whether it has an order of its own to keep.
fn elements(ctx: &Context<'_>) -> Result<(Vec<Vec<u8>>, bool, bool), WireError> {
    Ok(match ctx.keys.get(ctx.args.at(1)) {
        None => (Vec::new(), false, false),
        Some(ValueRef::List(list)) => (list.iter().map(|e| e.to_vec()).collect(), false, false),
        Some(ValueRef::Set(set)) => (set.iter().map(|e| e.to_vec()).collect(), true, false),
        Some(ValueRef::ZSet(set)) => (set.iter().map(|(e, _)| e.to_vec()).collect(), false, true),
        Some(_) => return Err(WireError::WRONG_TYPE),
    })
}

fn weigh(ctx: &Context<'_>, element: Vec<u8>, by: Option<&[u8]>, alphabetic: bool) -> Result<Item, WireError> {
    let weight = match by {
        Some(pattern) => lookup(ctx, pattern, &element),
        None => Some(element.clone()),
    };
    if alphabetic {
        return Ok(Item { element, number: 0.0, text: weight });
    }
    const NOT_DOUBLE: WireError = WireError::fixed("ERR One or more scores can't be converted into double");
    let number = weight.map_or(Ok(0.0), |weight| parse_f64_lenient(&weight).ok_or(NOT_DOUBLE))?;
    Ok(Item { element, number, text: None })
}

fn compare(a: &Item, b: &Item, alphabetic: bool, by: bool) -> Ordering {
    let order =
        if alphabetic { a.text.cmp(&b.text) } else { a.number.partial_cmp(&b.number).unwrap_or(Ordering::Equal) };
    // Ties are settled by the element, so that the result is the same everywhere.
    if alphabetic && by { order } else { order.then_with(|| a.element.cmp(&b.element)) }
}

fn window(limit: Option<(i64, i64)>, len: usize) -> std::ops::Range<usize> {
    let Some((offset, count)) = limit else { return 0..len };
    let start = usize::try_from(offset.max(0)).unwrap_or(len).min(len);
    let end = if count < 0 { len } else { start.saturating_add(count as usize).min(len) };
    start..end
}

/// The string at the key (or `key->field`) that a pattern names for an element.
fn lookup(ctx: &Context<'_>, pattern: &[u8], element: &[u8]) -> Option<Vec<u8>> {
    let star = pattern.iter().position(|b| *b == b'*')?;
    let arrow = pattern[star + 1..].windows(2).position(|w| w == b"->").map(|at| star + 1 + at);
    // An arrow at the very end names no field.
    let (key_end, field) = match arrow {
        Some(at) if at + 2 < pattern.len() => (at, Some(&pattern[at + 2..])),
        _ => (pattern.len(), None),
    };
    let key = [&pattern[..star], element, &pattern[star + 1..key_end]].concat();
    match (ctx.keys.peek(&key)?.value(), field) {
        (ValueRef::Str(string), None) => Some(string.to_cow().into_owned()),
        (ValueRef::Hash(hash), Some(field)) => Hash::get(hash, field).map(|value| value.to_vec()),
        _ => None,
    }
}

fn store(ctx: &mut Context<'_>, target: &[u8], output: &[Option<Cow<'_, [u8]>>]) -> CommandResult {
    let limits = ctx.limits();
    if output.is_empty() {
        if ctx.keys.remove(target).is_some() {
            ctx.change.dirty(1);
            ctx.changed(EventClass::GENERIC, "del", target);
        }
        return ctx.done_int(0);
    }
    let mut list = List::new();
    for value in output {
        list.push_back(value.as_deref().unwrap_or_default(), limits);
    }
    ctx.keys.set_container(target, list);
    ctx.change.dirty(output.len());
    ctx.changed(EventClass::LIST, "sortstore", target);
    ctx.done_int(output.len() as i64)
}
