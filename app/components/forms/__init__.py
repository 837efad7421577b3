"""Forms and settings."""
