"""One function per thing scheduling does: load, decide, store, emit. A module per subject."""
