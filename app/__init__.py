"""PUL Studio: the screen. It knows nothing of training; `services` is its door to `pul`."""
