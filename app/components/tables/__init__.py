"""Tables and texts that stand for them."""
