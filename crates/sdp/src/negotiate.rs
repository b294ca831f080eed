//! RFC 3264: the offer (section 5), the answer (6), what the offerer makes of it (7), changes (8).
use crate::description::{Dtmf, Stream};
use crate::{Codec, Description, Direction, Error, Local, Negotiated};
use sdp_types::{Attribute, Connection, Media, Origin, Session};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The payload type of telephone-event in our offers.
const DTMF_PAYLOAD_TYPE: u8 = 101;
/// The longest packets we send, in ms.
const PTIME_MS_MAX: u32 = 60;

/// Our offer: one audio stream.
pub fn offer(local: &Local) -> Vec<u8> {
    let mut voice: Vec<(u8, Codec)> = Vec::new();
    for codec in &local.codecs {
        let entry = (codec.static_payload_type(), *codec);
        if !voice.contains(&entry) {
            voice.push(entry);
        }
    }
    let dtmf = local.telephone_event.then_some(Dtmf { payload_type: DTMF_PAYLOAD_TYPE, flash: true });
    let mut session = session(local);
    session.add_media(audio(local, "RTP/AVP", &voice, dtmf, local.ptime_ms, local.direction));
    print(&session)
}

/// Our answer to `offer`: every m-line answered (refused ones with port 0), codecs within the offer.
/// The first usable audio stream is taken.
///
/// # Errors
/// [`Error::NotAcceptable`]: no stream is usable; the text is about the first audio stream.
pub fn answer(offer: &Description, local: &Local) -> Result<(Vec<u8>, Negotiated), Error> {
    let mut taken: Option<Negotiated> = None;
    let mut why_not = None;
    let mut session = session(local);
    session.times.clone_from(&offer.times);
    for stream in &offer.streams {
        let agreed =
            if taken.is_none() { as_answerer(stream, local) } else { Err("one audio stream a call") };
        session.add_media(match agreed {
            Ok(ref n) => {
                let dtmf = stream.dtmf.filter(|_| n.dtmf_in.is_some());
                let voice = [(n.payload_type_in, n.codec)];
                audio(local, &stream.proto, &voice, dtmf, n.ptime_ms, n.direction)
            }
            Err(_) => refused(stream),
        });
        match agreed {
            Ok(n) => taken = Some(n),
            Err(why) if stream.is_audio() => why_not = why_not.or(Some(why)),
            Err(_) => {}
        }
    }
    match taken {
        Some(negotiated) => Ok((print(&session), negotiated)),
        None => Err(Error::NotAcceptable(why_not.unwrap_or("no audio is offered"))),
    }
}

/// What their answer to our offer (made from `local`) says.
///
/// # Errors
/// [`Error::NotAcceptable`]: the audio is refused, or answered with what was not offered.
pub fn accept(local: &Local, answer: &Description) -> Result<Negotiated, Error> {
    let stream = answer.streams.first().ok_or(Error::NotAcceptable("the answer has no m-line"))?;
    as_offerer(stream, local).map_err(Error::NotAcceptable)
}

/// We take what we like best of theirs, under their payload types (RFC 3264 section 6.1).
fn as_answerer(theirs: &Stream, local: &Local) -> Result<Negotiated, &'static str> {
    theirs.check_transport()?;
    let (payload_type, codec) = local
        .codecs
        .iter()
        .find_map(|ours| theirs.voice.iter().find(|(_, codec)| codec == ours))
        .copied()
        .ok_or("no codec in common: PCMU and PCMA are spoken")?;
    let dtmf = theirs.dtmf.filter(|_| local.telephone_event).map(|d| d.payload_type);
    theirs.agreed(local, codec, (payload_type, payload_type), (dtmf, dtmf))
}

/// We send what they like best of ours (RFC 3264 section 7): each side names the payload types it receives.
fn as_offerer(theirs: &Stream, local: &Local) -> Result<Negotiated, &'static str> {
    theirs.check_transport()?;
    let (payload_type, codec) = theirs
        .voice
        .iter()
        .find(|(_, codec)| local.codecs.contains(codec))
        .copied()
        .ok_or("the answer has none of the codecs offered")?;
    let dtmf = theirs.dtmf.filter(|_| local.telephone_event).map(|d| d.payload_type);
    theirs.agreed(
        local,
        codec,
        (payload_type, codec.static_payload_type()),
        (dtmf, dtmf.map(|_| DTMF_PAYLOAD_TYPE)),
    )
}

impl Stream {
    fn is_audio(&self) -> bool {
        self.kind.eq_ignore_ascii_case("audio")
    }

