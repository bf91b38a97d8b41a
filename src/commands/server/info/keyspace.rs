//! INFO's section on databases.

use super::text::Text;
use crate::engine::Context;

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let keyspace = &ctx.engine.keyspace;
    text.section("Keyspace");
    for db in keyspace.indices().filter(|db| keyspace.is_built(*db)) {
        let database = keyspace.database(db);
        if database.is_empty() {
            continue;
        }
        text.field(
            format_args!("db{}", db.0),
            format_args!(
                "keys={},expires={},avg_ttl={}",
                database.len(),
                database.volatile_len(),
                database.average_ttl_ms(ctx.now())
            ),
        );
    }
}
