"""Notifications owns messages, their texts, people's preferences and the delivery ledger."""
