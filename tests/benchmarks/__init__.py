"""Every performance figure: a module here declares MEASUREMENTS, `make bench` finds and runs it."""
