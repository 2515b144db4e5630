"""Checking an answer while it is written: what the client gets was read first."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import msgspec

from pointsman.core.errors import HttpError, RequestError, Unavailable
from pointsman.core.guard import GuardOutcome, Outcome
from pointsman.guards.answers import Cut, LaneWork, each_slot
from pointsman.guards.lanes import Slot
from pointsman.guards.reading import Scanner, Wanted, jailbreak, personal
from pointsman.guards.unmasking import in_quotes
from pointsman.pii import Finding

TIMEOUT_S = 4.0
"""For one check of one stretch of an answer."""
CONTEXT = 200
"""Characters already sent that are read again with what follows them."""
MARGIN = 48
"""Characters at the end that wait for what follows: half a name or number shows nothing."""
_SENTENCE = re.compile(r"[.!?\u3002\uff01\uff1f\n][\"')\]]*(?=\s|$)|[\u3002\uff01\uff1f\n]")
_EDGE = re.compile(r"[\s\u3000-\u303f]")
CUT_MESSAGE = "The rest of this answer was withheld by a content filter."

Report = Callable[[GuardOutcome], None]


def unreported(outcome: GuardOutcome) -> None:
    """A report that nobody reads."""


class AnswerRefused(RequestError):
    """A guard does not let the answer pass (403)."""

    status = 403
    type = "content_filter"


class Check(msgspec.Struct, frozen=True):
    """What answers are checked for, and what a finding does."""

    guard: str
    """``response_jailbreak`` or ``response_pii``."""
    action: str
    """``block``, ``mask``, ``header`` or ``none``."""
    scanner: Scanner
    report: Report
    threshold: float = 0.7
    """Least score of an attack."""
    wanted: Wanted | None = None
    """Which personal data counts; ``None`` looks for attacks."""
    window: int = 400
    """Most characters of one text held back."""


class Watching:
    """A ``Treatment`` that lets only what was checked pass; made for one answer."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.found: set[str] = set()
        self.score = 0.0
        self.streamed = False
        self._told = False
        self._failed = False

    @property
    def guarding(self) -> bool:
        """Whether nothing may pass unread."""
        return self.check.action in {"block", "mask"}

    @property
    def objected(self) -> bool:
        """Whether a check found something, or could not be made."""
        return bool(self.found) or self._failed

    def lane(self, *, quoted: bool) -> LaneWork:
        """The check of one text."""
        self.streamed = True
        return _Watched(self, quoted=quoted)

    async def whole(self, document: Any) -> Any:
        """Check every text of a whole answer."""

        async def one(slot: Slot) -> str:
            watched = _Watched(self, quoted=slot.quoted)
            return await watched.read(slot.text)

        return await each_slot(document, one)

    def last_words(self) -> list[str]:
        """The guard's name, when it found something and may only tell."""
        return [self.check.guard] if self.found and self.check.action == "header" else []

    def finished(self) -> None:
        """Count the answer, once."""
        if not self._told:
            self._tell(Outcome.FOUND if self.found else Outcome.CLEAN)

    async def findings(self, text: str) -> tuple[Finding, ...]:
        """What is found in a text: personal data, or one finding over all of it for an attack.

        Ends the answer when it must. A check that cannot run ends it too, unless findings are only told.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await self._find(text)
        except Exception as error:
            self._failed = True
            self._tell(Outcome.FAILED, detail=type(error).__name__)
            if self.guarding:
                raise Unavailable("the answer cannot be checked now", retry_after=1) from error
            return ()
        self.found |= {str(each.label) for each in found}
        return found

    async def _find(self, text: str) -> tuple[Finding, ...]:
        check = self.check
        if check.wanted is not None:
            [found] = await personal(check.scanner, [text], check.wanted)
        else:
            self.score = max(self.score, score := await jailbreak(check.scanner, [text]))
            hit = score >= check.threshold
            found = (Finding("JAILBREAK", 0, len(text), score, ()),) if hit else ()
        return found

    def refuse(self) -> None:
        """End the answer: an error when nothing of it was sent, the last words of a stream else."""
        self._tell(Outcome.FOUND)
        if self.streamed:
            raise Cut(CUT_MESSAGE)
        error: HttpError = AnswerRefused("the model's answer was withheld by a content filter")
        raise error

    def _tell(self, outcome: Outcome, detail: str = "") -> None:
        if self._told:
            return
        self._told = True
        kinds = tuple(sorted(self.found)) if self.check.wanted is not None else ()
        self.check.report(
            GuardOutcome(self.check.guard, self.check.action, outcome, self.score, kinds, detail)
        )


class _Watched:
    """The check of one text. Holds back at most twice the window."""

    def __init__(self, owner: Watching, *, quoted: bool) -> None:
        self._owner = owner
        self._quoted = quoted
        self._context = ""
        self._pending = ""
        self._unread = ""
        self._read = 0

    async def feed(self, text: str) -> str:
        """What was read and may go."""
        if not self._owner.guarding:
            await self._overhear(text)
            return text
        self._pending += text
        window = self._owner.check.window
        if len(self._pending) < window and not self._sentence_ends():
            return ""
        # What was read and could not go yet is read again only when it has grown.
        if len(self._pending) < min(self._read + MARGIN, 2 * window):
            return ""
        return await self._release(len(self._pending) - (MARGIN if len(self._pending) < 2 * window else 0))

    async def flush(self) -> str:
        """The rest, read."""
        if not self._owner.guarding:
            await self._overhear("", last=True)
            return ""
        return await self._release(len(self._pending))

    async def read(self, text: str) -> str:
        """A whole text."""
        self._pending = text
        if self._owner.guarding:
            return await self._release(len(text))
        await self._owner.findings(text)
        return text

    def _sentence_ends(self) -> bool:
        """Whether a sentence ended well before the end of what waits."""
        if len(self._pending) < self._owner.check.window // 4 + MARGIN:
            return False
        return _SENTENCE.search(self._pending, 0, len(self._pending) - MARGIN) is not None

    async def _release(self, upto: int) -> str:
        """Read what waits and let go of its first ``upto`` characters, or fewer: words stay whole."""
        if not self._pending:
            return ""
        found = await self._owner.findings(self._context + self._pending)
        if found and self._owner.check.action == "block":
            self._owner.refuse()
        offset = len(self._context)
        if upto < len(self._pending):
            edges = [hit.start() for hit in _EDGE.finditer(self._pending, 0, upto)]
            upto = edges[-1] if edges else 0
            upto = min(
                [upto, *(each.start - offset for each in found if each.start < offset + upto < each.end)]
            )
        if upto <= 0:
            self._read = len(self._pending)
            return ""
        self._read = 0
        raw = self._pending[:upto]
        out: list[str] = []
        end = 0
        for each in found:
            start, stop = max(0, each.start - offset), each.end - offset
            if stop <= end or start >= upto:
                continue
            out += (raw[end : max(end, start)], self._covered(each))
            end = min(stop, upto)
        out.append(raw[end:])
        self._context = (self._context + raw)[-CONTEXT:]
        self._pending = self._pending[upto:]
        return "".join(out)

    def _covered(self, finding: Finding) -> str:
        text = f"[{finding.label}]"
        return in_quotes(text) if self._quoted else text

    async def _overhear(self, text: str, *, last: bool = False) -> None:
        self._unread += text
        if self._unread and (last or len(self._unread) >= self._owner.check.window):
            await self._owner.findings(self._context + self._unread)
            self._context, self._unread = (self._context + self._unread)[-CONTEXT:], ""
