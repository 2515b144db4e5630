import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from pointsman.cli.backend import HostBackend
from pointsman.cli.document import load_example
from pointsman.core.errors import Unavailable
from pointsman.observe import Metrics
from pointsman.runtime import Runtime, build

from .scanned import BROKEN, BUSY, JAILBREAK, FakeEncoder

Ask = Callable[[HostBackend], Awaitable[Any]]
EVERY: list[Callable[[str], Ask]] = [
    lambda text: lambda backend: backend.inspect(text),
    lambda text: lambda backend: backend.embed(text),
    lambda text: lambda backend: backend.domain_probabilities(text),
]


@pytest.fixture(scope="module")
def shipped() -> Iterator[Runtime]:
    """The example document with the model of the package."""
    runtime = build(load_example(), {})
    yield runtime
    runtime.close()


def backend(runtime: Runtime) -> HostBackend:
    return HostBackend(runtime, Metrics(), lambda: None)


def faked(runtime: Runtime) -> HostBackend:
    return backend(dataclasses.replace(runtime, encoder=FakeEncoder()))  # type: ignore[arg-type]  # stands in


def test_without_an_encoder_texts_are_not_read() -> None:
    """A document without decisions and guards loads none when nobody classifies; the API says why it cannot."""
    settings = load_example()
    bare = settings.model_copy(update={"routing": settings.routing.model_copy(update={"decisions": ()})})
    runtime = build(bare, {}, classify=False)
    runtime.close()
    assert runtime.encoder is None
    made = backend(runtime)
    assert made.readiness().encoder is None
    assert made.classifiers() == ()
    for ask in EVERY:
        with pytest.raises(Unavailable, match="no encoder"):
            asyncio.run(ask("hello")(made))
    reading = build(settings, {}, classify=False)
    reading.close()
    assert reading.encoder is not None


def test_an_inspection_joins_the_model_and_the_recognisers(shipped: Runtime) -> None:
    """The person is the model's, the card the check digit's; risk and place come from the scan."""
    text = f"{JAILBREAK}, Ann: 4111 1111 1111 1111"
    found = asyncio.run(faked(shipped).inspect(text))
    assert [(each.label, text[each.start : each.end]) for each in found.findings] == [
        ("PERSON", "Ann"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
    ]
    assert found.jailbreak == 0.9
    assert found.threshold == 0.7
    assert found.place == (0, len(text))
    assert not found.sampled
    assert not found.disguised


def test_what_the_scan_could_not_do_is_told(shipped: Runtime) -> None:
    """Sampling and disguise pass through."""
    found = asyncio.run(faked(shipped).inspect("dis\u200bguised " * 100))
    assert found.sampled
    assert found.disguised


def test_embeddings_name_their_model(shipped: Runtime) -> None:
    """The vector has the dimension that was announced, and the name goes with it."""
    made = faked(shipped)
    vector = asyncio.run(made.embed("x"))
    assert made.embedding_model().name == "fake/fp32"
    assert len(vector) == made.embedding_model().dimension == 2
    assert vector == pytest.approx([0.6, 0.8])


def test_every_head_is_listed(shipped: Runtime) -> None:
    """The model judges domain, jailbreaks and personal data, and is listed with all three."""
    assert [each.name for each in faked(shipped).classifiers()] == ["domain", "jailbreak", "pii"]


@pytest.mark.parametrize("ask", EVERY)
@pytest.mark.parametrize(("text", "retry_after"), [(BUSY, 1), (BROKEN, None)])
def test_an_encoder_that_cannot_answer_is_a_503(
    shipped: Runtime, ask: Callable[[str], Ask], text: str, retry_after: int | None
) -> None:
    """Busy may be tried again soon; anything else may not help."""
    made = faked(shipped)

    async def asked() -> None:
        await ask(text)(made)

    with pytest.raises(Unavailable) as caught:
        asyncio.run(asked())
    assert caught.value.retry_after == retry_after


def test_the_shipped_model_inspects(shipped: Runtime) -> None:
    """A greeting holds nothing personal, and is hardly a jailbreak."""
    found = asyncio.run(backend(shipped).inspect("hello"))
    assert found.findings == ()
    assert found.jailbreak < 0.5


def test_the_shipped_model_embeds(shipped: Runtime) -> None:
    """Unit vectors that are equal for equal texts."""
    made = backend(shipped)

    async def twice() -> list[list[float]]:
        return [list(await made.embed("a text")) for _ in range(2)]

    first, second = asyncio.run(twice())
    assert first == second
    assert len(first) == made.embedding_model().dimension
    assert sum(value * value for value in first) == pytest.approx(1, abs=1e-3)
