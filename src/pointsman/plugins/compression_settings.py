"""From the document's keys on compression to the object that compresses."""

from typing import Final

from pydantic import TypeAdapter

from pointsman.config.base import Tokens
from pointsman.config.document import Settings
from pointsman.config.plugins_context import CompressionControls, CompressionTarget
from pointsman.config.plugins_context import ContextCompression as Configuration
from pointsman.plugins.compression_control import DIRECTIVES, Control
from pointsman.plugins.context_compression import Budget, ContextCompression, Treatment

TOOL_OUTPUT_TOKENS: Final = 1024
HISTORY_TOKENS: Final = 256
QUESTION_TOKENS: Final = 2048
_TOKENS = TypeAdapter(Tokens)


def compression_from(written: Configuration, settings: Settings) -> ContextCompression | None:
    """The plugin of a decision; ``None`` where it is switched off."""
    if not written.enabled or written.mode == "off":
        return None
    targets, budget = written.targets, written.budget
    return ContextCompression(
        budget=Budget(
            trigger=_tokens(budget.trigger_tokens),
            target=_tokens(budget.target_tokens),
            reserve=_tokens(budget.reserve_output_tokens),
            always=written.mode == "always",
        ),
        tool_outputs=_treatment(targets.tool_outputs, TOOL_OUTPUT_TOKENS, unset=True),
        history=_treatment(targets.history, HISTORY_TOKENS, unset=True),
        current=_treatment(targets.current_user, QUESTION_TOKENS, unset=False),
        windows={
            card.name: card.context_window_size
            for routing in (settings.routing, *(recipe.routing for recipe in settings.recipes))
            for card in routing.model_cards
            if card.context_window_size
        },
        control=_control(written.request_controls),
        fail_closed=written.failure_mode == "fail_closed",
    )


def _tokens(written: str) -> int | None:
    return None if written == "auto" else _TOKENS.validate_python(written)


def _treatment(written: CompressionTarget | None, usual: int, *, unset: bool) -> Treatment | None:
    """``unset`` says whether a kind that the document does not mention is shortened."""
    if written is None:
        return Treatment(usual) if unset else None
    if written.mode == "preserve":
        return None
    return Treatment(written.target_tokens or usual, written.min_tokens or 0)


def _control(written: CompressionControls) -> Control | None:
    if not written.enabled:
        return None
    allowed = frozenset(written.allowed) & frozenset(DIRECTIVES)
    return Control(written.header.lower(), allowed, written.max_target_tokens)
