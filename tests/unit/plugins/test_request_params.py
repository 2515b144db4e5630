"""Limits on what a client may ask of the model."""

from typing import Any

import msgspec
import pytest

from pointsman.core.request import Dialect
from pointsman.dialects.known_fields import KNOWN_FIELDS, REQUIRED_FIELDS
from pointsman.plugins.request_params import RequestParams
from unit.plugins.drafts import applied, body_of, draft


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (100, 100),
        (101, 100),
        (10**400, 100),
        ("900", 100),
        (900.5, 100),
        ("many", "many"),
        (None, None),
        (True, True),
    ],
)
def test_token_limits_are_cut_however_they_are_written(written: Any, sent: Any) -> None:
    """What an engine would read as a number above the limit becomes the limit; the rest is the engine's to judge."""
    plugin = RequestParams(max_tokens=100)
    for name in ("max_tokens", "max_completion_tokens", "min_tokens"):
        assert body_of(applied(plugin, draft(**{name: written})))[name] == sent


def test_a_request_without_a_limit_gets_none() -> None:
    """Only wishes are cut: where there is none the body stays as it came."""
    found = applied(RequestParams(max_tokens=100, max_answers=1), draft())
    assert not found.edited


def test_answers_are_limited_in_both_spellings() -> None:
    """``n`` and ``best_of`` are cut to the same limit."""
    body = body_of(applied(RequestParams(max_answers=2), draft(n=9, best_of=7)))
    assert (body["n"], body["best_of"]) == (2, 2)


def test_blocked_and_unknown_fields_go_and_required_ones_stay() -> None:
    """No setting removes what makes the request one; vLLM's own fields are known."""
    plugin = RequestParams(frozenset({"seed", "messages"}), strip_unknown=True)
    found = applied(plugin, draft(seed=1, top_k=5, chat_template_kwargs={}, colour="red", input="x"))
    assert set(body_of(found)) == {"model", "messages", "top_k", "chat_template_kwargs", "input"}
    assert found.notes == ("parameters removed: colour, seed",)


def test_every_dialect_has_its_fields() -> None:
    """The table covers each API that decisions meet, with what its requests cannot lack."""
    assert set(KNOWN_FIELDS) == set(Dialect) - {Dialect.ENGINE}
    for known in KNOWN_FIELDS.values():
        assert known & REQUIRED_FIELDS


def test_anthropics_fields_are_its_own() -> None:
    """A body in Anthropic's format keeps ``system`` and loses what only OpenAI knows."""
    written = draft(system="Be kind.", logit_bias={}, max_tokens=5)
    request = msgspec.structs.replace(written.request, dialect=Dialect.ANTHROPIC_MESSAGES)
    found = applied(RequestParams(strip_unknown=True), msgspec.structs.replace(written, request=request))
    assert set(body_of(found)) == {"model", "messages", "system", "max_tokens"}
