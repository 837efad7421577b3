"""Parts of pages: plain data in, plain data out; no component knows a workspace."""
