"""Stand-ins for the outside world, driven by tests step by step."""
