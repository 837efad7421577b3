"""Tables, grids and empty states."""
