"""What Numba compiles, and nothing else: plain functions over typed pointers and integers."""
