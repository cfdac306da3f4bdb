"""The wire of notifications: events in and out, the API, and the owners' answers."""
