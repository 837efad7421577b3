"""Clustering methods over features: k-means, DBSCAN, tracklets, and the neighbours they need."""
