"""How fast nonstop is beside its peers: whole processes, in one run on one machine. ``python -m benchmarks --help``."""
