//! From bytes to what the negotiation needs: every line read once, every number bounded.
use crate::{Codec, Direction, Error};
use std::net::{IpAddr, Ipv4Addr};

/// Longest description read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// Most lines in a description.
pub const MAX_LINES: usize = 512;
/// Most m-lines in a description.
pub const MAX_STREAMS: usize = 16;

/// A description parsed and bounded; kept so that the answer repeats each m-line in order.
#[derive(Clone, Debug)]
pub struct Description {
    /// Repeated in the answer (RFC 3264 section 6).
    pub(crate) times: Vec<sdp_types::Time>,
    pub(crate) streams: Vec<Stream>,
}

/// One m-line with its attributes.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub kind: String,
    pub port: u16,
    pub proto: String,
    /// The format list as given, for repeating it in a refusal.
    pub formats: String,
    /// G.711 payload types in the peer's order.
    pub voice: Vec<(u8, Codec)>,
    pub dtmf: Option<Dtmf>,
    /// The address, or why there is none to send to.
    pub address: Result<IpAddr, &'static str>,
    pub direction: Direction,
    pub ptime_ms: Option<u32>,
    pub maxptime_ms: Option<u32>,
    pub rtcp: Option<(u16, Option<IpAddr>)>,
}

/// telephone-event/8000 (RFC 4733).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dtmf {
    pub payload_type: u8,
    /// `fmtp` names event 16, the hook flash.
    pub flash: bool,
}

impl Description {
    /// Reads a description. Lines that have no part in the negotiation (`o=`, `s=`, `b=`, `k=` ...) and
    /// unknown attributes are ignored, faults in them too; text that is not UTF-8 is no fault.
    ///
    /// # Errors
    /// [`Error::Malformed`]: not SDP, or beyond [`MAX_BYTES`], [`MAX_LINES`], [`MAX_STREAMS`].
    pub fn parse(bytes: &[u8]) -> Result<Description, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::Malformed(format!("{} bytes, {MAX_BYTES} are read", bytes.len())));
        }
        let text = String::from_utf8_lossy(bytes);
        let session = sdp_types::Session::parse(lines_that_count(&text)?.as_bytes())
            .map_err(|e| Error::Malformed(e.to_string()))?;

        let direction = direction(&session.attributes).unwrap_or(Direction::SendRecv);
        let streams =
            session.medias.iter().map(|m| Stream::read(m, session.connection.as_ref(), direction)).collect();
        Ok(Description { times: session.times, streams })
    }
}

