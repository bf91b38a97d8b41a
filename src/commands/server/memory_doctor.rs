//! MEMORY DOCTOR: what is remarkable in the figures of memory, as a pure function of them.

use super::memory_overhead::Overhead;

/// With less in use than this, ratios say nothing.
const TOO_SMALL: u64 = 5 << 20;
/// Bytes that are too few to care about, whatever the ratio.
const NEGLIGIBLE: i64 = 10 << 20;
/// Bytes of buffers that are much for one client.
const LARGE_CLIENT: u64 = 200 << 10;

/// What there is to say.
pub(super) fn report(overhead: &Overhead, clients: u64) -> String {
    if overhead.used < TOO_SMALL {
        return "This server uses so little memory that its figures say nothing yet. Ask again once there is data.\n"
            .into();
    }
    let findings = findings(overhead, clients);
    if findings.is_empty() {
        return "Nothing remarkable: memory is used for data, and the allocator keeps little beside.\n".into();
    }
    let mut text = String::from("Remarkable:\n\n");
    for finding in findings {
        text.push_str("- ");
        text.push_str(&finding);
        text.push('\n');
    }
    text
}

fn findings(overhead: &Overhead, clients: u64) -> Vec<String> {
    let mut findings = Vec::new();
    if overhead.peak as f64 > overhead.used as f64 * 1.5 {
        findings.push(format!(
            "Peak: {} bytes have been in use, {} are now. The pages of the difference may still be resident, and are used again \
             before new ones are taken.",
            overhead.peak, overhead.used
        ));
    }
    let mut gap = |gap: super::memory_overhead::Gap, above: f64, text: &str| {
        if gap.ratio > above && gap.bytes > NEGLIGIBLE {
            findings.push(format!("{text} ({:.2} times, {} bytes.)", gap.ratio, gap.bytes));
        }
    };
    gap(
        overhead.overall(),
        1.4,
        "Resident: the process holds far more memory than it uses. The lines below say whether the allocator does so; what is left \
         are code, stacks, and memory of libraries.",
    );
    gap(
        overhead.fragmentation(),
        1.1,
        "Fragmentation: values of many sizes have come and gone, so that pages are used in part only. A restart packs them anew.",
    );
    gap(
        overhead.retained(),
        1.1,
        "Retained: the allocator keeps pages that it does not use. It gives them back as they age; MEMORY PURGE asks for it now.",
    );
    gap(
        overhead.beyond_allocator(),
        1.1,
        "Beyond the allocator: memory is resident that the allocator does not know of.",
    );
    if overhead.clients_normal / clients.max(1) > LARGE_CLIENT {
        findings.push(format!(
            "Clients: the buffers of {clients} clients take {} bytes. CLIENT LIST shows whose (omem, qbuf); client-output-buffer-limit \
             and maxmemory-clients bound them.",
            overhead.clients_normal
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::memory::MemoryFigures;

    fn overhead(used: u64, peak: u64, rss: u64) -> Overhead {
        let process = MemoryFigures { allocated: used, active: used, resident: used, rss };
        Overhead {
            used,
            peak,
            startup: 0,
            backlog: 0,
            clients_replicas: 0,
            clients_normal: 0,
            databases: Vec::new(),
            process,
            keys: 0,
        }
    }

    #[test]
    fn each_finding_appears_when_it_is_due() {
        const MB: u64 = 1 << 20;
        assert!(report(&overhead(MB, MB, MB), 1).contains("so little memory"));
        assert!(report(&overhead(100 * MB, 100 * MB, 101 * MB), 1).starts_with("Nothing remarkable"));
        assert!(report(&overhead(100 * MB, 200 * MB, 101 * MB), 1).contains("Peak"));
        let resident = report(&overhead(100 * MB, 100 * MB, 200 * MB), 1);
        assert!(resident.contains("Resident") && resident.contains("Beyond the allocator"));
        let clients = Overhead { clients_normal: 50 * MB, ..overhead(100 * MB, 100 * MB, 100 * MB) };
        assert!(report(&clients, 10).contains("Clients"));
        assert!(!report(&clients, 1000).contains("Clients"));
    }
}
