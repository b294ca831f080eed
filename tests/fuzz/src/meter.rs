//! What a run takes from the heap, so that nothing that arrives can make us hold or take too much.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Bytes held by what this thread took, and the most it ever held since the last look.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

#[derive(Debug)]
struct Meter;

#[global_allocator]
static METER: Meter = Meter;

/// Runs `what`.
///
/// # Panics
/// When it held more than `room` bytes at once, or still holds some when it is over. What the first run of
/// a process makes once and keeps is forgiven: it is not made a second time.
pub fn bounded(room: usize, what: impl Fn()) {
    let room = isize::try_from(room).unwrap_or(isize::MAX);
    let run = || {
        let before = HELD.get();
        PEAK.set(before);
        what();
        (HELD.get() - before, PEAK.get() - before)
    };
    let (kept, peak) = run();
    if kept != 0 || peak > room {
        let (kept, peak) = run();
        assert!(peak <= room, "{peak} bytes at once, where {room} should do");
        assert_eq!(kept, 0, "bytes are kept after each run");
    }
}

fn count(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call goes to `System` unchanged; the counters are `const`-initialised thread locals without a
// destructor, so touching them allocates nothing and works at any time in a thread's life. A `Layout`'s size
// fits an isize.
unsafe impl GlobalAlloc for Meter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`, which is `System`'s.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: `pointer` came from `System` with this layout; the caller keeps the rest.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