/// Only the lines the negotiation reads, and those that are no lines at all, for the parser to refuse.
fn lines_that_count(text: &str) -> Result<String, Error> {
    let mut kept = String::with_capacity(text.len());
    let (mut lines, mut streams) = (0, 0);
    for line in text.trim_end_matches(['\0', '\r', '\n', ' ']).split('\n') {
        let line = line.trim_end_matches(['\r', ' ', '\t']);
        lines += 1;
        streams += usize::from(line.starts_with("m="));
        let ignored = matches!(
            line.as_bytes(),
            [b'o' | b's' | b'i' | b'u' | b'e' | b'p' | b'b' | b'r' | b'z' | b'k', b'=', ..]
        );
        if !ignored {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    if lines > MAX_LINES {
        return Err(Error::Malformed(format!("{lines} lines, {MAX_LINES} are read")));
    }
    if streams > MAX_STREAMS {
        return Err(Error::Malformed(format!("{streams} m-lines, {MAX_STREAMS} are read")));
    }
    Ok(kept)
}

impl Stream {
    fn read(
        media: &sdp_types::Media,
        of_session: Option<&sdp_types::Connection>,
        default: Direction,
    ) -> Stream {
        let encodings = Encodings::read(&media.attributes);
        let mut voice = Vec::new();
        let mut dtmf = None;
        for payload_type in payload_types(&media.fmt) {
            match encodings.of(payload_type) {
                Encoding::Voice(codec) => voice.push((payload_type, codec)),
                Encoding::TelephoneEvent if dtmf.is_none() => {
                    dtmf = Some(Dtmf { payload_type, flash: names_flash(&media.attributes, payload_type) });
                }
                Encoding::TelephoneEvent | Encoding::Other => {}
            }
        }
        Stream {
            kind: media.media.clone(),
            port: media.port,
            proto: media.proto.clone(),
            formats: media.fmt.clone(),
            voice,
            dtmf,
            address: address(media.connections.first().or(of_session)),
            direction: direction(&media.attributes).unwrap_or(default),
            ptime_ms: milliseconds(&media.attributes, "ptime"),
            maxptime_ms: milliseconds(&media.attributes, "maxptime"),
            rtcp: values(&media.attributes, "rtcp").next().and_then(rtcp),
        }
    }
}

/// What each of the 128 payload types stands for.
struct Encodings([Option<Encoding>; 128]);

#[derive(Clone, Copy)]
enum Encoding {
    Voice(Codec),
    TelephoneEvent,
    Other,
}

impl Encodings {
    fn read(attributes: &[sdp_types::Attribute]) -> Encodings {
        let mut table = [None; 128];
        for (payload_type, encoding) in values(attributes, "rtpmap").filter_map(rtpmap) {
            table[usize::from(payload_type)].get_or_insert(encoding);
        }
        Encodings(table)
    }

    /// As mapped, or as RFC 3551 assigns the static types.
    fn of(&self, payload_type: u8) -> Encoding {
        self.0[usize::from(payload_type)].unwrap_or(match payload_type {
            0 => Encoding::Voice(Codec::Pcmu),
            8 => Encoding::Voice(Codec::Pcma),
            _ => Encoding::Other,
        })
    }
}

/// `<payload type> <name>/<clock>[/<channels>]` (RFC 8866 section 6.6); names compare without case.
fn rtpmap(value: &str) -> Option<(u8, Encoding)> {
    let mut words = value.split_ascii_whitespace();
    let payload_type = words.next()?.parse().ok().filter(|pt| *pt < 128)?;
    let mut parts = words.next()?.split('/');
    let (name, clock, channels) = (parts.next()?, parts.next()?, parts.next());
    let narrow = clock == "8000" && matches!(channels, None | Some("1"));
    let encoding = match name.to_ascii_uppercase().as_str() {
        "PCMU" if narrow => Encoding::Voice(Codec::Pcmu),
        "PCMA" if narrow => Encoding::Voice(Codec::Pcma),
        "TELEPHONE-EVENT" if narrow => Encoding::TelephoneEvent,
        _ => Encoding::Other,
    };
    Some((payload_type, encoding))
}

/// The payload types of a format list, each once.
fn payload_types(formats: &str) -> impl Iterator<Item = u8> {
    let mut seen = 0u128;
    formats.split_ascii_whitespace().filter_map(|f| f.parse::<u8>().ok()).filter(move |pt| {
        let bit = 1u128.checked_shl(u32::from(*pt)).unwrap_or(0);
        let new = bit != 0 && seen & bit == 0;
        seen |= bit;
        new
    })
}

/// Whether `fmtp` lists event 16 (RFC 4733 section 2.4.1: `0-16` or `0-11,16`).
fn names_flash(attributes: &[sdp_types::Attribute], payload_type: u8) -> bool {
    values(attributes, "fmtp")
        .filter_map(|v| v.split_once(' '))
        .filter(|(pt, _)| pt.parse() == Ok(payload_type))
        .flat_map(|(_, events)| events.split(','))
        .any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            matches!((first.trim().parse::<u8>(), last.trim().parse::<u8>()), (Ok(a), Ok(b)) if a <= 16 && 16 <= b)
        })
}

/// The unspecified address passes: it is hold in the old style.
fn address(connection: Option<&sdp_types::Connection>) -> Result<IpAddr, &'static str> {
    let connection = connection.ok_or("no c= line says where audio goes")?;
    if !connection.nettype.as_str().eq_ignore_ascii_case("IN") {
        return Err("the network type of the c= line is not IN");
    }
    let text = connection.connection_address.split('/').next().unwrap_or_default();
    let address: IpAddr = text.parse().map_err(|_| "the c= line must hold an IP address, not a name")?;
    match address.to_canonical() {
        a if a.is_multicast() || a == IpAddr::V4(Ipv4Addr::BROADCAST) => {
            Err("multicast and broadcast audio is not served")
        }
        a => Ok(a),
    }
}

fn direction(attributes: &[sdp_types::Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|a| {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|d| a.attribute == d.as_str())
    })
}

/// `ptime` and `maxptime`, which some peers give with a fraction.
fn milliseconds(attributes: &[sdp_types::Attribute], name: &'static str) -> Option<u32> {
    let value = values(attributes, name).next()?;
    value.split('.').next()?.trim().parse().ok().filter(|ms| *ms > 0)
}

/// `<port> [IN IP4 <address>]` (RFC 3605 section 2.1).
fn rtcp(value: &str) -> Option<(u16, Option<IpAddr>)> {
    let mut words = value.split_ascii_whitespace();
    let port = words.next()?.parse().ok().filter(|port| *port != 0)?;
    let address = words.nth(2).and_then(|a| a.parse::<IpAddr>().ok()).map(|a| a.to_canonical());
    let unicast =
        |a: &IpAddr| !a.is_multicast() && !a.is_unspecified() && *a != IpAddr::V4(Ipv4Addr::BROADCAST);
    Some((port, address.filter(unicast)))
}

fn values<'a>(
    attributes: &'a [sdp_types::Attribute],
    name: &'static str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    attributes.iter().filter(move |a| a.attribute == name).filter_map(|a| a.value.as_deref())
}
