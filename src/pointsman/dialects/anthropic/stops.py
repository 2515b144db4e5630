"""Why a model stopped, in both vocabularies."""

_TO_CHAT = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_FROM_CHAT = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def finish_reason(stop_reason: str | None) -> str:
    """OpenAI's word for a stop reason; ``stop`` for one without a counterpart (``pause_turn``)."""
    return _TO_CHAT.get(stop_reason or "", "stop")


def stop_reason(finish: str | None, *, matched: str | None = None, tools: bool = False) -> str:
    """Anthropic's word for a finish reason; ``end_turn`` for one without a counterpart.

    ``matched``: the stop sequence met, which vLLM tells. ``tools``: the answer calls tools, which engines
    forced to call one report as a plain ``stop``.
    """
    if finish == "stop":
        if tools:
            return "tool_use"
        if matched is not None:
            return "stop_sequence"
    return _FROM_CHAT.get(finish or "", "end_turn")


def knows_finish(finish: str | None) -> bool:
    """Whether a finish reason has a counterpart."""
    return finish in _FROM_CHAT


def knows_stop(reason: str | None) -> bool:
    """Whether a stop reason has a counterpart."""
    return reason in _TO_CHAT
