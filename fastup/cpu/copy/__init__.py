"""The engine of copies: items that change place and nothing else."""
