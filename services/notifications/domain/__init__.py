"""The rules of notifications: pure, without clock, network or database."""
