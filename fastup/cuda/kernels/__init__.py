"""Kernels of the CUDA back-end (experimental): one thread per item of the result, along its contiguous axis.

Every loop goes on by the size of the grid, so any number of blocks covers any number of items. Integers come in arrays
of int64 that all threads of a warp read at the same place, which the read-only cache serves as one access.
"""
