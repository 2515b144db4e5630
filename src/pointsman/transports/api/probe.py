"""A text or conversation dressed up as the chat request it would have been."""

import msgspec

from pointsman.core.errors import RequestError, Unavailable
from pointsman.core.request import Head
from pointsman.core.router import Router
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Reply
from pointsman.transports.api.errors import with_status
from pointsman.transports.api.shapes import IntentRequest, Turn

CHAT_PATH = "/v1/chat/completions"


async def probe(router: Router | None, asked: IntentRequest, *, virtual: str, request_id: str) -> Ruling:
    """Route it and return the ruling; nothing is sent anywhere.

    Raises `Unavailable` without a router, and the ruling's own error when it was refused before any
    decision was looked at.
    """
    if router is None:
        raise Unavailable("no configuration is built yet", retry_after=1)
    head = Head("POST", CHAT_PATH, {"content-type": "application/json", "x-request-id": request_id})
    ruling = await router.route(head, _body(asked, virtual))
    if isinstance(ruling.verdict, Reply) and ruling.trace.error and ruling.trace.match is None:
        raise with_status(ruling.verdict.status, ruling.trace.error)
    return ruling


def _body(asked: IntentRequest, virtual: str) -> bytes:
    model = asked.model or virtual
    if not model:
        raise RequestError("model: the document has no virtual model, so one must be named", param="model")
    if not asked.messages and not asked.text.strip():
        raise RequestError("text: must not be empty when there are no messages", param="text")
    body: dict[str, object] = {
        "model": model,
        "messages": asked.messages or [Turn("user", asked.text)],
    }
    if asked.tools:
        body["tools"] = asked.tools
    if asked.metadata:
        body["metadata"] = asked.metadata
    return msgspec.json.encode(body)
