"""The line above every page."""
