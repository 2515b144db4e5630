"""What requests that need no tool are like: phrases to hold a request against, each naming a kind of them."""

from typing import Final

import numpy as np

from pointsman.plugins.encoder import Floats, TextEncoder

PHRASES: Final = (
    "Compare the advantages and disadvantages",
    "Explain how something works in general",
    "Give me advice on how to behave",
    "Help me come up with an idea",
    "History and science question of general knowledge",
    "Let us chat and play a game of imagination",
    "Prove a theorem",
    "Rewrite or rephrase this text in another style",
    "Tell me something funny",
    "Thank you, goodbye, hello, how are you",
    "What is the difference between two things?",
    "What is your opinion on this?",
    "Who are you? Tell me about yourself",
    "Why is it so? What is the reason?",
    "Write a story, a poem or an essay",
)


def no_tool_vectors(encoder: TextEncoder) -> Floats:
    """Unit vectors of the phrases, shape (phrases, dimension); made at the start."""
    return np.stack([encoder.embed_now(phrase) for phrase in PHRASES])


def lead(query: Floats, tools: Floats, phrases: Floats) -> float:
    """How much more a request is like the nearest tool than like the nearest phrase, -2 to 2."""
    return float((tools @ query).max() - (phrases @ query).max())
