"""The rows of the Identities page."""
