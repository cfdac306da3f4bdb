"""Bringing organisations and peers in from CSV files, through the public API."""
