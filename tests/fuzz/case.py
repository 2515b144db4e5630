"""One case: a document loaded, analysed and built, and requests routed by it."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

from fuzz.documents import Author
from fuzz.encoder import FakeEncoder
from fuzz.requests import request
from pointsman import runtime
from pointsman.config import examine, locate, masked
from pointsman.core.errors import ConfigError, StartError
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Reply
from pointsman.decisions.analysis import analyse_settings
from pointsman.decisions.rank import choose

REQUESTS = 3
_DEAD = re.compile(r"^(recipes\[0\]\.)?routing\.decisions\[(\d+)\]\.rules$")


def run(seed: int) -> str:
    """What became of a case: ``refused``, ``unbuilt`` or ``routed``. Raises whatever should not happen."""
    author = Author(seed)
    text = json.dumps(author.document())
    try:
        located = locate(text, {"HOME": "/nowhere"})
    except ConfigError as error:
        return _refused(error)
    settings = located.settings
    problems = [located.place(problem) for problem in (*analyse_settings(settings), *examine(settings))]
    assert all("(line " in problem.message for problem in problems)
    masked(settings)
    broken = author.random.random() < 0.2

    def load(_: Any, sources: Any) -> FakeEncoder:
        names = (
            source.prefix + each.name for source in sources for each in source.routing.signals.classifiers
        )
        return FakeEncoder(broken=broken, plugged=dict.fromkeys(names, ("x", "y")))

    with mock.patch.object(runtime, "_load_encoder", load):
        try:
            built = runtime.build(settings, {})
        except (ConfigError, StartError):
            return "unbuilt"
    dead = {
        (problem.path.startswith("recipes"), int(found[2]))
        for problem in problems
        if (found := _DEAD.match(problem.path)) and _never(problem.message)
    }
    try:
        asyncio.run(_route(built, seed, dead))
    finally:
        built.close()
    return "routed"


def _refused(error: ConfigError) -> str:
    assert all(problem.message and problem.remedy for problem in error.problems), error
    return "refused"


def _never(message: str) -> bool:
    return "can never " in message or "which always wins" in message


async def _route(built: Any, seed: int, dead: set[tuple[bool, int]]) -> None:
    for number in range(REQUESTS):
        head, body = request(seed * REQUESTS + number)
        early = built.pipeline.preview(head, managed=True)
        assert early is None or early.status < 500
        ruling: Ruling = await built.pipeline.route(head, body)
        _agrees(built, ruling, dead)


def _agrees(built: Any, ruling: Ruling, dead: set[tuple[bool, int]]) -> None:
    """What was decided is what the definition says, and nothing that the analysis called impossible."""
    if isinstance(ruling.verdict, Reply):
        assert ruling.verdict.status != 500, ruling.verdict.body
    trace, match = ruling.trace, ruling.trace.match
    if match is None or trace.request is None:
        return
    pipeline = built.pipeline
    policy = pipeline.recipes.get(trace.request.model, pipeline.policy)
    defined = choose(policy.decisions, trace.signals, policy.strategy)
    assert (match.decision, match.confidence) == (defined.decision, defined.confidence)
    assert tuple(match.traces) == tuple(defined.traces)
    if match.decision is not None and not any(signal.error for signal in trace.signals):
        index = policy.decisions.index(match.decision)
        assert (policy is not pipeline.policy, index) not in dead, f"decision {index} cannot win, and did"


def failures(first: int, count: int) -> Iterator[tuple[int, str | Exception]]:
    """Each case's number with what became of it."""
    for seed in range(first, first + count):
        try:
            yield seed, run(seed)
        except Exception as error:  # noqa: BLE001  # every kind is a finding
            yield seed, error
