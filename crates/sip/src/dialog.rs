//! Dialogs: RFC 3261 12. What two user agents agree on so that requests find their way between them.
use crate::endpoint::{Hop, Transport};
use crate::message::{Builder, ContactValue, Message, Method, Name, NameAddr, Uri};
use std::net::SocketAddr;

#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    pub call_id: Box<[u8]>,
    /// Our From, their To, without tags.
    pub local: Box<[u8]>,
    pub remote: Box<[u8]>,
    pub local_tag: Box<str>,
    /// Empty: a peer of RFC 2543, or nobody answered yet.
    pub remote_tag: Box<[u8]>,
    pub local_seq: u32,
    pub remote_seq: Option<u32>,
    /// Where requests are addressed to: the Contact of the peer.
    pub target: Box<[u8]>,
    /// In the order that our requests visit them.
    pub routes: Vec<Box<[u8]>>,
    pub hop: Hop,
    /// Our Contact, with its brackets.
    pub contact: Box<str>,
}

/// How a request's CSeq stands to what came before (RFC 3261 12.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Next,
    Late,
}

impl Dialog {
    /// The side that was called: 12.1.1.
    pub fn called(request: &Message<'_>, local_tag: Box<str>, contact: Box<str>, source: Hop) -> Dialog {
        let routes = record_routes(request);
        let direct = routes.is_empty() && request.vias().nth(1).is_none();
        let source_uri = format!("sip:{}", source.remote).into_bytes();
        let from = Some(request.from().uri_text).filter(|uri| Uri::parse(uri).is_ok());
        let target = contact_uri(request).or(from).unwrap_or(&source_uri);
        Dialog {
            call_id: request.call_id().into(),
            local: without_tag(request.to().text),
            remote: without_tag(request.from().text),
            local_tag,
            remote_tag: request.from().tag.unwrap_or_default().into(),
            local_seq: 0,
            remote_seq: Some(request.cseq().number),
            hop: next_hop(source, direct, &routes, target),
            target: target.into(),
            routes,
            contact,
        }
    }

    /// The side that calls learns the rest of the dialog from a response: 12.1.2.
    pub fn learn(&mut self, response: &Message<'_>, source: Hop) {
        self.remote_tag = response.to().tag.unwrap_or_default().into();
        self.remote = without_tag(response.to().text);
        self.routes = record_routes(response);
        self.routes.reverse();
        if let Some(target) = contact_uri(response) {
            self.target = target.into();
        }
        self.hop = next_hop(source, self.routes.is_empty(), &self.routes, &self.target);
    }

    /// A dialog known from a response alone, for a fork or a late answer that nobody waits for.
    pub fn from_response(response: &Message<'_>, contact: Box<str>, source: Hop) -> Dialog {
        let tag = response.from().tag.unwrap_or_default();
        let mut dialog = Dialog {
            call_id: response.call_id().into(),
            local: without_tag(response.from().text),
            remote: Box::default(),
            local_tag: String::from_utf8_lossy(tag).into(),
            remote_tag: Box::default(),
            local_seq: response.cseq().number,
            remote_seq: None,
            target: response.to().uri_text.into(),
            routes: Vec::new(),
            hop: source,
            contact,
        };
        dialog.learn(response, source);
        dialog
    }

    /// Re-INVITE and UPDATE move the target (12.2); a peer that moved is answered where it is now.
    pub fn refresh(&mut self, message: &Message<'_>, source: Hop) {
        if let Some(target) = contact_uri(message) {
            self.target = target.into();
        }
        let direct = self.routes.is_empty() && !(message.is_request() && message.vias().nth(1).is_some());
        self.hop = next_hop(source, direct, &self.routes, &self.target);
    }

    pub fn order(&mut self, number: u32) -> Order {
        if self.remote_seq.is_some_and(|last| number <= last) {
            return Order::Late;
        }
        self.remote_seq = Some(number);
        Order::Next
    }

    /// A request within the dialog with its CSeq: 12.2.1.1. Via comes first, so its branch is asked for here.
    pub fn request(&self, method: Method, number: u32, via: &str) -> Builder {
        // A strict router (no `lr`) at the top takes the Request-URI; the target goes to the end.
        let strict = self.routes.first().is_some_and(|route| !is_loose(route));
        let mut builder = if strict {
            Builder::request(method.as_str(), uri_of(&self.routes[0]))
        } else {
            Builder::request(method.as_str(), &self.target)
        };
        builder = builder.header("Via", via).header("Max-Forwards", "70");
        for route in self.routes.iter().skip(usize::from(strict)) {
            builder = builder.header("Route", route);
        }
        if strict {
            builder = builder.header("Route", [b"<", &*self.target, b">"].concat());
        }
        builder = builder
            .header("From", [&*self.local, b";tag=", self.local_tag.as_bytes()].concat())
            .header("To", with_tag(&self.remote, &self.remote_tag))
            .header("Call-ID", &self.call_id)
            .header("CSeq", format!("{number} {}", method.as_str()));
        match method {
            Method::Invite | Method::Update => builder.header("Contact", &*self.contact),
            _ => builder,
        }
    }

