import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.model import ReasoningFamily, Target
from pointsman.core.request import Head
from pointsman.core.verdict import Forward, Reply
from pointsman.dialects.body import parse_object
from pointsman.fleet.catalog import Catalog
from pointsman.pipeline import Pipeline

HEAD = Head("POST", "/v1/chat/completions", {})
FAMILY = ReasoningFamily("qwen3", "chat_template_kwargs", "enable_thinking")
CATALOG = Catalog({"base": Target("base", "base", "base", FAMILY)}, frozenset({"MoM"}))
ROUTER = Pipeline(CATALOG)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
RESERVED = {"model", "messages", "stream", "stream_options", "tools", "metadata", "user"}
EXTRAS = st.dictionaries(st.text(max_size=8).filter(lambda key: key not in RESERVED), JSON, max_size=4)
INDENTS = st.sampled_from([None, 0, 2])


def encode(document: dict[str, Any], indent: int | None, ascii_only: bool) -> bytes:
    return json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def plain(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


@given(EXTRAS, st.text(st.characters(exclude_categories=["Cs"])), INDENTS, st.booleans())
def test_a_named_models_body_is_never_touched(
    extras: dict[str, Any], text: str, indent: int | None, ascii_only: bool
) -> None:
    """Whatever else a body holds and however it is spelled, the verdict keeps the received bytes."""
    body = {"model": "base", "messages": [{"role": "user", "content": text}], **extras}
    raw = encode(body, indent, ascii_only)
    verdict = asyncio.run(ROUTER.route(HEAD, raw)).verdict
    assert isinstance(verdict, Forward)
    assert verdict.body is None


@given(EXTRAS, INDENTS, st.booleans())
def test_an_edit_changes_nothing_else(extras: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    """Setting one field leaves every other field's bytes and the order of fields as they were."""
    raw = encode({**extras, "model": "MoM"}, indent, ascii_only)
    before = parse_object(raw)
    after = parse_object(before.with_field("model", "x").encode())
    assert list(after.fields) == list(before.fields)
    assert after.get("model") == "x"
    for name, value in before.fields.items():
        if name != "model":
            assert bytes(after.fields[name]) == bytes(value)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_no_body_makes_a_defect(raw: bytes) -> None:
    """Any bytes at all are either forwarded or answered with a 4xx."""
    verdict = asyncio.run(ROUTER.route(HEAD, raw)).verdict
    assert isinstance(verdict, Forward) or (isinstance(verdict, Reply) and 400 <= verdict.status < 500)
