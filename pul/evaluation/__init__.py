"""Figures: CMC and mAP, cluster quality, ranked lists, re-ranking, validation people."""
