"""What all kernels are made of: vectors, pointers, conversions, moves of items."""
