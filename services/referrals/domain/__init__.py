"""The rules of referrals. Pure: no database, broker, clock or chance."""
