"""How long a text is in tokens, without the tokenizer of the model that will read it."""

from typing import Final

BYTES_PER_TOKEN: Final = 4
"""Of UTF-8: about right for English prose, three quarters of a token for a Chinese character."""


def estimate_tokens(text: str) -> int:
    """Tokens of a text, within a third or so for the usual models."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)
