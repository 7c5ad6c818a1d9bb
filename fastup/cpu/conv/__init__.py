"""The engine of convolutions: phases, tiles, packed weights."""
