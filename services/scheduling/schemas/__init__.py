"""The wire: what scheduling reads and writes over HTTP and on the bus."""
