"""The pages, one file each; every file composes components and holds no logic of its own."""
