"""Loops of pooling."""
