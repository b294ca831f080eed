//! `[media]`: where audio flows.
use super::{Install, LONGEST, secs, set};
use crate::read::{Table, Value};
use engine::Listener;
use sip::Transport;
use std::net::{IpAddr, SocketAddr};

/// The ports that Linux gives to outgoing connections by default.
const EPHEMERAL: (u16, u16) = (32768, 60999);

impl<'a> Install<'a> {
    pub(super) fn media(&mut self, media: Table<'a>) {
        if let Some(value) = media.get("address")
            && let Some(text) = value.text()
        {
            match text.parse::<IpAddr>() {
                Ok(ip) => self.media.address = Some(ip),
                Err(_) => value.error_help(
                    "bad-address",
                    format!("`address` is no IP address: \"{}\"", crate::shorten(text)),
                    "write it as \"192.0.2.10\" or \"2001:db8::10\"".to_owned(),
                ),
            }
        }
        if let Some(value) = media.get("ports")
            && let Some(ports) = port_range(value)
        {
            self.media.ports = ports;
        }
        if let Some(value) = media.get("codecs") {
            let mut codecs = vec![];
            for entry in value.list().unwrap_or_default() {
                let codec = match entry.text() {
                    None => continue,
                    Some("pcma") => sdp::Codec::Pcma,
                    Some("pcmu") => sdp::Codec::Pcmu,
                    Some(other) => {
                        let what = format!("no codec is called `{}`", crate::shorten(other));
                        entry.error_help("unknown-codec", what, "known: `pcma`, `pcmu`".to_owned());
                        continue;
                    }
                };
                if codecs.contains(&codec) {
                    entry.error("duplicate", "this codec is given twice");
                } else {
                    codecs.push(codec);
                }
            }
            if value.list().is_some_and(|l| l.is_empty()) {
                value.error("empty", "`codecs` is empty: no call could be answered");
            }
            if !codecs.is_empty() {
                self.media.codecs = codecs;
            }
        }
        if let Some(value) = media.get("no_media_after") {
            if value.as_text() == Some("never") {
                self.media.no_media_after = None;
            } else if let Some(after) = value.duration(secs(1)..=LONGEST) {
                self.media.no_media_after = Some(after);
            }
        }
        set(&mut self.media.port_rest, media.get("port_rest").and_then(|v| v.duration(secs(0)..=secs(3600))));
        set(&mut self.media.threads, media.get("threads").and_then(|v| v.count(0..=1024)));
        media.done();
    }

    /// Phones must be told an address to send audio to; "every address" is none.
    pub(super) fn check_addresses(&self, file: &Table<'a>) {
        let told = |l: &Listener| {
            let host = l
                .advertised
                .as_deref()
                .map(|a| a.parse::<SocketAddr>().map_or(a.parse().ok(), |a| Some(a.ip())));
            self.media.address.or(host.flatten()).unwrap_or(l.address.ip())
        };
        if self.listeners.iter().any(|l| told(l).is_unspecified()) {
            let at = file.table("engine").and_then(|e| e.get("listen")).map_or(file.at(), |v| v.at());
            file.findings.error_help(
                at,
                "no-media-address",
                "`listen` takes every address, and nothing says to which one phones send audio",
                "write [media] `address = \"192.0.2.10\"`, or an address as `advertise`".to_owned(),
            );
        }
    }

    pub(super) fn check_ports(&self, file: &Table<'a>) {
        let at = file.table("media").and_then(|m| m.get("ports")).map_or(file.at(), |v| v.at());
        let (first, last) = self.media.ports;
        let pairs = (u32::from(last) - u32::from(first)).div_ceil(2);
        let calls = self.limits.calls;
        if pairs < calls {
            file.findings.error_help(
                at,
                "few-ports",
                format!("ports {first}-{last} are {pairs} pairs: too few for calls_max = {calls}"),
                format!(
                    "each call takes a pair, and another while it talks to an agent: {} ports",
                    4 * calls
                ),
            );
        } else if pairs < calls.saturating_mul(2) {
            file.findings.warning(
                at,
                "few-ports",
                format!(
                    "ports {first}-{last} are {pairs} pairs: calls_max = {calls} with an agent each need {}",
                    calls * 2
                ),
                None,
            );
        }
        if first <= EPHEMERAL.1 && last >= EPHEMERAL.0 {
            file.findings.warning(
                at,
                "ephemeral-ports",
                format!(
                    "ports {first}-{last} overlap those that the system gives to others ({}-{})",
                    EPHEMERAL.0, EPHEMERAL.1
                ),
                "stay below 32768, or change net.ipv4.ip_local_port_range".to_owned(),
            );
        }
        for listener in self.listeners.iter().filter(|l| l.transport == Transport::Udp) {
            let port = listener.address.port();
            if (first..=last).contains(&port) {
                file.findings.error(
                    at,
                    "port-conflict",
                    format!("ports {first}-{last} contain the SIP port {port}"),
                );
            }
        }
    }
}

fn port_range(value: Value<'_>) -> Option<(u16, u16)> {
    const FORM: &str = "write the first and the last port, as \"10000-29999\"";
    let text = value.text()?;
    let parsed =
        text.split_once('-').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    let Some((first, last)) = parsed else {
        value.error_help(
            "bad-ports",
            format!("`ports` is no range: \"{}\"", crate::shorten(text)),
            FORM.to_owned(),
        );
        return None;
    };
    if first < 1024 || last <= first {
        value.error_help(
            "bad-ports",
            format!("`ports` cannot be \"{text}\": it must rise, from 1024 at least"),
            FORM.to_owned(),
        );
        return None;
    }
    if first % 2 == 1 {
        value.error_help(
            "bad-ports",
            format!("`ports` begins with the odd port {first}: RTP takes an even port, RTCP the next one"),
            format!("begin with {}", first + 1),
        );
        return None;
    }
    if last % 2 == 0 {
        value.error_help(
            "bad-ports",
            format!("`ports` ends with the even port {last}, which has no odd one beside it for RTCP"),
            format!("end with {}", last - 1),
        );
        return None;
    }
    Some((first, last))
}
