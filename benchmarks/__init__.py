"""Benchmarks of ours against named peers: the same work, in alternation. See docs/benchmarks.md."""
