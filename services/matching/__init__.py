"""Matching owns peer organisations, peers, rankings, offers and matches."""
