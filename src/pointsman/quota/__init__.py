"""How much a caller may ask for: limits on requests and tokens per unit of time."""
