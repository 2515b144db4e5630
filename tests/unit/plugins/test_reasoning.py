from typing import Any

import msgspec
import pytest

from pointsman.core.model import Candidate, ReasoningFamily, Selection, Target
from pointsman.dialects import openai_chat
from pointsman.dialects.body import parse_object
from pointsman.plugins.draft import Draft
from pointsman.plugins.reasoning import set_reasoning

QWEN = ReasoningFamily("qwen3", "chat_template_kwargs", "enable_thinking")
GPT_OSS = ReasoningFamily("gpt-oss", "reasoning_effort", "reasoning_effort")
OPENAI = ReasoningFamily("gpt", "top_level_reasoning_effort", "reasoning_effort")


def rewritten(family: ReasoningFamily | None, reasoning: bool, **fields: Any) -> dict[str, Any]:
    raw = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": "x"}], **fields})
    candidate = Candidate(Target("m", "m", "m", family), use_reasoning=reasoning, effort="high")
    draft = Draft(openai_chat.understand(raw), parse_object(raw), Selection(candidate, "single"))
    body: dict[str, Any] = msgspec.json.decode(set_reasoning(draft).body.encode())
    return {key: value for key, value in body.items() if key not in {"model", "messages"}}


@pytest.mark.parametrize(
    ("family", "reasoning", "sent", "expected"),
    [
        (QWEN, True, {}, {"chat_template_kwargs": {"enable_thinking": True}}),
        (QWEN, False, {}, {"chat_template_kwargs": {"enable_thinking": False}}),
        (QWEN, True, {"reasoning_effort": "low"}, {"chat_template_kwargs": {"enable_thinking": True}}),
        (GPT_OSS, True, {}, {"chat_template_kwargs": {"reasoning_effort": "high"}}),
        (GPT_OSS, False, {}, {"chat_template_kwargs": {"reasoning_effort": "low"}}),
        (
            GPT_OSS,
            False,
            {"reasoning_effort": "high"},
            {"chat_template_kwargs": {"reasoning_effort": "high"}},
        ),
        (OPENAI, True, {"reasoning_effort": "low"}, {"reasoning_effort": "high"}),
        (OPENAI, False, {}, {"reasoning_effort": "low"}),
        (None, True, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    ],
)
def test_each_family_hears_it_in_its_words(
    family: ReasoningFamily | None, reasoning: bool, sent: dict[str, Any], expected: dict[str, Any]
) -> None:
    """On and off reach the body as the family's mechanism; a model without a family is left alone."""
    assert rewritten(family, reasoning, **sent) == expected


def test_the_callers_other_template_arguments_stay() -> None:
    """Only the family's own parameter is set among the caller's ``chat_template_kwargs``."""
    kept = rewritten(
        QWEN, reasoning=True, chat_template_kwargs={"tools_in_user": 1, "enable_thinking": False}
    )
    assert kept == {"chat_template_kwargs": {"tools_in_user": 1, "enable_thinking": True}}
