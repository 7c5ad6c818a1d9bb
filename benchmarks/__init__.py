"""Timing of every operator against every honest way to do the same: ``python -m benchmarks``."""
