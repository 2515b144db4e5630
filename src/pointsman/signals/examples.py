"""The document's example texts as vectors: embedded once, when the router is built."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.signals.base import Floats, TextEncoder

MAX_EXAMPLES: Final = 2048
"""Most example texts of one family or knowledge base; each costs about 2 ms when the router is built."""


def embedded(
    encoder: TextEncoder, texts: Mapping[str, Sequence[str]], *, where: str, most: int = MAX_EXAMPLES
) -> dict[str, Floats]:
    """The vectors of some named sets of texts, each of one text or more, shape (texts, dimension).

    Raises ConfigError at the key path ``where`` when there are more than ``most`` in all.
    """
    count = sum(len(each) for each in texts.values())
    if count > most:
        message = f"has {count} example texts, more than {most}"
        remedy = "keep those that differ most; near duplicates add nothing"
        raise ConfigError([Problem(Severity.ERROR, where, message, remedy)])
    return {name: np.stack([encoder.embed_now(text) for text in each]) for name, each in texts.items()}
