"""Masking the personal data of a request body."""

import asyncio

import msgspec

from pointsman.core.errors import HttpError, RequestError, Unavailable
from pointsman.core.request import Dialect
from pointsman.dialects.body import Body
from pointsman.guards.placeholders import Repeats, TooManyValues, Vault, masked
from pointsman.guards.reading import Scanner, Wanted, personal
from pointsman.guards.texts import Text, rewritten, texts_of
from pointsman.pii import Finding, merge

_IN_LOOP = 4000
"""Characters up to which masking costs less than a change of thread."""


class TooLong(RequestError):
    """More text than a guard reads (413)."""

    status = 413


class Masked(msgspec.Struct, frozen=True):
    """A body without personal data, and what its placeholders stand for."""

    body: Body
    vault: Vault
    kinds: tuple[str, ...] = ()
    """Kinds that were found, sorted."""


def check_length(texts: tuple[Text, ...], limit: int) -> None:
    """Raise ``TooLong`` when ``texts`` are more than can be read in full."""
    length = sum(len(text.value) for text in texts)
    if length > limit:
        message = f"the request has {length} characters of text; at most {limit} can be checked"
        raise TooLong(message, param="messages")


async def mask(body: Body, dialect: Dialect, scanner: Scanner, wanted: Wanted, *, limit: int) -> Masked:
    """Replace what counts in every text. Raises ``HttpError`` when it cannot: nothing may leave then."""
    texts = texts_of(body, dialect)
    check_length(texts, limit)
    values = list(dict.fromkeys(text.value for text in texts))
    try:
        found = dict(zip(values, await personal(scanner, values, wanted), strict=True))
        if sum(map(len, values)) <= _IN_LOOP:
            return _masked(body, dialect, found)
        return await asyncio.to_thread(_masked, body, dialect, found)
    except HttpError:
        raise
    except TooManyValues as error:
        raise TooLong(str(error), param="messages") from error
    except Exception as error:
        # Whatever kept the text from being read: unread text does not leave. Never quotes it.
        raise Unavailable("personal data cannot be looked for now", retry_after=1) from error


def _masked(body: Body, dialect: Dialect, found: dict[str, tuple[Finding, ...]]) -> Masked:
    seen = {
        text[each.start : each.end]: str(each.label) for text, findings in found.items() for each in findings
    }
    kinds = tuple(sorted(set(seen.values())))
    repeats = Repeats(seen)
    vault = Vault()
    done: dict[str, str] = {}

    def visit(value: str, _role: str, _index: int) -> str:
        if value not in done:
            again = [*found.get(value, ()), *repeats.find(value)]
            done[value] = masked(value, merge(value, again), vault)
        return done[value]

    return Masked(rewritten(body, dialect, visit), vault, kinds)
