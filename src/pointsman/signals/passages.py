"""What a guard reads of a conversation, and how a long text is cut for comparison."""

from collections.abc import Sequence
from typing import Final

from pointsman.core.request import ChatRequest

MESSAGES: Final = 16
"""Earlier messages read one by one, the latest; what is older is read as one text. One by one is cheaper over
a conversation: the encoder still knows what it read of them at the turn before."""
PASSAGE: Final = 1000
"""Characters of a passage in ASCII, a third of it in other scripts: what the encoder reads whole."""
OVERLAP: Final = 0.1
"""Share of a passage that the next one has too."""
PASSAGES: Final = 12
"""Most passages of one text; of a longer text they are evenly spaced."""


def conversation(request: ChatRequest, *, history: bool) -> tuple[str, ...]:
    """The current text and, with ``history``, all earlier messages, whoever wrote them; none empty."""
    earlier = [message.text for message in request.earlier] if history else []
    latest = earlier[-MESSAGES:]
    older = "\n\n".join(text for text in earlier[:-MESSAGES] if text.strip())
    return tuple(dict.fromkeys(text for text in (request.text, *reversed(latest), older) if text.strip()))


def passages(text: str) -> Sequence[str]:
    """A text in overlapping pieces that together are all of it, or evenly spaced if it is very long."""
    size = PASSAGE if text.isascii() else PASSAGE // 3
    if len(text) <= size:
        return (text,)
    shared = round(OVERLAP * size)
    count = min(-(-(len(text) - shared) // (size - shared)), PASSAGES)
    last = len(text) - size
    return [
        text[start : start + size] for start in (round(index * last / (count - 1)) for index in range(count))
    ]
