"""The wire: what matching reads of others, and how it answers."""
