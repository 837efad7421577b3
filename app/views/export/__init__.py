"""The Finish page."""
