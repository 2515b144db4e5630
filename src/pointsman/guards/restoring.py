"""Putting values back into a text that comes in pieces."""

from collections.abc import Callable

from pointsman.guards.placeholders import LONGEST, PATTERN, Vault


class Restorer:
    """One stream of text with placeholders in, without them out, however it is cut.

    Held back is only what may be the beginning of a placeholder: at most ``LONGEST`` characters.
    ``quote`` fits a value to its surroundings (a JSON string within a string).
    """

    def __init__(self, vault: Vault, quote: Callable[[str], str] | None = None) -> None:
        self._vault = vault
        self._quote = quote or _as_it_is
        self._before = ""
        self._held = ""

    @property
    def held(self) -> int:
        """Characters held back."""
        return len(self._held)

    async def feed(self, text: str) -> str:
        """What can be said now, of what was held back and ``text``."""
        buffer = self._before + self._held + text
        return self._say(buffer, self._limit(buffer))

    async def flush(self) -> str:
        """The rest: nothing follows."""
        buffer = self._before + self._held
        return self._say(buffer, len(buffer))

    def _limit(self, buffer: str) -> int:
        """Where the text begins that may be part of a placeholder."""
        first = max(len(self._before), len(buffer) - LONGEST)
        for place in range(first, len(buffer)):
            bare = place == 0 or not (buffer[place - 1].isascii() and _wordly(buffer[place - 1]))
            if self._vault.could_grow(buffer[place:], bare=bare):
                return place
        return len(buffer)

    def _say(self, buffer: str, limit: int) -> str:
        done = len(self._before)
        parts: list[str] = []
        for hit in PATTERN.finditer(buffer, done):
            if hit.end() > limit:
                break
            value = self._vault.value(hit[0])
            if value is None:
                continue
            parts += (buffer[done : hit.start()], self._quote(value))
            done = hit.end()
        parts.append(buffer[done:limit])
        self._before, self._held = buffer[max(0, limit - 1) : limit], buffer[limit:]
        return "".join(parts)


def _wordly(character: str) -> bool:
    return character.isalnum() or character == "_"


def _as_it_is(value: str) -> str:
    return value
