"""One candidate chosen, whatever happens: the algorithm's word, or the first one when it fails."""

import asyncio
from collections.abc import Sequence

from pointsman.core.errors import HttpError
from pointsman.core.model import Candidate, Selection
from pointsman.selection.base import Asked, Selector

SINGLE = "single"
STATIC = "static"


async def select(
    selector: Selector | None,
    written: Sequence[Candidate],
    able: Sequence[Candidate],
    asked: Asked,
    *,
    timeout_s: float = 1.0,
) -> Selection:
    """One of ``able``, the candidates of ``written`` that can serve now; neither is empty.

    Choosing is an optimisation and fails open: a selector that raises, or is late, costs its choice, not the
    request. What a selector refuses in words for the client (``HttpError``) is refused.
    """
    if len(written) == 1:
        return Selection(written[0], SINGLE)
    reason = "" if len(able) == len(written) else "others cannot serve now"
    if selector is None:
        return Selection(able[0], STATIC, reason)
    if len(able) == 1:
        return Selection(able[0], selector.algorithm, reason)
    try:
        async with asyncio.timeout(timeout_s):
            choice = await selector.choose(able, asked)
    except HttpError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever an algorithm raises, a candidate is still there
        return Selection(able[0], selector.algorithm, f"failed: {type(error).__name__}", fallback=True)
    return Selection(choice.candidate, selector.algorithm, choice.reason, fallback=choice.fallback)
