"""All SQL of notifications. One method, one statement, on the caller's transaction."""
