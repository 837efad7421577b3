"""The paper's tables and figures: planned, run in a workspace, and compared with its numbers."""
