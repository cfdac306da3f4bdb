"""What Kindred is measured against: a process each, as its documentation says."""
