"""Hand-crafted features of Table IV: no weights needed, and used like a network's."""
