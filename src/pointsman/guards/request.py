"""Guards of requests: looking runs beside the signals, judging waits for the decision."""

import asyncio
from collections.abc import Awaitable, Sequence
from enum import StrEnum

import msgspec

from pointsman.core.errors import HttpError, RequestError, Unavailable
from pointsman.core.guard import GuardOutcome, Outcome
from pointsman.core.request import ChatRequest
from pointsman.dialects.request_body import body_of
from pointsman.guards import headers
from pointsman.guards.masking import TooLong, check_length
from pointsman.guards.reading import Scanner, Wanted, jailbreak, personal
from pointsman.guards.texts import Text, texts_of

JAILBREAK, PII = "jailbreak", "pii"
MASK_PLUGIN = "pii_mask"
"""The plugin that takes the place of the pii guard in its decision."""
_SYSTEM = frozenset({"system", "developer"})
_JOINED = 4000
"""Characters of the user's turns read once more in one piece: an attack may be split over them."""


class Action(StrEnum):
    """What a finding does."""

    BLOCK = "block"
    MASK = "mask"
    ROUTE = "route"
    OBSERVE = "observe"


class JailbreakCheck(msgspec.Struct, frozen=True):
    """What is looked for in attacks, and what a finding does."""

    action: Action
    threshold: float
    message: str
    include_history: bool = True
    include_system: bool = False
    model: str = ""
    status: int = 200


class PiiCheck(msgspec.Struct, frozen=True):
    """Which personal data counts, and what a finding does."""

    action: Action
    wanted: Wanted
    message: str
    include_history: bool = True
    model: str = ""
    status: int = 200


class Refusal(msgspec.Struct, frozen=True):
    """The answer in place of a model's."""

    message: str
    status: int
    headers: dict[str, str]


class Refused(RequestError):
    """A guard does not let the request pass (403)."""

    status = 403


class Judgement(msgspec.Struct, frozen=True):
    """What guards make of a request."""

    outcomes: tuple[GuardOutcome, ...] = ()
    refusal: Refusal | None = None
    error: HttpError | None = None
    """A guard that must hold could not run."""
    model: str = ""
    """Where the request goes whatever was decided; empty: where it was decided."""
    mask: Wanted | None = None
    """What is replaced by placeholders."""

    @property
    def headers(self) -> dict[str, str]:
        """What the client is told of a request that went on."""
        return headers.findings(self.outcomes)


NOTHING = Judgement()


class RequestGuards(msgspec.Struct, frozen=True):
    """The document's ``guards``: for every request with text."""

    scanner: Scanner
    jailbreak: JailbreakCheck | None = None
    pii: PiiCheck | None = None
    max_characters: int = 131_072
    timeout_s: float = 4.0

    async def look(self, request: ChatRequest) -> tuple[GuardOutcome, ...]:
        """What every guard finds. Raises nothing but cancellation: a failure is an outcome."""
        checks: list[Awaitable[GuardOutcome]] = []
        if self.jailbreak is not None:
            checks.append(
                self._within(JAILBREAK, self.jailbreak.action, self._attack(request, self.jailbreak))
            )
        if self.pii is not None:
            checks.append(self._within(PII, self.pii.action, self._personal(request, self.pii)))
        return tuple(await asyncio.gather(*checks))

    def judge(self, outcomes: Sequence[GuardOutcome], plugins: Sequence[object]) -> Judgement:
        """What follows from them, in a decision with these plugins.

        A finding that refuses comes before a failure, and that before a finding that routes; the jailbreak
        guard comes before the other.
        """
        own = any(getattr(plugin, "type", "") == MASK_PLUGIN for plugin in plugins)
        held = tuple(each for each in outcomes if not (own and each.guard == PII))
        refusal = next((self._refusal(each) for each in held if _found(each, Action.BLOCK)), None)
        failed = [each for each in held if each.outcome == Outcome.FAILED and each.action != Action.OBSERVE]
        mask = (
            self.pii.wanted if self.pii is not None and self.pii.action is Action.MASK and not own else None
        )
        return Judgement(
            outcomes=held,
            refusal=refusal,
            error=_failure(failed[0]) if failed and refusal is None else None,
            model=next((self._model(each) for each in held if _found(each, Action.ROUTE)), ""),
            mask=mask,
        )

    async def _within(self, guard: str, action: Action, check: Awaitable[GuardOutcome]) -> GuardOutcome:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await check
        except TooLong as error:
            return GuardOutcome(guard, action, Outcome.FAILED, detail=error.message)
        except Exception as error:  # noqa: BLE001  # a guard that fails is an outcome, and fails closed
            return GuardOutcome(guard, action, Outcome.FAILED, detail=type(error).__name__)

    async def _attack(self, request: ChatRequest, check: JailbreakCheck) -> GuardOutcome:
        texts = [
            text
            for text in _asked(request, history=check.include_history)
            if check.include_system or text.role not in _SYSTEM
        ]
        turns = [text for text in texts if text.role == "user"]
        values = [text.value for text in texts]
        if len({text.index for text in turns}) > 1:
            values.append(" ".join(text.value for text in turns)[-_JOINED:])
        in_full = sum(map(len, values)) <= self.max_characters
        score = await jailbreak(self.scanner, list(dict.fromkeys(values)), in_full=in_full)
        outcome = Outcome.FOUND if score >= check.threshold else Outcome.CLEAN
        return GuardOutcome(JAILBREAK, check.action, outcome, score=score)

    async def _personal(self, request: ChatRequest, check: PiiCheck) -> GuardOutcome:
        # What is masked is masked everywhere: an answer unmasked for the client comes back as history.
        everything = check.include_history or check.action is Action.MASK
        texts = _asked(request, history=everything)
        if check.action is not Action.OBSERVE:
            check_length(texts, self.max_characters)
        values = list(dict.fromkeys(text.value for text in texts))
        if sum(map(len, values)) > self.max_characters:
            values = [value[: self.max_characters // len(values)] for value in values]
        found = await personal(self.scanner, values, check.wanted)
        kinds = tuple(sorted({str(each.label) for findings in found for each in findings}))
        outcome = Outcome.FOUND if kinds else Outcome.CLEAN
        return GuardOutcome(PII, check.action, outcome, kinds=kinds)

    def _refusal(self, outcome: GuardOutcome) -> Refusal:
        check = self.jailbreak if outcome.guard == JAILBREAK else self.pii
        assert check is not None  # noqa: S101  # it made the outcome
        return Refusal(check.message, check.status, headers.blocked(outcome))

    def _model(self, outcome: GuardOutcome) -> str:
        check = self.jailbreak if outcome.guard == JAILBREAK else self.pii
        return check.model if check is not None else ""


def _asked(request: ChatRequest, *, history: bool) -> tuple[Text, ...]:
    """The request's texts, or those from the last user turn on (what tools answered since is new too)."""
    texts = texts_of(body_of(request), request.dialect)
    if history:
        return texts
    last = max((text.index for text in texts if text.role == "user"), default=-1)
    return tuple(text for text in texts if text.index >= last)


def _found(outcome: GuardOutcome, action: Action) -> bool:
    return outcome.outcome == Outcome.FOUND and outcome.action == action


def _failure(outcome: GuardOutcome) -> HttpError:
    if outcome.detail and " " in outcome.detail:
        return TooLong(outcome.detail, param="messages")
    return Unavailable(f"the {outcome.guard} guard cannot check the request now", retry_after=1)
