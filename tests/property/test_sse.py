import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.dialects.sse import Decoder, SseError, event

PAYLOADS = st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), max_size=8)


def cut(stream: bytes, points: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(point % (len(stream) + 1) for point in points)})
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


def decode(chunks: list[bytes]) -> list[bytes]:
    decoder = Decoder()
    return [payload for chunk in chunks for payload in decoder.feed(chunk)]


def oracle(stream: bytes) -> list[bytes]:
    """The whole stream at once, by the specification's own grammar, without incremental state."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    blocks = re.split(rb"(?:^|(?<=\n))\n", text)[:-1]
    data = [re.findall(rb"^data(?::[ ]?(.*))?$", block, re.MULTILINE) for block in blocks]
    return [b"\n".join(lines) for lines in data if lines]


@given(PAYLOADS, st.lists(st.integers(min_value=0), max_size=12))
def test_payloads_survive_any_chunking(payloads: list[str], points: list[int]) -> None:
    """What was sent as events arrives as the same events, wherever the bytes are cut."""
    sent = [payload.encode() for payload in payloads]
    stream = b"".join(event(payload) for payload in sent)
    assert decode(cut(stream, points)) == sent


LINES = st.lists(
    st.sampled_from([b"data: a", b"data:b", b"data", b": comment", b"event: x", b"id: 1", b"", b"x\xe6"]),
    max_size=10,
)


@given(
    lines=LINES,
    end=st.sampled_from([b"\n", b"\r\n"]),
    points=st.lists(st.integers(min_value=0), max_size=12),
    bom=st.booleans(),
)
def test_any_stream_decodes_as_the_oracle_does(
    lines: list[bytes], end: bytes, points: list[int], bom: bool
) -> None:
    """Comments, unknown fields, CRLF and a byte-order mark are read as the specification says."""
    stream = (b"\xef\xbb\xbf" if bom else b"") + end.join([*lines, b"", b""])
    assert decode(cut(stream, points)) == oracle(stream)


def test_a_half_event_is_not_delivered() -> None:
    """A stream cut before the blank line yields nothing for its last event."""
    assert decode([b"data: a\n\ndata: b\n"]) == [b"a"]


def test_an_endless_event_is_refused() -> None:
    """The decoder holds no more than its limit."""
    decoder = Decoder(limit=100)
    decoder.feed(b"data: " + b"x" * 90)
    with pytest.raises(SseError, match="100 bytes"):
        decoder.feed(b"x" * 20)
