//! The older searches: GEORADIUS, GEORADIUSBYMEMBER, and both without STORE.

use super::options::Form;
use super::query::run;
use crate::catalog::{Categories, Deprecated, Group, KeyFinder, Spec, flags, keys};
use crate::catalog::{KeyFlags, KeySpec};
use crate::engine::{Command, CommandResult, Context};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "georadius",
            arity: -6,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::GEO,
            keys: &[
                KeySpec::index(1, KeyFlags::READ),
                KeySpec::keyword("STORE", 6, KeyFlags::STORE),
                KeySpec::keyword("STOREDIST", 6, KeyFlags::STORE),
            ],
            finder: KeyFinder::GeoRadius,
            group: Group::Geo,
            since: "3.2.0",
            summary: "Finds members near a point, and stores them if asked.",
            complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area \
                delimited by center and radius and M is the number of items inside the index.",
            history: &[
                ("6.2.0", "Added the `ANY` option for `COUNT`."),
                ("7.0.0", "Added support for uppercase unit names."),
            ],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
            }),
            args: "key:key longitude:double latitude:double radius:double unit:(m=M | km=KM | ft=FT | mi=MI) \
                withcoord?=WITHCOORD withdist?=WITHDIST withhash?=WITHHASH \
                count-block?:(count=COUNT:integer any?=ANY@6.2.0) order?:(asc=ASC | desc=DESC) \
                store?:(storekey<key>=STORE:key#1 | storedistkey<key>=STOREDIST:key#2)",
            ..Spec::BASE
        },
        run: georadius,
    },
    Command {
        spec: Spec {
            name: "georadius_ro",
            arity: -6,
            flags: flags![READONLY],
            categories: Categories::GEO,
            keys: keys::FIRST_READ,
            group: Group::Geo,
            since: "3.2.10",
            summary: "Finds members near a point.",
            complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area \
                delimited by center and radius and M is the number of items inside the index.",
            history: &[("6.2.0", "Added the `ANY` option for `COUNT`.")],
            deprecated: Some(Deprecated { since: "6.2.0", replaced_by: "`GEOSEARCH` with the `BYRADIUS` argument" }),
            args: "key:key longitude:double latitude:double radius:double unit:(m=M | km=KM | ft=FT | mi=MI) \
                withcoord?=WITHCOORD withdist?=WITHDIST withhash?=WITHHASH \
                count-block?:(count=COUNT:integer any?=ANY@6.2.0) order?:(asc=ASC | desc=DESC)",
            ..Spec::BASE
        },
        run: georadius_ro,
    },
    Command {
        spec: Spec {
            name: "georadiusbymember",
            arity: -5,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::GEO,
            keys: &[
                KeySpec::index(1, KeyFlags::READ),
                KeySpec::keyword("STORE", 5, KeyFlags::STORE),
                KeySpec::keyword("STOREDIST", 5, KeyFlags::STORE),
            ],
            finder: KeyFinder::GeoRadius,
            group: Group::Geo,
            since: "3.2.0",
            summary: "Finds members near another member, and stores them if asked.",
            complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area \
                delimited by center and radius and M is the number of items inside the index.",
            history: &[("7.0.0", "Added support for uppercase unit names.")],
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
            }),
            args: "key:key member:string radius:double unit:(m=M | km=KM | ft=FT | mi=MI) withcoord?=WITHCOORD \
                withdist?=WITHDIST withhash?=WITHHASH count-block?:(count=COUNT:integer any?=ANY) \
                order?:(asc=ASC | desc=DESC) store?:(storekey<key>=STORE:key#1 | storedistkey<key>=STOREDIST:key#2)",
            ..Spec::BASE
        },
        run: georadiusbymember,
    },
    Command {
        spec: Spec {
            name: "georadiusbymember_ro",
            arity: -5,
            flags: flags![READONLY],
            categories: Categories::GEO,
            keys: keys::FIRST_READ,
            group: Group::Geo,
            since: "3.2.10",
            summary: "Finds members near another member.",
            complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area \
                delimited by center and radius and M is the number of items inside the index.",
            deprecated: Some(Deprecated {
                since: "6.2.0",
                replaced_by: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
            }),
            args: "key:key member:string radius:double unit:(m=M | km=KM | ft=FT | mi=MI) withcoord?=WITHCOORD \
                withdist?=WITHDIST withhash?=WITHHASH count-block?:(count=COUNT:integer any?=ANY) \
                order?:(asc=ASC | desc=DESC)",
            ..Spec::BASE
        },
        run: georadiusbymember_ro,
    },
];

pub(super) fn georadius(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, Form::Radius { by_member: false, stores: true })
}

pub(super) fn georadius_ro(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, Form::Radius { by_member: false, stores: false })
}

pub(super) fn georadiusbymember(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, Form::Radius { by_member: true, stores: true })
}

pub(super) fn georadiusbymember_ro(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, Form::Radius { by_member: true, stores: false })
}
