"""Loops of copies."""
