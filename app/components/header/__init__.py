"""The header above every page."""
