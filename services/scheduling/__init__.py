"""Scheduling owns availability, rooms, sessions and the claims they make on people's time."""
