"""The wire of referrals: what comes in, what goes out, and the events on both sides."""
