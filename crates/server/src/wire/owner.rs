use super::Transport;
use std::fs;
use std::net::SocketAddr;

/// Processes looked at, at most: this only improves a message.
const PROCESSES_MAX: usize = 4096;

/// The process that has the port: "pid 123 (asterisk)". None when the system does not say (another
/// system than Linux, another user's process).
pub fn of(transport: Transport, address: SocketAddr) -> Option<String> {
    let table = match (transport, address.is_ipv4()) {
        (Transport::Udp, true) => "/proc/net/udp",
        (Transport::Udp, false) => "/proc/net/udp6",
        (Transport::Tcp, true) => "/proc/net/tcp",
        (Transport::Tcp, false) => "/proc/net/tcp6",
    };
    let inode = inode_of(&fs::read_to_string(table).ok()?, transport, address.port())?;
    let wanted = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten().take(PROCESSES_MAX) {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(open) = fs::read_dir(process.path().join("fd")) else { continue };
        if open.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str()))
        {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("pid {pid} ({})", name.trim()));
        }
    }
    None
}

/// The socket in `/proc/net/udp` or `tcp` that is bound (tcp: listening) on this port.
fn inode_of(table: &str, transport: Transport, port: u16) -> Option<u64> {
    const LISTENING: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (_, local_port) = fields.next()?.rsplit_once(':')?;
        let state = fields.nth(1)?;
        let bound = transport == Transport::Udp || state == LISTENING;
        let inode = fields.nth(5)?.parse().ok()?;
        (bound && u16::from_str_radix(local_port, 16) == Ok(port)).then_some(inode)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_this_very_process() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let owner = of(Transport::Udp, socket.local_addr().unwrap()).unwrap();
        assert!(owner.starts_with(&format!("pid {} (", std::process::id())), "{owner}");
        let free = socket.local_addr().unwrap();
        drop(socket);
        assert_eq!(of(Transport::Udp, free), None);
    }
}
