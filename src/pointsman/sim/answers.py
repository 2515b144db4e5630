"""What a simulated model says: a friendly sentence that owns up to being simulated, or an echo."""

from typing import Any

from pointsman.sim import tokens, wire
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models
from pointsman.sim.plan import Outcome

_SYSTEM_START = 18  # characters of the system prompt that an answer quotes
_FILLER = " No model was run for this answer, and no GPU was harmed."


def compose(
    envelope: Envelope, models: Models, *, model: str, text: str, prompt_tokens: int, limit: int | None
) -> tuple[list[str], Outcome]:
    """The tokens of an answer and why it ends: an echo if asked for, else the text. Raises ApiError (400)."""
    settings = models.settings
    if envelope.wants_echo or settings.echo:
        return echo(envelope.echo(model=model, engine=settings.name), settings.answer_tokens), "stop"
    steps, outcome = models.answer_length(prompt_tokens, limit)
    return fit(text, steps), outcome


def friendly(*, model: str, engine: str, reasoning: bool, system: str | None) -> str:
    """Who answers, whether reasoning was on, and how the system prompt starts."""
    text = f"I am {model}, simulated on {engine}. Reasoning: {'on' if reasoning else 'off'}."
    if system:
        start = " ".join(system.split())
        text += f' System prompt: "{start[:_SYSTEM_START]}{"…" if len(start) > _SYSTEM_START else ""}"'
    return text


def fit(text: str, steps: int) -> list[str]:
    """The text as exactly this many tokens: cut when longer, continued with filler when shorter."""
    pieces = tokens.split(text)
    filler = tokens.split(_FILLER)
    missing = max(0, steps - len(pieces))
    pieces += filler * (missing // len(filler)) + filler[: missing % len(filler)]
    return pieces[:steps]


def echo(document: dict[str, Any], steps: int) -> list[str]:
    """An echo document as JSON in at most this many pieces of about equal length, none lost."""
    text = wire.dump(document).decode()
    size = -(-len(text) // steps)
    return [text[start : start + size] for start in range(0, len(text), size)]


def reasoning_is_on(template_kwargs: dict[str, Any] | None, effort: str | None) -> bool:
    """Whether a request asks for reasoning, by template switch or, without one, by effort."""
    for switch in ("enable_thinking", "thinking"):
        if template_kwargs and switch in template_kwargs:
            return bool(template_kwargs[switch])
    return effort not in {None, "none"}
