//! The `redis-tls` program.

#[global_allocator]
static ALLOCATOR: redis_tls::base::memory::CountingAllocator = redis_tls::base::memory::CountingAllocator;

fn main() -> std::process::ExitCode {
    redis_tls::server::main()
}
