"""Dockerfiles and the compose file followed without Docker: clean roots, mounts and namespaces."""
