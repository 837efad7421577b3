"""The store: the only place with SQL, and the only one that reads and writes stored arrays."""
