"""Bad input for everything that reads: `python -m tests.fuzz --inputs 10000`."""
