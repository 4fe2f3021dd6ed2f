"""Model registries: what a registry says of a version, and what it is told."""
