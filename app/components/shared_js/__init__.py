"""Scripts that several components share."""
