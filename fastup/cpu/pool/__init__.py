"""The engine of pooling: maxima of windows, and their way back."""
