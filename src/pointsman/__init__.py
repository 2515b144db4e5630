"""pointsman: an inference gateway that sets the points for every LLM request."""

__version__ = "0.1.0"
