"""The pages: they compose components and services, without logic of their own."""
