"""The map of images."""
