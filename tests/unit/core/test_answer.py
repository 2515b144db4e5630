import asyncio
from collections.abc import Mapping

from pointsman.core.answer import chained
from pointsman.core.header_edits import HeaderEdits


class Marks:
    """Appends a letter to every piece, and a header to the answer's."""

    def __init__(self, letter: str, edits: HeaderEdits) -> None:
        self.letter, self.edits = letter, edits
        self.seen: dict[str, str] = {}

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:
        assert status == 200
        self.seen = dict(headers)
        return self.edits

    async def feed(self, data: bytes, *, end: bool) -> bytes:
        return data + self.letter.encode() + (b"." if end else b"")


def test_filters_run_in_order_and_see_earlier_edits() -> None:
    """Bytes pass every filter in order; a later one sees the headers as the earlier ones left them."""
    first = Marks("a", HeaderEdits({"x-one": "1"}, ("content-length",)))
    second = Marks("b", HeaderEdits({"x-two": "2"}, ("x-one",)))
    work = chained((lambda: first, lambda: second))
    assert work is not None

    async def run() -> tuple[HeaderEdits, bytes]:
        both = work()
        edits = await both.start(200, {"content-length": "3"})
        return edits, await both.feed(b"x", end=False) + await both.feed(b"y", end=True)

    edits, data = asyncio.run(run())
    assert data == b"xabya.b."
    assert second.seen == {"x-one": "1"}
    assert edits == HeaderEdits({"x-two": "2"}, ("content-length", "x-one"))


def test_nothing_to_do_is_no_filter() -> None:
    """Without work the answer never comes here."""
    assert chained(()) is None
