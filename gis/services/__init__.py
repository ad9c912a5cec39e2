"""What the city can compute: one file a service, found by importlib."""
