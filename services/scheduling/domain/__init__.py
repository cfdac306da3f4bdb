"""The rules of scheduling. Pure: no database, broker or clock; the time is passed in."""
