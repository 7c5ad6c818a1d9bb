"""Loops of resampling."""
