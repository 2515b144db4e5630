"""Wire formats to core values and back: pure functions on bytes."""
