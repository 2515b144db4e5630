"""The shape of the conversation: its turns, the tools offered and called, images.

A feature is a number, bounded by the rule's predicate; ``exists`` is 1 or 0, and without a predicate more
than nothing matches. A tool cycle is complete with the tool's answer, so cycles are messages of tools. A tool
loop is active while the last message is a tool's, while the last user turn directly follows one, or while
more calls than answers were made.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.predicate import EXISTS, Bounds, bounds, within

FAMILY: Final = "conversation"
Source = Literal[
    "message",
    "tool_definition",
    "assistant_tool_call",
    "assistant_tool_cycle",
    "active_tool_loop",
    "image_content",
]
_NOT_THE_USERS = "non_user"


class ConversationRule(msgspec.Struct, frozen=True):
    """A measurement of the conversation and the values that match."""

    name: str
    source: Source
    role: str = ""
    """Of the messages counted: a role, ``non_user`` for all but the user's, or empty for all."""
    exists: bool = False
    """Whether the number is 1 or 0 rather than a count."""
    bounds: Bounds = EXISTS

    @property
    def key(self) -> SignalKey:
        """The signal that conditions refer to."""
        return SignalKey(FAMILY, self.name)


class ConversationEvaluator:
    """All conversation rules in use."""

    family = FAMILY
    immediate = True

    def __init__(self, rules: Sequence[ConversationRule]) -> None:
        self._rules = tuple(rules)
        self.keys = frozenset(rule.key for rule in rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule, with a confidence of 1 where it matches."""
        return tuple(_signal(rule, request) for rule in self._rules)


def build(signals: Signals, used: AbstractSet[SignalKey], where: str) -> ConversationEvaluator:
    """The evaluator of the rules in use; ``where`` is the key path of their routing.

    Raises ConfigError for roles of what are no messages.
    """
    problems: list[Problem] = []
    rules: list[ConversationRule] = []
    for index, rule in enumerate(signals.conversation):
        source = rule.feature.source
        made = ConversationRule(
            rule.name, source.type, source.role, rule.feature.type == "exists", bounds(rule.predicate)
        )
        if made.key not in used:
            continue
        if source.role and source.type != "message":
            path = f"{where}.signals.conversation[{index}].feature.source.role"
            problems.append(Problem(Severity.ERROR, path, f"{source.type} has no role", "remove it"))
        rules.append(made)
    if problems:
        raise ConfigError(problems)
    return ConversationEvaluator(rules)


def _signal(rule: ConversationRule, request: ChatRequest) -> Signal:
    count = _COUNTS[rule.source](rule, request)
    value = min(count, 1) if rule.exists else count
    matched = within(value, rule.bounds)
    role = f" of {rule.role}" if rule.role else ""
    detail = f"{rule.source}{role} {value}" if matched else ""
    return Signal(rule.key, matched, confidence=float(matched), detail=detail)


def _messages(rule: ConversationRule, request: ChatRequest) -> int:
    if rule.role == _NOT_THE_USERS:
        return sum(message.role != "user" for message in request.messages)
    return sum(not rule.role or message.role == rule.role for message in request.messages)


def _calls(request: ChatRequest) -> int:
    return sum(len(message.tool_calls) for message in request.messages if message.role == "assistant")


def _cycles(request: ChatRequest) -> int:
    return sum(message.role == "tool" for message in request.messages)


def _active(request: ChatRequest) -> bool:
    roles = [message.role for message in request.messages]
    if roles[-1:] == ["tool"]:
        return True
    if "user" in roles:
        last = len(roles) - 1 - roles[::-1].index("user")
        if last > 0 and roles[last - 1] == "tool":
            return True
    return _calls(request) > _cycles(request)


_COUNTS: Final[Mapping[str, Callable[[ConversationRule, ChatRequest], int]]] = MappingProxyType(
    {
        "message": _messages,
        "tool_definition": lambda _, request: len(request.tools),
        "assistant_tool_call": lambda _, request: _calls(request),
        "assistant_tool_cycle": lambda _, request: _cycles(request),
        "active_tool_loop": lambda _, request: int(_active(request)),
        "image_content": lambda _, request: sum(message.images for message in request.messages),
    }
)
"""Source -> how much of it a conversation has."""
