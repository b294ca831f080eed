//! A challenge that we met as a client, and the credentials made for it (RFC 3261 22).
use super::Credentials;
use crate::digest;
use crate::message::{Message, Name};

#[derive(Debug)]
pub(super) struct Challenge {
    value: Box<[u8]>,
    proxy: bool,
    /// Credentials made so far: the nonce count.
    used: u32,
    pub stale: bool,
}

impl Challenge {
    /// The strongest challenge of a 401 or 407 that we can meet.
    pub fn of(response: &Message<'_>) -> Option<Challenge> {
        let proxy = response.code() == 407;
        let name = if proxy { Name::ProxyAuthenticate } else { Name::WwwAuthenticate };
        response
            .lines(name)
            .filter_map(|value| digest::Challenge::parse(value).ok().map(|c| (value, c)))
            .max_by_key(|(_, c)| c.algorithm)
            .map(|(value, c)| Challenge { value: value.into(), proxy, used: 0, stale: c.stale })
    }

    /// The header with our credentials for a request.
    pub fn answer(
        &mut self,
        who: &Credentials,
        method: &str,
        uri: &str,
        cnonce: &str,
    ) -> Option<(&'static str, String)> {
        let challenge = digest::Challenge::parse(&self.value).ok()?;
        self.used += 1;
        let value = challenge.answer(&who.user, &who.password, method, uri, self.used, cnonce);
        Some((if self.proxy { "Proxy-Authorization" } else { "Authorization" }, value))
    }
}
