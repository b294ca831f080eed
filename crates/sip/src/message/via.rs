//! Via (RFC 3261 20.42, RFC 3581).
use super::address::Params;
use super::{lex, uri};
use std::net::IpAddr;

/// One Via value.
#[derive(Clone, Copy, Default, Debug)]
pub struct Via<'a> {
    /// The whole value as written.
    pub text: &'a [u8],
    /// `UDP`, `TCP`, `TLS`, or whatever stands there.
    pub transport: &'a [u8],
    /// IPv6 with its brackets.
    pub host: &'a [u8],
    pub port: Option<u16>,
    pub params: Params<'a>,
    pub branch: Option<&'a [u8]>,
    /// Host text of `received`.
    pub received: Option<&'a [u8]>,
    pub maddr: Option<&'a [u8]>,
    /// The port that was filled in.
    pub rport: Option<u16>,
    /// `rport` is there, with or without a value.
    pub rport_asked: bool,
}

impl<'a> Via<'a> {
    /// One value, already split out of its list.
    pub fn parse(text: &'a [u8]) -> Result<Via<'a>, &'static str> {
        let text = lex::trim(text);
        let (name, rest) = lex::split_once(text, b'/').ok_or("Via without a protocol")?;
        let (version, rest) = lex::split_once(rest, b'/').ok_or("Via without a transport")?;
        if !lex::trim(name).eq_ignore_ascii_case(b"SIP") || lex::trim(version) != b"2.0" {
            return Err("Via of another protocol");
        }
        let rest = lex::trim_start(rest);
        let end = rest.iter().position(|&b| !lex::is_token(b)).unwrap_or(rest.len());
        let (transport, rest) = rest.split_at(end);
        if transport.is_empty() || !rest.first().copied().is_some_and(lex::is_lws) {
            return Err("Via without a transport");
        }
        let (sent_by, params) = match lex::split_once(rest, b';') {
            Some((sent_by, params)) => (sent_by, Some(params)),
            None => (rest, None),
        };
        let (host, port) = uri::host_port(lex::trim(sent_by))?;
        let mut via = Via { text, transport, host, port, ..Via::default() };
        let Some(params) = params else { return Ok(via) };
        via.params = Params::checked(params, |param| {
            if param.name.eq_ignore_ascii_case(b"branch") {
                if via.branch.is_some() {
                    return Err("Via with two branches");
                }
                via.branch = param.value.filter(|b| !b.is_empty());
            } else if param.name.eq_ignore_ascii_case(b"received") {
                via.received = param.value;
            } else if param.name.eq_ignore_ascii_case(b"maddr") {
                via.maddr = param.value;
            } else if param.name.eq_ignore_ascii_case(b"rport") {
                via.rport_asked = true;
                via.rport = param.value.and_then(lex::port);
            }
            Ok(())
        })?;
        Ok(via)
    }

    /// The host, when it is an address.
    pub fn ip(&self) -> Option<IpAddr> {
        uri::host_ip(self.host)
    }

    /// `received`, when it is an address (RFC 5118 4.5: with or without brackets).
    pub fn received_ip(&self) -> Option<IpAddr> {
        self.received.and_then(uri::host_ip)
    }

    /// The branch of RFC 3261 17: it starts with the magic cookie and has something behind it.
    pub fn rfc3261_branch(&self) -> Option<&'a [u8]> {
        const COOKIE: usize = b"z9hG4bK".len();
        self.branch.filter(|b| b.len() > COOKIE && b[..COOKIE].eq_ignore_ascii_case(b"z9hG4bK"))
    }
}
