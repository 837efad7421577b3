"""PUL: adapt a person re-identification model to new cameras with few labels or none."""

__version__ = "0.1.0"
