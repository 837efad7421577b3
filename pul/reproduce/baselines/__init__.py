"""Hand-crafted features of Table IV: no weights needed, usable as a network's."""
