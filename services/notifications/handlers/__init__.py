"""One function per thing notifications does: load, decide, store, emit."""
