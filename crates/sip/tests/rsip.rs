//! `rsip` as a second opinion: on what both accept, both must read the same. Where they differ the
//! reason is written down here, and the RFC decides.
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it says")]

use hotline_sip::{Framer, Message, ParseLimits};
use rsip::headers::ToTypedHeader;
use rsip::prelude::{HeadersExt, UntypedHeader};

/// The call flows of five RFCs and the torture messages.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for folder in ["flows", "rfc4475", "rfc5118"] {
        let path = format!("{}/tests/torture/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(path).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let bytes = std::fs::read(entry.path()).unwrap();
            if name.ends_with(".sip") {
                let mut framer = Framer::new(65_535);
                framer.push(&bytes);
                all.extend(framer.enumerate().map(|(i, m)| (format!("{name} {i}"), m.unwrap())));
            } else if name.ends_with(".dat") {
                all.push((name, bytes));
            }
        }
    }
    all.sort();
    all
}

/// rsip knows no folds.
fn without_folds(bytes: &[u8]) -> Vec<u8> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(bytes.len());
    let mut out = Vec::new();
    for line in bytes[..head].split_inclusive(|&b| b == b'\n') {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            out.truncate(out.trim_ascii_end().len());
            out.extend_from_slice(line.trim_ascii_start());
        } else {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(&bytes[head..]);
    out
}

/// Read by `rsip` as text, because that is what its headers hold.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Where they differ, and rightly: rsip leaves a user with a dot or an escape in the host, and reads
/// unknown schemes as if they were SIP.
const KNOWN: [(&str, &str); 7] = [
    ("dblreq.dat", "From host"),
    ("esc01.dat", "host"),
    ("esc01.dat", "user"),
    ("novelsc.dat", "host"),
    ("novelsc.dat", "port"),
    ("regaut01.dat", "From host"),
    ("unksm2.dat", "From host"),
];

#[test]
fn both_read_the_same() {
    let mut compared = 0;
    let mut differ = Vec::new();
    for (name, bytes) in corpus() {
        let Ok(ours) = Message::parse(&bytes, &ParseLimits::default()) else { continue };
        // rsip panics on some text; that is its verdict, not ours.
        let Ok(Ok(theirs)) = std::panic::catch_unwind(|| rsip::SipMessage::try_from(without_folds(&bytes)))
        else {
            continue;
        };
        compared += 1;
        let mut same = |what: &str, a: String, b: String| {
            let known = KNOWN.contains(&(name.as_str(), what));
            if (a != b) != known {
                differ.push(format!("{name}: {what}: {a:?}, rsip {b:?}"));
            }
        };
        match &theirs {
            rsip::SipMessage::Request(r) => {
                same("method", text(ours.method_text()), r.method.to_string());
                let uri = ours.uri().unwrap();
                same("host", text(uri.host), r.uri.host_with_port.host.to_string());
                same(
                    "port",
                    format!("{:?}", uri.port),
                    format!("{:?}", r.uri.host_with_port.port.as_ref().map(|p| *p.value())),
                );
                let user = r.uri.auth.as_ref().map(|a| a.user.clone());
                same("user", uri.user.map(text).unwrap_or_default(), user.unwrap_or_default());
            }
            rsip::SipMessage::Response(r) => {
                same("code", ours.code().to_string(), r.status_code.code().to_string())
            }
        }
        if let Ok(h) = theirs.call_id_header() {
            same("Call-ID", text(ours.call_id()), h.value().to_string());
        }
        if let Ok(h) = theirs.cseq_header().cloned().and_then(|h| h.typed()) {
            same(
                "CSeq",
                format!("{} {}", ours.cseq().number, text(ours.cseq().method_text)),
                format!("{} {}", h.seq, h.method),
            );
        }
        if let Ok(h) = theirs.from_header().cloned().and_then(|h| h.typed()) {
            same(
                "From tag",
                format!("{:?}", ours.from().tag.map(text)),
                format!("{:?}", h.tag().map(|t| t.value().to_string())),
            );
            same("From host", text(ours.from().uri().unwrap().host), h.uri.host_with_port.host.to_string());
        }
        if let Ok(h) = theirs.to_header().cloned().and_then(|h| h.typed()) {
            same(
                "To tag",
                format!("{:?}", ours.to().tag.map(text)),
                format!("{:?}", h.tag().map(|t| t.value().to_string())),
            );
        }
        if let Ok(h) = theirs.via_header().cloned().and_then(|h| h.typed()) {
            same("Via transport", text(ours.via().transport), h.transport.to_string());
            same("Via host", text(ours.via().host), h.uri.host_with_port.host.to_string());
            same(
                "branch",
                format!("{:?}", ours.via().branch.map(text)),
                format!("{:?}", h.branch().map(|b| b.value().to_string())),
            );
        }
        same(
            "headers",
            ours.headers().count().to_string(),
            match &theirs {
                rsip::SipMessage::Request(r) => r.headers.iter().count(),
                rsip::SipMessage::Response(r) => r.headers.iter().count(),
            }
            .to_string(),
        );
    }
    println!("{compared} compared");
    assert!(compared > 200, "{compared}");
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}
