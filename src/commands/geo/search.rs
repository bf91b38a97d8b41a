//! GEOSEARCH, GEOSEARCHSTORE.

use super::options::Form;
use super::query::run;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::engine::{Command, CommandResult, Context};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "geosearch",
            arity: -7,
            flags: flags![READONLY],
            categories: Categories::GEO,
            keys: keys::FIRST_READ,
            group: Group::Geo,
            since: "6.2.0",
            summary: "Finds members in a circle or a rectangle.",
            complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around \
                the shape provided as the filter and M is the number of items inside the shape",
            history: &[("7.0.0", "Added support for uppercase unit names.")],
            args: "key:key from:(member=FROMMEMBER:string | fromlonlat=FROMLONLAT:(longitude:double latitude:double)) \
                by:(circle:(radius=BYRADIUS:double unit:(m=M | km=KM | ft=FT | mi=MI)) | box:(width=BYBOX:double \
                height:double unit:(m=M | km=KM | ft=FT | mi=MI))) order?:(asc=ASC | desc=DESC) \
                count-block?:(count=COUNT:integer any?=ANY) withcoord?=WITHCOORD withdist?=WITHDIST \
                withhash?=WITHHASH",
            ..Spec::BASE
        },
        run: geosearch,
    },
    Command {
        spec: Spec {
            name: "geosearchstore",
            arity: -8,
            flags: flags![WRITE, DENYOOM],
            categories: Categories::GEO,
            keys: keys::STORE_READ,
            group: Group::Geo,
            since: "6.2.0",
            summary: "Finds members in a circle or a rectangle and stores them.",
            complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around \
                the shape provided as the filter and M is the number of items inside the shape",
            history: &[("7.0.0", "Added support for uppercase unit names.")],
            args: "destination:key source:key#1 \
                from:(member=FROMMEMBER:string | fromlonlat=FROMLONLAT:(longitude:double latitude:double)) \
                by:(circle:(radius=BYRADIUS:double unit:(m=M | km=KM | ft=FT | mi=MI)) | box:(width=BYBOX:double \
                height:double unit:(m=M | km=KM | ft=FT | mi=MI))) order?:(asc=ASC | desc=DESC) \
                count-block?:(count=COUNT:integer any?=ANY) storedist?=STOREDIST",
            ..Spec::BASE
        },
        run: geosearchstore,
    },
];

pub(super) fn geosearch(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, Form::Search)
}

pub(super) fn geosearchstore(ctx: &mut Context<'_>) -> CommandResult {
    run(ctx, Form::SearchStore)
}
