"""All SQL of matching. One method, one statement, on the caller's transaction."""
