"""One function per thing referrals does: load, decide, store, emit."""
