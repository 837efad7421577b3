"""Pieces of a page: plain data in, plain data out; none of them knows a workspace."""
