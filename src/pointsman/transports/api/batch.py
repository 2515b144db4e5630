"""The handler that classifies many texts."""

from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from pointsman.pii import confident
from pointsman.transports.api.context import Context, answer
from pointsman.transports.api.errors import NoClassifier, UnknownTask
from pointsman.transports.api.guard_report import JAILBREAK, is_jailbreak, verdict_confidence
from pointsman.transports.api.report import strongest
from pointsman.transports.api.shapes import BatchRequest, BatchResponse, BatchResult, BatchStatistics, Options

Task = Callable[[Context, str, Options], Awaitable[BatchResult]]


async def classify_batch(context: Context, request: web.Request) -> web.Response:
    """One result for each text. A batch counts as one classification and does its texts one by one."""
    asked = await context.read(request, BatchRequest)
    task = _TASKS.get(asked.task_type)
    if task is None:
        raise UnknownTask("task_type: must be 'intent', 'pii', 'security' or 'all'", param="task_type")
    context.check_texts(asked.texts, "texts")
    started = context.clock()
    with context.gate.enter():
        results = [await _timed(task, context, text, asked.options) for text in asked.texts]
    return answer(
        BatchResponse(
            results=results,
            total_count=len(results),
            processing_time_ms=context.elapsed_ms(started),
            statistics=_statistics(results, asked.options.confidence_threshold),
        )
    )


async def _timed(task: Task, context: Context, text: str, options: Options) -> BatchResult:
    started = context.clock()
    result = await task(context, text, options)
    return msgspec.structs.replace(result, processing_time_ms=context.elapsed_ms(started))


async def _intent(context: Context, text: str, options: Options) -> BatchResult:
    domains = await context.backend.domain_probabilities(text)
    if not domains:
        raise NoClassifier("there is no encoder, so texts cannot be classified")
    category, confidence = strongest(domains)
    return BatchResult(
        category=category,
        confidence=confidence,
        processing_time_ms=0,
        probabilities=dict(domains) if options.return_probabilities else None,
    )


async def _pii(context: Context, text: str, _options: Options) -> BatchResult:
    inspection = await context.backend.inspect(text)
    findings = confident(inspection.findings)
    types = list(dict.fromkeys(finding.label for finding in findings))
    # Without a finding, how sure we are is what the best doubt leaves.
    doubt = max((finding.score for finding in inspection.findings), default=0.0)
    confidence = max(finding.score for finding in findings) if findings else 1 - doubt
    return BatchResult(
        category=types[0] if types else "no_pii",
        confidence=confidence,
        processing_time_ms=0,
        pii_types=types,
    )


async def _security(context: Context, text: str, _options: Options) -> BatchResult:
    inspection = await context.backend.inspect(text)
    return BatchResult(
        category=JAILBREAK if is_jailbreak(inspection) else "safe",
        confidence=verdict_confidence(inspection),
        processing_time_ms=0,
        risk_score=inspection.jailbreak,
    )


async def _all(context: Context, text: str, options: Options) -> BatchResult:
    result = await _intent(context, text, options)
    pii, security = await _pii(context, text, options), await _security(context, text, options)
    return msgspec.structs.replace(result, pii_types=pii.pii_types, risk_score=security.risk_score)


_TASKS: dict[str, Task] = {"": _intent, "intent": _intent, "pii": _pii, "security": _security, "all": _all}


def _statistics(results: list[BatchResult], threshold: float) -> BatchStatistics:
    return BatchStatistics(
        category_distribution=dict(Counter(result.category for result in results)),
        avg_confidence=sum(result.confidence for result in results) / len(results),
        low_confidence_count=sum(result.confidence < threshold for result in results),
    )