    fn check_transport(&self) -> Result<(), &'static str> {
        if !self.is_audio() {
            return Err("only audio is served");
        }
        if self.port == 0 {
            return Err("the audio stream is disabled (port 0)");
        }
        match self.proto.to_ascii_uppercase().as_str() {
            "RTP/AVP" | "RTP/AVPF" => Ok(()),
            proto if proto.contains("SAVP") => Err("SRTP is not served: offer RTP/AVP"),
            _ => Err("only RTP/AVP and RTP/AVPF are served"),
        }
    }

    /// The terms besides the payload types, given as (out, in).
    fn agreed(
        &self,
        local: &Local,
        codec: Codec,
        voice: (u8, u8),
        dtmf: (Option<u8>, Option<u8>),
    ) -> Result<Negotiated, &'static str> {
        let ours = local.address.ip().to_canonical();
        let theirs = self.address?;
        let held = theirs.is_unspecified();
        let address = match ours {
            IpAddr::V4(_) if held => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) if held => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            IpAddr::V4(_) if theirs.is_ipv6() => return Err("this side of the call speaks IPv4 only"),
            IpAddr::V6(_) if theirs.is_ipv4() => return Err("this side of the call speaks IPv6 only"),
            _ => theirs,
        };
        let (rtcp_port, rtcp_address) = match self.rtcp {
            Some((port, elsewhere)) => (port, elsewhere.filter(|a| !held && a.is_ipv4() == ours.is_ipv4())),
            None => (self.port.saturating_add(1), None),
        };
        let peer_receives = Direction::new(true, !held);
        Ok(Negotiated {
            remote: SocketAddr::new(address, self.port),
            remote_rtcp: SocketAddr::new(rtcp_address.unwrap_or(address), rtcp_port),
            codec,
            payload_type_out: voice.0,
            payload_type_in: voice.1,
            dtmf_out: dtmf.0,
            dtmf_in: dtmf.1,
            ptime_ms: self.packet_ms(local.ptime_ms),
            direction: local.direction.and(self.direction.and(peer_receives).reversed()),
            rtcp_mux: false,
        })
    }

    /// The multiple of our frame nearest below what they ask for; our frame when they ask for less.
    fn packet_ms(&self, frame_ms: u32) -> u32 {
        let frame_ms = frame_ms.max(1);
        let wish = self.ptime_ms.unwrap_or(frame_ms).min(self.maxptime_ms.unwrap_or(u32::MAX));
        (wish.min(PTIME_MS_MAX) / frame_ms * frame_ms).max(frame_ms)
    }
}

fn session(local: &Local) -> Session {
    let ip = local.address.ip().to_canonical();
    let mut session = Session::new(Origin::with_ip_addr(local.session, local.version, ip), "-");
    session.set_connection(Connection::from_ip_addr(ip));
    session
}

fn audio(
    local: &Local,
    proto: &str,
    voice: &[(u8, Codec)],
    dtmf: Option<Dtmf>,
    ptime_ms: u32,
    direction: Direction,
) -> Media {
    let payload_types = voice.iter().map(|(pt, _)| *pt).chain(dtmf.map(|d| d.payload_type));
    let formats: Vec<String> = payload_types.map(|pt| pt.to_string()).collect();
    let mut media = stream("audio", local.address.port(), proto, formats.join(" "));
    for (pt, codec) in voice {
        media.add_attribute_with_value("rtpmap", format_args!("{pt} {codec}/8000"));
    }
    if let Some(Dtmf { payload_type, flash }) = dtmf {
        let last = if flash { 16 } else { 15 };
        media.add_attribute_with_value("rtpmap", format_args!("{payload_type} telephone-event/8000"));
        media.add_attribute_with_value("fmtp", format_args!("{payload_type} 0-{last}"));
    }
    media.add_attribute_with_value("ptime", ptime_ms);
    media.add_attribute(Attribute::new(direction.as_str()));
    media
}

fn refused(theirs: &Stream) -> Media {
    stream(&theirs.kind, 0, &theirs.proto, theirs.formats.clone())
}

fn stream(kind: &str, port: u16, proto: &str, fmt: String) -> Media {
    Media {
        media: kind.to_owned(),
        port,
        num_ports: None,
        proto: proto.to_owned(),
        fmt,
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

fn print(session: &Session) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    session.write(&mut bytes).expect("a Vec takes every write");
    bytes
}

/// The lines of a description we printed, but for `o=`.
pub(crate) fn without_origin(printed: &[u8]) -> impl Iterator<Item = &[u8]> {
    printed.split_inclusive(|b| *b == b'\n').filter(|line| !line.starts_with(b"o="))
}

/// A description we printed, with the `o=` line of `local` as it is now.
pub(crate) fn with_origin(printed: &[u8], local: &Local) -> Vec<u8> {
    let own = print(&session(local));
    let origin = own.split_inclusive(|b| *b == b'\n').find(|l| l.starts_with(b"o=")).unwrap_or_default();
    let lines = printed.split_inclusive(|b| *b == b'\n');
    lines.flat_map(|line| if line.starts_with(b"o=") { origin } else { line }).copied().collect()
}
