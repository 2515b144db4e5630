"""The examples of docs/cache.md do what the page says."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import parse
from pointsman.config.implemented import examine
from pointsman.core.verdict import Forward, Reply
from unit.cache.answers import Router, document

PAGE = Path(__file__).parents[3] / "docs" / "cache.md"
_BLOCK = re.compile(r"^```(yaml|json request)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each fragment with its requests, in order."""
    fragment = ""
    for kind, text in _BLOCK.findall(PAGE.read_text()):
        if kind == "yaml":
            fragment = text
        else:
            yield fragment, [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("fragment", "asked"), [*examples()])
def test_the_pages_examples_do_what_it_says(fragment: str, asked: list[dict[str, Any]]) -> None:
    """Each fragment loads without a key in vain, and each request hits or misses as the page shows."""
    written = yaml.safe_load(fragment)
    [plugin] = written.pop("plugins")
    configuration = plugin["configuration"]
    assert not examine(parse(document(configuration, **written), {}))

    async def run() -> None:
        router = Router(configuration, **written)
        try:
            for each in asked:
                await one(router, each)
        finally:
            router.close()

    async def one(router: Router, each: dict[str, Any]) -> None:
        wanted = dict(each)
        hit, scope, question = wanted.pop("hit"), wanted.pop("scope", ""), wanted.pop("question")
        if hit:
            verdict: Reply | Forward | None = await router.hit(question, **wanted)
            assert verdict is not None, each
            told = verdict.headers
        else:
            forward = await router.answered(question, **wanted)
            told = forward.response_headers
        assert not scope or told["x-vsr-cache-scope"] == scope, each

    asyncio.run(run())
