//! A global allocator that counts, for the programs that test memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// An allocator that counts the calls and bytes of each thread.
struct Counting;

thread_local! {
    pub(crate) static CALLS: Cell<usize> = const { Cell::new(0) };
    pub(crate) static IN_USE: Cell<usize> = const { Cell::new(0) };
}

// What the trait asks for is left to the system's allocator; the counters need no memory of their own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        IN_USE.set(IN_USE.get().wrapping_add(layout.size()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.set(IN_USE.get().wrapping_sub(layout.size()));
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
