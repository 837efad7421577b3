"""Scripts that several components read."""
