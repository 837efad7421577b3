"""The strip of queries."""
