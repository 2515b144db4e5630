"""Which replica of the chosen model serves the request."""
