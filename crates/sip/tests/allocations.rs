//! What a message costs: a usual INVITE of 968 bytes must not take more than five allocations
//! (PEERS: the parsers that are around take 32 to 323).
use hotline_sip::{Message, Method, Name, ParseLimits};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to `System` unchanged; the counter is a `const`-initialised thread local
// without a destructor, so touching it allocates nothing and works at any time in a thread's life.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`, which is `System`'s.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: `pointer` came from `System` with this layout; the caller keeps the rest.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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

#[test]
fn an_invite_takes_few_allocations() {
    assert_eq!(INVITE.len(), 968);
    let before = COUNT.get();
    let message = Message::parse(INVITE.as_bytes(), &ParseLimits::default()).expect("a usual INVITE");
    assert_eq!(COUNT.get() - before, 1, "one list of headers");
    assert_eq!(message.method(), Method::Invite);
    assert_eq!(message.values(Name::Allow).count(), 12);
    assert_eq!(message.body().len(), 287);
    assert_eq!(&*message.from().display_name(), b"Zhang Wei");
    assert_eq!(&*message.uri().expect("checked").user_unescaped(), b"4009508888");
    assert_eq!(COUNT.get() - before, 1, "reading it takes none");
}
