import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.pii import Finding, confident, masked, merge, recognise

from .people import card_numbers, ibans

TEXTS = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)
PIECES = st.sampled_from(
    ["call ", "zip ", "12 Main Street ", "May 1, 2020", "10.0.0.1", "a@b.co", "www.a.com/x", "+44 20 7946 0958",
     "Mr. X", "今年54岁", "\u200b", "４１１１", "aged 30", "::1", "-", "(", " ", "1", "driver's license ", "\ud800"]
)  # fmt: skip
MIXED = st.lists(PIECES | card_numbers() | ibans() | st.text(max_size=5), max_size=20).map("".join)
MEGABYTE = 1_000_000
HOSTILE = [
    "1",
    "4111 ",
    "a@",
    "a.",
    ":",
    "(",
    "DE89 ",
    "1 Aa ",
    "市",
    "1\u200b",
    "zip 12345 ",
    "http://a.b/",
    "1/1/",
]


class Piece(msgspec.Struct, frozen=True):
    """What a token classifier might report."""

    label: str
    start: int
    end: int
    score: float


ENTITIES = st.lists(
    st.builds(
        Piece,
        label=st.sampled_from(["PERSON", "CREDIT_CARD", "DATE_TIME", "GPE"]),
        start=st.integers(-5, 250),
        end=st.integers(-5, 250),
        score=st.floats(0, 1),
    ),
    max_size=12,
)


def sound(text: str, findings: tuple[Finding, ...]) -> None:
    """Sorted, apart, inside the text, not empty."""
    end = 0
    for finding in findings:
        assert end <= finding.start < finding.end <= len(text)
        assert 0 <= finding.score <= 1
        assert finding.evidence
        end = finding.end


@given(TEXTS | MIXED)
def test_any_text_is_searched_without_a_fault(text: str) -> None:
    """Whatever the text, every span lies inside it and is not empty."""
    for finding in recognise(text):
        assert 0 <= finding.start < finding.end <= len(text)


@given(TEXTS | MIXED, ENTITIES)
def test_merged_spans_never_overlap(text: str, entities: list[Piece]) -> None:
    """Whatever the model claims, the outcome is sorted, apart and inside the text."""
    findings = merge(text, recognise(text), entities)
    sound(text, findings)
    assert set(confident(findings, threshold=0.9)) <= set(findings)


@given(MIXED)
def test_a_masked_text_holds_nothing_that_was_found(text: str) -> None:
    """Masking replaces every finding by its placeholder and keeps the rest."""
    findings = merge(text, recognise(text))
    covered, placeholders = masked(text, findings)
    rest, end = [], 0
    for finding, placeholder in zip(findings, placeholders, strict=True):
        rest += [text[end : finding.start], placeholder]
        end = finding.end
    assert covered == "".join(rest) + text[end:]


@pytest.mark.parametrize("piece", HOSTILE, ids=ascii)
def test_a_megabyte_of_anything_is_finished(piece: str) -> None:
    """No pattern is worse than linear: a megabyte of each hostile text ends within the suite's limit."""
    text = piece * (MEGABYTE // len(piece))
    sound(text, merge(text, recognise(text)))
