"""The paper's tables and figures: planned, run in a workspace, and set beside its own numbers."""
