"""Images and identities: records, readers of datasets, decoding, and the synthetic generator."""
