"""One function per thing matching does: load, decide, store, emit."""
