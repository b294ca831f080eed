use rtp_rs::RtpReader;
use std::fmt;

/// Bytes of the RTP header that we send: no contributing sources, no extension.
pub const HEADER_BYTES: usize = 12;

/// A received RTP packet, its header fields checked and its padding, extension and contributing
/// sources taken off the payload (RFC 3550 section 5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    pub header: Header,
    pub payload: &'a [u8],
}

/// The fields of an RTP header that matter on both ways.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

/// Not an RTP packet: too short for what its header announces, or not version 2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl<'a> Packet<'a> {
    pub fn parse(datagram: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        let reader = RtpReader::new(datagram).map_err(|_| Malformed)?;
        let header = Header {
            marker: reader.mark(),
            payload_type: reader.payload_type(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
        };
        Ok(Packet { header, payload: reader.payload() })
    }
}

impl Header {
    /// The header as it goes on the wire, version 2 (RFC 3550 section 5.1).
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = 2 << 6;
        bytes[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7f;
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

/// Whether a datagram on a port shared by RTP and RTCP is RTCP (RFC 5761 section 4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RTP packet")
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtp_rs::{Pad, RtpPacketBuilder};

    fn header() -> impl Strategy<Value = Header> {
        (any::<bool>(), 0..128u8, any::<u16>(), any::<u32>(), any::<u32>()).prop_map(
            |(marker, payload_type, sequence, timestamp, ssrc)| Header {
                marker,
                payload_type,
                sequence,
                timestamp,
                ssrc,
            },
        )
    }

    proptest! {
        #[test]
        fn what_we_write_we_read(header in header(), payload in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut wire = header.to_bytes().to_vec();
            wire.extend(&payload);
            prop_assert_eq!(Packet::parse(&wire), Ok(Packet { header, payload: &payload }));
        }

        #[test]
        fn padding_extension_and_sources_come_off(
            header in header(),
            payload in proptest::collection::vec(any::<u8>(), 1..200),
            sources in proptest::collection::vec(any::<u32>(), 0..15),
            words in 0..6usize,
        ) {
            let extension = vec![0xaa; words * 4];
            let mut builder = RtpPacketBuilder::new()
                .marked(header.marker)
                .payload_type(header.payload_type)
                .sequence(header.sequence.into())
                .timestamp(header.timestamp)
                .ssrc(header.ssrc)
                .extension(0xbede, &extension)
                .padded(Pad::round_to(32))
                .payload(&payload);
            for source in sources {
                builder = builder.add_csrc(source);
            }
            let wire = builder.build().expect("a well-formed packet");
            prop_assert_eq!(Packet::parse(&wire), Ok(Packet { header, payload: &payload[..] }));
        }

        #[test]
        fn random_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80), v in any::<bool>()) {
            if let (Some(first), true) = (bytes.first_mut(), v) {
                *first = *first & 0x3f | 0x80;
            }
            if let Ok(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER_BYTES <= bytes.len());
            }
        }
    }

    #[test]
    fn refuses_what_is_not_rtp() {
        for bytes in [
            &[][..],
            &[0x80; 11],
            &[0x40; 172],
            // Sixteen bytes that announce fifteen contributing sources.
            &[0x8f, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
            // Padding of zero, and of more than there is.
            &[0xa0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0xa0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9],
        ] {
            assert_eq!(Packet::parse(bytes), Err(Malformed), "{bytes:?}");
        }
    }

    #[test]
    fn tells_rtcp_from_rtp() {
        assert!(is_rtcp(&[0x80, 200, 0, 6]));
        assert!(is_rtcp(&[0x81, 201]));
        // PCMU with marker, telephone-event 101 with marker.
        assert!(!is_rtcp(&[0x80, 0x80]) && !is_rtcp(&[0x80, 0x80 | 101]));
        assert!(!is_rtcp(&[]) && !is_rtcp(&[0x80]));
    }
}
