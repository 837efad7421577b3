"""The network, and what makes it run well: devices, precision, folding, compilation."""
