"""Handlers that classify: one text, many texts, and a whole routing decision."""

from collections import Counter
from collections.abc import Mapping

from aiohttp import web

from pointsman.core.errors import RequestError
from pointsman.transports.api.context import REQUEST_ID, Context, answer
from pointsman.transports.api.errors import NoClassifier, UnknownTask
from pointsman.transports.api.probe import probe
from pointsman.transports.api.report import eval_response, intent_response, strongest
from pointsman.transports.api.shapes import (
    BatchRequest,
    BatchResponse,
    BatchResult,
    BatchStatistics,
    IntentRequest,
    Options,
)

_LATER_TASKS = ("pii", "security", "all")


async def classify_intent(context: Context, request: web.Request) -> web.Response:
    """What a text is and where it would go."""
    asked = await context.read(request, IntentRequest)
    started = context.clock()
    with context.gate.enter():
        ruling = await probe(
            context.backend.router(),
            asked,
            virtual=context.backend.virtual_model(),
            request_id=request[REQUEST_ID],
        )
        trace = ruling.trace
        domains: Mapping[str, float] = {}
        if asked.options.return_probabilities or trace.match is None or trace.match.decision is None:
            text = trace.request.text if trace.request else asked.text
            domains = await context.backend.domain_probabilities(text)
    elapsed = context.elapsed_ms(started)
    return answer(intent_response(trace, domains, asked.options, elapsed_ms=elapsed))


async def evaluate(context: Context, request: web.Request) -> web.Response:
    """Everything that would happen to a request, without sending it."""
    asked = await context.read(request, IntentRequest)
    with context.gate.enter():
        ruling = await probe(
            context.backend.router(),
            asked,
            virtual=context.backend.virtual_model(),
            request_id=request[REQUEST_ID],
        )
    trace = asked.options.trace or request.query.get("trace") == "true"
    return answer(eval_response(ruling.trace, Options(trace=trace)))


async def classify_batch(context: Context, request: web.Request) -> web.Response:
    """The domain of each text. A batch counts as one classification and does its texts one by one."""
    asked = await context.read(request, BatchRequest)
    _check_batch(asked, context.limits.max_batch)
    started = context.clock()
    with context.gate.enter():
        results = [await _classify_one(context, text, asked.options) for text in asked.texts]
    return answer(
        BatchResponse(
            results=results,
            total_count=len(results),
            processing_time_ms=context.elapsed_ms(started),
            statistics=_statistics(results, asked.options.confidence_threshold),
        )
    )


async def _classify_one(context: Context, text: str, options: Options) -> BatchResult:
    started = context.clock()
    domains = await context.backend.domain_probabilities(text)
    if not domains:
        raise NoClassifier("there is no encoder, so texts cannot be classified")
    category, confidence = strongest(domains)
    return BatchResult(
        category=category,
        confidence=confidence,
        processing_time_ms=context.elapsed_ms(started),
        probabilities=dict(domains) if options.return_probabilities else None,
    )


def _check_batch(asked: BatchRequest, limit: int) -> None:
    if asked.task_type in _LATER_TASKS:
        message = f"task_type: {asked.task_type!r} is not part of this version; use 'intent'"
        raise UnknownTask(message, param="task_type")
    if asked.task_type not in {"", "intent"}:
        raise UnknownTask("task_type: must be 'intent'", param="task_type")
    if not asked.texts:
        raise RequestError("texts: must not be empty", param="texts")
    if len(asked.texts) > limit:
        raise RequestError(f"texts: at most {limit}, got {len(asked.texts)}", param="texts")
    for index, text in enumerate(asked.texts):
        if not text.strip():
            raise RequestError(f"texts[{index}]: must not be empty", param=f"texts[{index}]")


def _statistics(results: list[BatchResult], threshold: float) -> BatchStatistics:
    return BatchStatistics(
        category_distribution=dict(Counter(result.category for result in results)),
        avg_confidence=sum(result.confidence for result in results) / len(results),
        low_confidence_count=sum(result.confidence < threshold for result in results),
    )
