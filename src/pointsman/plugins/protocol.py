"""Between the API a client speaks and the one its model's endpoints speak.

Plugins work on chat completions wherever a translation is needed anyway: a request in Anthropic's format for
an OpenAI engine is translated before them (``enter``), one in OpenAI's for an Anthropic provider after them
(``leave``). A request in Anthropic's format for endpoints that speak it stays as it is; only when some plugin
must see the answer is that answer translated there and back, so that every filter reads chat completions.
"""

from collections.abc import Callable

import msgspec

from pointsman.core.errors import RequestError
from pointsman.core.model import Target
from pointsman.core.request import Dialect
from pointsman.dialects.anthropic.answers import ChatToMessages, MessagesToChat
from pointsman.dialects.anthropic.chat_to_request import chat_to_request, includes_usage
from pointsman.dialects.anthropic.loss import Translated, header_value
from pointsman.dialects.anthropic.request_to_chat import request_to_chat
from pointsman.dialects.body import parse_object
from pointsman.plugins.draft import Draft

VERSION = "2023-06-01"
"""Of Anthropic's API; there is no later one."""
_VERSION = "anthropic-version"
_ONLY_ANTHROPIC = (_VERSION, "anthropic-beta", "anthropic-dangerous-direct-browser-access", "x-api-key")
_CHAT, _MESSAGES = Dialect.OPENAI_CHAT, Dialect.ANTHROPIC_MESSAGES


def enter(draft: Draft) -> Draft:
    """The draft as the plugins are to see it.

    Raises ``RequestError`` when the model's endpoints cannot be asked this in any format.
    """
    target, client = draft.selection.candidate.target, draft.request.dialect
    if client is _MESSAGES and not target.speaks_messages:
        translated = request_to_chat(draft.request.raw, vllm=target.extended)
        draft = _credentials(draft, target, "authorization", lambda key: f"Bearer {key}")
        for name in _ONLY_ANTHROPIC:
            draft = draft.without_header(name)
        return _translated(draft, _CHAT, translated)
    if target.speaks_messages and client not in {_CHAT, _MESSAGES}:
        message = f'model "{target.name}" serves chat completions and messages only'
        raise RequestError(message, param="model")
    return draft


def leave(draft: Draft, client: Dialect, *, created: int) -> Draft:
    """The draft as the model's endpoints are to see it, its answer on the way back to ``client``'s format."""
    spoken = draft.request.dialect
    target = draft.selection.candidate.target
    if client is _MESSAGES and spoken is _CHAT:
        return draft.answered_through(ChatToMessages)
    if not target.speaks_messages:
        return draft
    usage = spoken is _CHAT and draft.request.stream and includes_usage(draft.body.encode())
    back = lambda: MessagesToChat(created=created, usage=usage)  # noqa: E731  # made anew for each answer
    if client is _MESSAGES:
        if "x-api-key" in target.headers:
            draft = draft.without_header("authorization")
        if not draft.answers:
            return draft
        return msgspec.structs.replace(draft, answers=(back, *draft.answers, ChatToMessages))
    draft = _credentials(draft, target, "x-api-key", lambda key: key).with_header(_VERSION, VERSION)
    draft = draft.without_header("authorization")
    draft = msgspec.structs.replace(draft, answers=(back, *draft.answers))
    return _translated(draft, _MESSAGES, chat_to_request(draft.body.encode()))


def _translated(draft: Draft, spoken: Dialect, translated: Translated) -> Draft:
    note = f"protocol: {draft.request.dialect} -> {spoken}"
    request = msgspec.structs.replace(draft.request, dialect=spoken, raw=translated.body)
    draft = msgspec.structs.replace(draft, request=request, losses=(*draft.losses, *translated.losses))
    return draft.changed(parse_object(translated.body), note)


def _credentials(draft: Draft, target: Target, name: str, say: Callable[[str], str]) -> Draft:
    """The client's own key under the name the endpoints look for, unless they have one of their own."""
    bearer = draft.received.get("authorization", "")
    key = draft.received.get("x-api-key", "") or bearer.removeprefix("Bearer ").strip()
    return draft if name in target.headers or not key else draft.with_header(name, say(key))


def warnings(draft: Draft) -> str:
    """What the translation could not carry, for the client."""
    return header_value(draft.losses)
