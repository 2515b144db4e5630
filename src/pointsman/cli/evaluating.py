"""Routing many cases through one document, a few at a time."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from pointsman.cli.document import virtual_name
from pointsman.config import Settings
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.decisions.compile import referenced
from pointsman.evaluation.case import Numbered
from pointsman.evaluation.cost import Price
from pointsman.evaluation.known import Known
from pointsman.evaluation.outcome import REFUSED, Judged, Outcome, judge, outcome_of
from pointsman.policy import Policy
from pointsman.runtime import Runtime, build


class Opened(msgspec.Struct, frozen=True):
    """A document that cases can be put through; ``close`` ends what it opened."""

    settings: Settings
    runtime: Runtime

    @classmethod
    def of(cls, settings: Settings) -> "Opened":
        """Build it. Raises ``ConfigError`` and ``StartError`` as serving would."""
        return cls(settings, build(settings, os.environ))

    def close(self) -> None:
        """End the encoder's threads."""
        self.runtime.close()

    @property
    def order(self) -> tuple[str, ...]:
        """Names of all decisions, as they stand in the document."""
        return tuple(dict.fromkeys(d.name for policy in self._policies() for d in policy.decisions))

    @property
    def known(self) -> Known:
        """Everything a case may expect."""
        decisions = [decision for policy in self._policies() for decision in policy.decisions]
        candidates = (candidate.target.name for each in decisions for candidate in each.candidates)
        return Known(
            frozenset(self.order),
            frozenset((*candidates, *self.runtime.catalog.targets)),
            frozenset(str(key) for key in referenced(decisions)),
        )

    @property
    def prices(self) -> dict[str, Price]:
        """By provider model, where the document has them."""
        return {
            model.name: Price(
                model.pricing.currency, model.pricing.prompt_per_1m, model.pricing.completion_per_1m
            )
            for model in self.settings.providers.models
            if model.pricing is not None
        }

    def _policies(self) -> tuple[Policy, ...]:
        pipeline = self.runtime.pipeline
        recipes = {policy.name: policy for policy in pipeline.recipes.values()}
        return (pipeline.policy, *recipes.values())


def put_through(
    opened: Opened, cases: Sequence[Numbered], *, concurrency: int, advance: Callable[[], None]
) -> tuple[Judged, ...]:
    """Route every case and judge it, ``concurrency`` at a time; ``advance`` is called after each."""
    settings = opened.settings
    return asyncio.run(
        route_all(
            # Rate limits count requests to models, and nothing is sent to one here.
            opened.runtime.pipeline.unmetered(),
            cases,
            virtual_name(settings),
            concurrency=concurrency,
            deadline_s=settings.gateway.limits.decision_timeout_ms / 1000,
            advance=advance,
        )
    )


class Router(Protocol):
    """The part of the pipeline that is asked."""

    async def route(self, head: Head, body: bytes) -> Ruling:
        """Decide one request."""


async def route_all(
    router: Router,
    cases: Sequence[Numbered],
    virtual: str,
    *,
    concurrency: int,
    deadline_s: float,
    advance: Callable[[], None],
) -> tuple[Judged, ...]:
    """Judge every case, in order. One that is not decided within ``deadline_s`` is refused, as in serving."""
    waiting = iter(enumerate(cases))
    judged: dict[int, Judged] = {}

    async def work() -> None:
        for index, numbered in waiting:
            judged[index] = judge(numbered, await _outcome(router, numbered, virtual, deadline_s))
            advance()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(cases))):
            group.create_task(work())
    return tuple(judged[index] for index in range(len(cases)))


async def _outcome(router: Router, numbered: Numbered, virtual: str, deadline_s: float) -> Outcome:
    try:
        async with asyncio.timeout(deadline_s):
            return outcome_of(await router.route(*numbered.case.request(virtual)))
    except TimeoutError:
        return Outcome(decision=REFUSED, error=f"no decision within {deadline_s * 1000:g} ms")
