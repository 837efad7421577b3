"""Real work on a tiny workspace, hurt on purpose: `python -m tests.faults --faults 500`."""
