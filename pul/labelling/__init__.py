"""What people say about the images, what to ask them next, and how a run takes it."""
