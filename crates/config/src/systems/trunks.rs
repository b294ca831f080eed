//! `[trunk.NAME]`: ways to numbers outside.
use super::Trunk;
use crate::read::{Table, Value};
use sip::Transport;
use std::net::SocketAddr;

/// As flows see it, and as the engine does.
pub(super) fn read(table: Table<'_>) -> Option<(Trunk, engine::Trunk)> {
    let address = table.need("address", FORM).and_then(|value| address(&value));
    let from = table.need("from", "say which number calls show: `from = \"4009508888\"`");
    let from = from.and_then(|value| {
        let number = value.word()?;
        let fits = number.chars().all(|c| c.is_ascii_digit() || "*#+".contains(c)) && number.len() <= 32;
        if !fits {
            let what = format!("`from` is no telephone number: \"{}\"", crate::shorten(number));
            value.error_help("bad-number", what, "write digits, with a `+` before if wanted".to_owned());
        }
        fits.then_some(number)
    });
    let numbers = table.get("numbers").map(|value| pattern(&value));
    if numbers.is_none() {
        table.findings.warning(
            table.at(),
            "open-trunk",
            format!("{} dials any number, however dear", table.title),
            "say which: `numbers = \"0[1-9].|1[3-9]xxxxxxxxx\"`".to_owned(),
        );
    }
    let limit = table.get("limit").and_then(|v| v.count(1..=100_000));
    table.done();
    let (transport, address) = address?;
    let numbers = match numbers {
        Some(pattern) => Some(pattern?),
        None => None,
    };
    let for_engine =
        engine::Trunk { transport, address, from: from?.into(), numbers: numbers.clone(), limit };
    Some((Trunk { address, numbers }, for_engine))
}

const FORM: &str = "write transport:address:port, as \"udp:192.0.2.1:5060\"";

fn address(value: &Value<'_>) -> Option<(Transport, SocketAddr)> {
    let text = value.text()?;
    let parsed = text.split_once(':').and_then(|(transport, address)| {
        let transport = match transport {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => return None,
        };
        let address: SocketAddr = address.parse().ok()?;
        (!address.ip().is_unspecified() && address.port() > 0).then_some((transport, address))
    });
    if parsed.is_none() {
        let what = format!("no trunk is reached at \"{}\"", crate::shorten(text));
        value.error_help("bad-address", what, FORM.to_owned());
    }
    parsed
}

fn pattern(value: &Value<'_>) -> Option<ivr::Pattern> {
    match ivr::Pattern::parse(value.text()?) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            value.findings.error_help(value.inside(error.at), "bad-pattern", error.what, error.help);
            None
        }
    }
}
