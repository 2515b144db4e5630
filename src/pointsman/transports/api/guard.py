"""Handlers that look for personal data and jailbreaks."""

from aiohttp import web

from pointsman.transports.api.classify import intent
from pointsman.transports.api.context import REQUEST_ID, Context, answer
from pointsman.transports.api.guard_report import labels_asked, pii_response, security_response
from pointsman.transports.api.shapes import IntentRequest, Options
from pointsman.transports.api.shapes_guard import (
    CombinedRequest,
    CombinedResponse,
    PiiOptions,
    PiiRequest,
    SecurityOptions,
    SecurityRequest,
)


async def classify_pii(context: Context, request: web.Request) -> web.Response:
    """The personal data of a text."""
    asked = await context.read(request, PiiRequest)
    context.check_text(asked.text, "text")
    options = asked.options or PiiOptions()
    labels_asked(options)
    started = context.clock()
    with context.gate.enter():
        inspection = await context.backend.inspect(asked.text)
    return answer(pii_response(asked.text, inspection, options, elapsed_ms=context.elapsed_ms(started)))


async def classify_security(context: Context, request: web.Request) -> web.Response:
    """Whether a text tries to talk a model out of its rules."""
    asked = await context.read(request, SecurityRequest)
    context.check_text(asked.text, "text")
    started = context.clock()
    with context.gate.enter():
        inspection = await context.backend.inspect(asked.text)
    options = asked.options or SecurityOptions()
    return answer(security_response(inspection, options, elapsed_ms=context.elapsed_ms(started)))


async def classify_combined(context: Context, request: web.Request) -> web.Response:
    """Domain and decision, personal data and jailbreak at once; one inspection serves the latter two."""
    asked = await context.read(request, CombinedRequest)
    context.check_text(asked.text, "text")
    pii, security = asked.pii_options or PiiOptions(), asked.security_options or SecurityOptions()
    labels_asked(pii)
    as_intent = IntentRequest(text=asked.text, options=asked.intent_options or Options())
    started = context.clock()
    with context.gate.enter():
        inspection = await context.backend.inspect(asked.text)
        inspected = context.elapsed_ms(started)
        found = await intent(context, as_intent, request_id=request[REQUEST_ID])
    return answer(
        CombinedResponse(
            intent=found,
            pii=pii_response(asked.text, inspection, pii, elapsed_ms=inspected),
            security=security_response(inspection, security, elapsed_ms=inspected),
            processing_time_ms=context.elapsed_ms(started),
        )
    )
