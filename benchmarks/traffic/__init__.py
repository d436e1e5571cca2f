"""A real load of clients while something migrates; ``python -m benchmarks.live_traffic`` puts the parts together."""
