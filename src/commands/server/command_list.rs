//! COMMAND LIST: names of commands, all or those that fit a filter.

use crate::base::glob;
use crate::catalog::Categories;
use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "command|list",
        arity: -2,
        flags: flags![LOADING, STALE, SENTINEL],
        categories: Categories::CONNECTION,
        group: Group::Server,
        since: "7.0.0",
        summary: "Lists command names, filtered if asked.",
        complexity: "O(N) where N is the total number of Redis commands",
        tips: &["nondeterministic_output_order"],
        args: "filterby?=FILTERBY:(module-name=MODULE:string | category=ACLCAT:string | pattern=PATTERN:pattern)",
        ..Spec::BASE
    },
    run: command_list,
}];

/// Which commands to list.
enum Filter<'a> {
    All,
    /// Those of a module: there are no modules.
    Module,
    /// Those of an ACL category; `None` is one that does not exist.
    Category(Option<Categories>),
    /// Those whose name is like a pattern.
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    fn parse(ctx: &Context<'a>) -> Result<Self, WireError> {
        let args = ctx.args;
        match args.len() {
            2 => Ok(Self::All),
            5 if args.is(2, "filterby") && args.is(3, "module") => Ok(Self::Module),
            5 if args.is(2, "filterby") && args.is(3, "aclcat") => Ok(Self::Category(Categories::named(args.at(4)))),
            5 if args.is(2, "filterby") && args.is(3, "pattern") => Ok(Self::Pattern(args.at(4))),
            _ => ctx.syntax(),
        }
    }

    fn admits(&self, command: &Command) -> bool {
        match self {
            Self::All => true,
            Self::Module => false,
            Self::Category(category) => category.is_some_and(|one| command.spec.all_categories().contains(one)),
            Self::Pattern(pattern) => glob::matches_nocase(pattern, command.spec.name.as_bytes()),
        }
    }
}

pub(super) fn command_list(ctx: &mut Context<'_>) -> CommandResult {
    let filter = Filter::parse(ctx)?;
    let names = ctx.engine.table.offered().filter(|command| filter.admits(command)).map(|command| command.spec.name);
    ctx.reply.array(names.clone().count());
    for name in names {
        ctx.reply.bulk(name.as_bytes());
    }
    Ok(Outcome::Done)
}
