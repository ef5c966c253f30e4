"""A make-believe co-op for training: seeded records and loopback servers."""
