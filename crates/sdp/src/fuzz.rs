use crate::{Codec, Description, Direction, Local, MAX_BYTES, accept, answer};

/// For fuzz targets: whatever `data` holds, nothing may panic, and an answer to it must be readable and
/// answer each m-line.
///
/// # Panics
/// When one of these promises is broken.
pub fn fuzz(data: &[u8]) {
    let Ok(theirs) = Description::parse(data) else { return };
    for address in ["192.0.2.1:40000", "[2001:db8::1]:40000"] {
        let local = Local {
            address: address.parse().expect("a literal address"),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            telephone_event: true,
            ptime_ms: 20,
            session: 1,
            version: 1,
            direction: Direction::SendRecv,
        };
        let _ = accept(&local, &theirs);
        let Ok((printed, negotiated)) = answer(&theirs, &local) else { continue };
        if printed.len() > MAX_BYTES {
            continue; // lines repeated from a description that was itself near the limit
        }
        let ours = Description::parse(&printed).expect("we read what we print");
        assert_eq!(ours.streams.len(), theirs.streams.len(), "every m-line is answered");
        let open = ours.streams.iter().filter(|s| s.port != 0).count();
        assert_eq!(open, 1, "one stream is taken");
        assert!(!negotiated.direction.sends() || !negotiated.remote.ip().is_unspecified());
    }
}
