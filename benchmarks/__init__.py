"""Ours beside named peers: the same work, in turns, in one process. See docs/benchmarks.md."""
