"""HTTP routes beside the pages: maps, thumbnails, status, and access control."""