    /// The Call-ID and tags of this message, received from the peer, are ours. Tags compare as written.
    pub fn matches(&self, message: &Message<'_>) -> bool {
        let (ours, theirs) = match message.is_request() {
            true => (message.to().tag, message.from().tag),
            false => (message.from().tag, message.to().tag),
        };
        *self.call_id == *message.call_id()
            && ours == Some(self.local_tag.as_bytes())
            && theirs.unwrap_or_default() == &*self.remote_tag
    }
}

/// Where the peer wants its next requests; one that is no URI would spoil every request of ours.
fn contact_uri<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    match message.contacts().next() {
        Some(Ok(ContactValue::Address(address))) => {
            Some(address.uri_text).filter(|uri| Uri::parse(uri).is_ok())
        }
        Some(Ok(ContactValue::Star) | Err(_)) | None => None,
    }
}

/// The route set as written (12.1), without what is no address.
fn record_routes(message: &Message<'_>) -> Vec<Box<[u8]>> {
    let is_address = |text: &&[u8]| NameAddr::parse(text).is_ok_and(|address| address.uri().is_ok());
    message.values(Name::RecordRoute).filter(is_address).map(Box::from).collect()
}

fn with_tag(address: &[u8], tag: &[u8]) -> Vec<u8> {
    match tag {
        [] => address.to_vec(),
        tag => [address, b";tag=", tag].concat(),
    }
}

/// A From or To as written, but for its tag.
fn without_tag(text: &[u8]) -> Box<[u8]> {
    let params_from = text.iter().rposition(|&b| b == b'>').map_or(0, |i| i + 1);
    let mut kept = text[..params_from].to_vec();
    for (i, part) in text[params_from..].split(|&b| b == b';').enumerate() {
        let is_tag = i > 0 && part.trim_ascii().get(..3).is_some_and(|t| t.eq_ignore_ascii_case(b"tag"));
        if !is_tag {
            if i > 0 {
                kept.push(b';');
            }
            kept.extend_from_slice(part);
        }
    }
    kept.trim_ascii_end().into()
}

fn uri_of(route: &[u8]) -> &[u8] {
    crate::message::NameAddr::parse(route).map_or(route, |r| r.uri_text)
}

fn is_loose(route: &[u8]) -> bool {
    Uri::parse(uri_of(route)).is_ok_and(|uri| uri.param("lr").is_some())
}

/// Where the requests of a dialog go. There is no resolver here, so names and NAT decide:
/// - a stream peer: its connection;
/// - the first route, or behind other proxies the target, when it is an address of our family;
/// - a peer that talks to us directly: where it talks from, but at the port of its Contact when the
///   address there is the same (it may send and listen on different ports; behind NAT it differs).
fn next_hop(source: Hop, direct: bool, routes: &[Box<[u8]>], target: &[u8]) -> Hop {
    let uri = routes.first().map_or(target, |route| uri_of(route));
    if source.transport == Transport::Tcp {
        return source;
    }
    let Ok(uri) = Uri::parse(uri) else { return source };
    let Some(ip) = uri.ip() else { return source };
    let same = ip == source.remote.ip();
    if (direct && !same) || ip.is_ipv4() != source.local.is_ipv4() || ip.is_unspecified() || ip.is_multicast()
    {
        return source;
    }
    match uri.port.unwrap_or(5060) {
        0 => source,
        port => Hop { remote: SocketAddr::new(ip, port), ..source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_taken_off_and_nothing_else() {
        for (text, kept) in [
            ("<sip:a@b;x=1>;tag=1", "<sip:a@b;x=1>"),
            ("\"A;tag=2\" <sip:a@b>;y=2;tag=1;z", "\"A;tag=2\" <sip:a@b>;y=2;z"),
            ("sip:a@b;TAG=3", "sip:a@b"),
            ("sip:a@b", "sip:a@b"),
        ] {
            assert_eq!(&*without_tag(text.as_bytes()), kept.as_bytes(), "{text}");
        }
    }

    #[test]
    fn requests_go_where_the_peer_is() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let udp =
            Hop { transport: Transport::Udp, local: at("192.0.2.1:5060"), remote: at("192.0.2.9:40000") };
        let tcp = Hop { transport: Transport::Tcp, ..udp };
        let route = |text: &str| vec![Box::from(text.as_bytes())];
        for (source, direct, routes, target, expected) in [
            (udp, true, vec![], "sip:a@192.0.2.9:5062", "192.0.2.9:5062"),
            (udp, true, vec![], "sip:a@10.0.0.1:5062", "192.0.2.9:40000"),
            (udp, false, vec![], "sip:a@10.0.0.1", "10.0.0.1:5060"),
            (udp, true, vec![], "sip:a@phone.example", "192.0.2.9:40000"),
            (udp, false, route("<sip:192.0.2.7:5070;lr>"), "sip:a@10.0.0.1", "192.0.2.7:5070"),
            (udp, false, vec![], "sip:a@[2001:db8::1]", "192.0.2.9:40000"),
            (udp, false, vec![], "sip:a@0.0.0.0", "192.0.2.9:40000"),
            (tcp, true, vec![], "sip:a@192.0.2.9:5062", "192.0.2.9:40000"),
        ] {
            assert_eq!(next_hop(source, direct, &routes, target.as_bytes()).remote, at(expected), "{target}");
        }
    }
}
