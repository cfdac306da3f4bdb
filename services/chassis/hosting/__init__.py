"""How a service runs: the only folder that imports nameko and eventlet."""
