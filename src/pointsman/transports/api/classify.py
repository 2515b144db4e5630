"""Handlers that classify one text as the request it would have been: its domain, its decision, its model."""

from collections.abc import Mapping

from aiohttp import web

from pointsman.transports.api.context import REQUEST_ID, Context, answer
from pointsman.transports.api.probe import probe
from pointsman.transports.api.report import eval_response, intent_response
from pointsman.transports.api.shapes import IntentRequest, IntentResponse, Options


async def classify_intent(context: Context, request: web.Request) -> web.Response:
    """What a text is and where it would go."""
    asked = await context.read(request, IntentRequest)
    with context.gate.enter():
        return answer(await intent(context, asked, request_id=request[REQUEST_ID]))


async def intent(context: Context, asked: IntentRequest, *, request_id: str) -> IntentResponse:
    """The answer of `classify/intent`; the caller holds a place at the gate."""
    started = context.clock()
    router, virtual = context.backend.router(), context.backend.virtual_model()
    ruling = await probe(router, asked, virtual=virtual, request_id=request_id)
    trace = ruling.trace
    domains: Mapping[str, float] = {}
    if asked.options.return_probabilities or trace.match is None or trace.match.decision is None:
        text = trace.request.text if trace.request else asked.text
        domains = await context.backend.domain_probabilities(text)
    return intent_response(trace, domains, asked.options, elapsed_ms=context.elapsed_ms(started))


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
