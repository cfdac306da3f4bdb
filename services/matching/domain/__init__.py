"""The rules of matching. Pure: no database, broker, clock or chance."""
