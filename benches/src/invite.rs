use crate::meter::Meter;
use sip::{Message, ParseLimits};
use std::hint::black_box;

/// As a usual phone sends it.
const INVITE: &str = "INVITE sip:4009508888@192.0.2.10:5060;transport=udp SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.77:5062;rport;branch=z9hG4bKPj3f0c6f6d2b1e4a7f9d8c7b6a5e4d3c2b\r\n\
    Max-Forwards: 70\r\n\
    From: \"Zhang Wei\" <sip:13800138000@192.0.2.77>;tag=8f14e45fceea167a\r\n\
    To: <sip:4009508888@192.0.2.10>\r\n\
    Contact: <sip:13800138000@192.0.2.77:5062;ob>\r\n\
    Call-ID: 5d41402abc4b2a76b9719d911017c592\r\n\
    CSeq: 20714 INVITE\r\n\
    Allow: PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, SUBSCRIBE, NOTIFY, REFER, MESSAGE, OPTIONS\r\n\
    Supported: replaces, 100rel, timer, norefersub\r\n\
    Session-Expires: 1800\r\n\
    Min-SE: 90\r\n\
    User-Agent: phone/2.14.10 (linux)\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length:   287\r\n\
    \r\n\
    v=0\r\n\
    o=- 3912345678 3912345678 IN IP4 192.0.2.77\r\n\
    s=session\r\n\
    b=AS:84\r\n\
    t=0 0\r\n\
    a=X-nat:0\r\n\
    m=audio 4000 RTP/AVP 9 8 0 101\r\n\
    c=IN IP4 192.0.2.77\r\n\
    b=TIAS:64000\r\n\
    a=rtcp:4001 IN IP4 192.0.2.77\r\n\
    a=sendrecv\r\n\
    a=rtpmap:9 G722/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\n";

/// One look at the clock for so many messages.
const BATCH: u64 = 100;

pub fn ours(meter: &mut Meter, times: u64) {
    assert_eq!(INVITE.len(), 968);
    let limits = ParseLimits::default();
    batches(meter, times, || {
        let message = Message::parse(black_box(INVITE.as_bytes()), &limits).expect("a usual INVITE");
        assert_eq!(message.body().len(), 287);
    });
}

pub fn rsip(meter: &mut Meter, times: u64) {
    batches(meter, times, || {
        let message = rsip::SipMessage::try_from(black_box(INVITE.as_bytes())).expect("a usual INVITE");
        assert!(matches!(message, rsip::SipMessage::Request(r) if r.body.len() > 280));
    });
}

fn batches(meter: &mut Meter, times: u64, one: impl Fn()) {
    for _ in 0..times.div_ceil(BATCH) {
        meter.measured(|| (0..BATCH).for_each(|_| one()));
        meter.done(BATCH);
    }
}
