"""Reasoning on or off, in the words the chosen model's family understands.

``chat_template_kwargs`` families (qwen3, deepseek) get a boolean, ``reasoning_effort`` families an effort:
inside ``chat_template_kwargs`` for vLLM, at the top level where the family says so. A model without a
family is left alone.
"""

from collections.abc import Mapping
from typing import Any

from pointsman.core.request import Dialect
from pointsman.dialects.body import Body
from pointsman.plugins.draft import Draft

_KWARGS = "chat_template_kwargs"
_EFFORT = "reasoning_effort"
EFFORT_WHEN_OFF = "low"


def set_reasoning(draft: Draft) -> Draft:
    """Apply the candidate's ``use_reasoning`` and effort to a chat request."""
    candidate = draft.selection.candidate
    family = candidate.target.family
    if family is None or draft.request.dialect is not Dialect.OPENAI_CHAT:
        return draft
    callers_effort = draft.body.get(_EFFORT)
    body = draft.body.without(_EFFORT)
    if family.type == _KWARGS:
        body = _with_kwarg(body, family.parameter, candidate.use_reasoning)
        return draft.changed(body, f"{_KWARGS}.{family.parameter}: {str(candidate.use_reasoning).lower()}")
    off = callers_effort if isinstance(callers_effort, str) else EFFORT_WHEN_OFF
    effort = candidate.effort if candidate.use_reasoning else off
    if family.type == _EFFORT:
        return draft.changed(
            _with_kwarg(body, family.parameter, effort), f"{_KWARGS}.{family.parameter}: {effort}"
        )
    return draft.changed(body.with_field(family.parameter, effort), f"{family.parameter}: {effort}")


def _with_kwarg(body: Body, name: str, value: Any) -> Body:
    existing = body.get(_KWARGS)
    kwargs = dict(existing) if isinstance(existing, Mapping) else {}
    return body.with_field(_KWARGS, {**kwargs, name: value})
