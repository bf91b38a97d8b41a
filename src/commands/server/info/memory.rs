//! INFO's section on memory.

use super::super::memory_overhead::{ALLOCATOR, Overhead};
use super::text::Text;
use crate::base::memory::total_system_memory;
use crate::config::values::Choice;
use crate::engine::Context;

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let overhead = Overhead::take(ctx.engine);
    let memory = &ctx.settings.memory;
    let process = &overhead.process;
    text.section("Memory");
    text.bytes_and_human("used_memory", overhead.used);
    text.bytes_and_human("used_memory_rss", process.rss);
    text.bytes_and_human("used_memory_peak", overhead.peak);
    text.percent("used_memory_peak_perc", overhead.peak_percent());
    text.field("used_memory_overhead", overhead.total());
    text.field("used_memory_startup", overhead.startup);
    text.field("used_memory_dataset", overhead.dataset());
    text.percent("used_memory_dataset_perc", overhead.dataset_percent());
    text.field("allocator_allocated", process.allocated);
    text.field("allocator_active", process.active);
    text.field("allocator_resident", process.resident);
    text.bytes_and_human("total_system_memory", total_system_memory());
    scripts(ctx, text);
    text.bytes_and_human("maxmemory", memory.maxmemory);
    text.field("maxmemory_policy", memory.maxmemory_policy.name());
    text.decimal("allocator_frag_ratio", overhead.fragmentation().ratio);
    text.field("allocator_frag_bytes", overhead.fragmentation().bytes);
    text.decimal("allocator_rss_ratio", overhead.retained().ratio);
    text.field("allocator_rss_bytes", overhead.retained().bytes);
    text.decimal("rss_overhead_ratio", overhead.beyond_allocator().ratio);
    text.field("rss_overhead_bytes", overhead.beyond_allocator().bytes);
    text.decimal("mem_fragmentation_ratio", overhead.overall().ratio);
    text.field("mem_fragmentation_bytes", overhead.overall().bytes);
    text.field("mem_not_counted_for_evict", overhead.used.saturating_sub(ctx.engine.counted_memory()));
    text.field("mem_replication_backlog", overhead.backlog);
    text.field("mem_total_replication_buffers", overhead.backlog + ctx.engine.feed.excess_bytes());
    text.field("mem_clients_slaves", overhead.clients_replicas);
    text.field("mem_clients_normal", overhead.clients_normal);
    text.field("mem_cluster_links", 0);
    text.field("mem_aof_buffer", ctx.engine.aof_buffer_bytes());
    text.field("mem_allocator", ALLOCATOR);
    text.field("active_defrag_running", 0);
    text.field("lazyfree_pending_objects", ctx.engine.reclaimer.pending());
    text.field("lazyfreed_objects", ctx.engine.reclaimer.freed());
}

/// Scripts and functions: their interpreters, and what is cached and loaded.
fn scripts(ctx: &Context<'_>, text: &mut Text) {
    let scripts = ctx.engine.scripts.figures();
    let libraries = ctx.engine.libraries.figures();
    let functions_vm = ctx.engine.libraries.interpreter_bytes();
    let vms = scripts.interpreter_bytes + functions_vm;
    text.all(&["used_memory_lua", "used_memory_vm_eval"], scripts.interpreter_bytes);
    text.human("used_memory_lua", scripts.interpreter_bytes as u64);
    text.field("used_memory_scripts_eval", scripts.script_bytes);
    text.field("number_of_cached_scripts", scripts.count);
    text.field("number_of_functions", libraries.functions);
    text.field("number_of_libraries", libraries.libraries);
    text.field("used_memory_vm_functions", functions_vm);
    text.field("used_memory_vm_total", vms);
    text.human("used_memory_vm_total", vms as u64);
    text.field("used_memory_functions", libraries.library_bytes);
    text.bytes_and_human("used_memory_scripts", (scripts.script_bytes + libraries.library_bytes) as u64);
}
