"""What a client asked for, independent of the wire it came on."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Dialect(StrEnum):
    """The API a body is written in."""

    OPENAI_CHAT = "openai_chat"
    OPENAI_COMPLETIONS = "openai_completions"
    OPENAI_EMBEDDINGS = "openai_embeddings"
    OPENAI_RESPONSES = "openai_responses"
    ANTHROPIC_MESSAGES = "anthropic_messages"
    ENGINE = "engine"
    """An engine's own: nothing is read but the model, nothing is translated."""


class Head(msgspec.Struct, frozen=True):
    """The request line and headers, as the data plane saw them. Header names are lower case."""

    method: str
    path: str
    """Path with query, e.g. ``/v1/chat/completions?x=1``."""
    headers: Mapping[str, str]

    @property
    def route_path(self) -> str:
        """The path without its query: what routing and method checks look at."""
        return self.path.partition("?")[0]

    @property
    def request_id(self) -> str:
        """The data plane's ``x-request-id``, or an empty string."""
        return self.headers.get("x-request-id", "")


class Message(msgspec.Struct, frozen=True):
    """One turn, reduced to its role and its text parts joined by newlines."""

    role: str
    text: str
    tool_calls: tuple[str, ...] = ()
    """Names of the tools an assistant calls in this turn, in order."""
    images: int = 0
    """Image parts in this turn."""


class Identity(msgspec.Struct, frozen=True):
    """Who asks, as the gateway before us says in headers; empty where it says nothing."""

    user: str = ""
    groups: tuple[str, ...] = ()
    team: str = ""
    tenant: str = ""
    session: str = ""


class ChatRequest(msgspec.Struct, frozen=True):
    """One inference request. ``raw`` is the body as received: what no one changes is forwarded as it came."""

    dialect: Dialect
    model: str
    messages: tuple[Message, ...]
    raw: bytes
    stream: bool = False
    metadata: Mapping[str, str] = {}
    user: str = ""
    """The body's own ``user`` field: what the client claims, not who it is."""
    tools: tuple[str, ...] = ()
    """Names of the tools offered to the model, in order."""
    identity: Identity = Identity()
    boundary: str = ""
    """Of a multipart body; empty where the body is JSON, or there is none."""
    opaque: bool = False
    """Whether the body is neither JSON nor a form, so that nobody can read it."""

    @property
    def text(self) -> str:
        """What signals read: the last user turn or, without one, all non-user turns joined."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text
        return "\n".join(message.text for message in self.messages)

    @property
    def earlier(self) -> tuple[Message, ...]:
        """Every message before the last user turn, which ``text`` is; all of them without a user turn."""
        for index in range(len(self.messages) - 1, -1, -1):
            if self.messages[index].role == "user":
                return self.messages[:index]
        return self.messages
