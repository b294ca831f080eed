//! What a running engine cannot change.
use config::ServerSettings;
use engine::{Listener, MediaSettings, Settings};
use std::path::PathBuf;
use std::time::Duration;

/// As it was at the start; of the files, not of the command line.
#[derive(Clone, Debug)]
pub struct Fixed {
    listeners: Vec<Listener>,
    realm: String,
    product: String,
    ports: (u16, u16),
    port_rest: Duration,
    threads: usize,
    calls: u32,
    control: PathBuf,
    store: PathBuf,
    log: (String, bool),
}

impl Fixed {
    pub fn of(settings: &Settings, server: &ServerSettings) -> Fixed {
        let MediaSettings { ports, port_rest, threads, .. } = settings.media;
        // A copy of an installation lies elsewhere and means the same.
        let within = |path: &PathBuf| path.strip_prefix(&server.root).unwrap_or(path).to_owned();
        Fixed {
            listeners: settings.sip.listeners.clone(),
            realm: settings.sip.realm.clone(),
            product: settings.sip.product.clone(),
            ports,
            port_rest,
            threads,
            calls: settings.limits.calls,
            control: within(&server.control),
            store: within(&server.store),
            log: (server.log.clone(), server.log_json),
        }
    }

    /// The error names every key that would take a restart.
    pub fn holds(
        &self,
        settings: &Settings,
        server: &ServerSettings,
        listen_given: bool,
    ) -> Result<(), String> {
        let new = Fixed::of(settings, server);
        let changed: Vec<&str> = [
            ("[engine] listen or advertise", !listen_given && self.listeners != new.listeners),
            ("[engine] realm", self.realm != new.realm),
            ("[engine] name", self.product != new.product),
            ("[engine] calls_max", self.calls != new.calls),
            ("[engine] control", self.control != new.control),
            ("[engine] store", self.store != new.store),
            ("[media] ports", self.ports != new.ports),
            ("[media] port_rest", self.port_rest != new.port_rest),
            ("[media] threads", self.threads != new.threads),
            ("[log]", self.log != new.log),
        ]
        .into_iter()
        .filter_map(|(key, changed)| changed.then_some(key))
        .collect();
        if changed.is_empty() {
            return Ok(());
        }
        Err(format!(
            "restart needed: a running engine cannot change {}\n  help: nothing was taken over; restart `hotline`, or \
             put it back as it was and reload",
            changed.join(", ")
        ))
    }
}
