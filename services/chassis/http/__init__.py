"""HTTP free of any framework: from a raw request to a raw answer."""
