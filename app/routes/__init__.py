"""Routes beside the pages: maps, thumbnails, status, and who may ask for them."""
