"""A made-up region, day by day for a year, under several ways to give out places."""
