"""The engine of resampling: a horizontal stage per row, a vertical blend of rows."""
