//! Floor 0: what has nothing to do with Redis. Clock, glob, number formats, checksum, compression, quoted words, files, the allocator,
//! progress, panics and crash reports, a queue of bytes, hints to the processor.

pub mod allocator_control;
pub mod byte_queue;
pub mod clock;
pub mod crash_report;
pub mod crc64;
pub mod disk;
pub mod glob;
pub mod long_double;
pub mod lzf;
pub mod memory;
pub mod number;
pub mod panic;
pub mod prefetch;
pub mod process;
pub mod progress;
pub mod quoting;
pub mod release;
pub mod replace_file;
pub mod system_text;
