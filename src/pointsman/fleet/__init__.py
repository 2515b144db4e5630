"""Which models and replicas exist."""
