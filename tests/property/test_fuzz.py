"""A sample of what ``make fuzz`` puts through."""

from collections import Counter

import pytest

from fuzz.case import run
from fuzz.documents import Author


@pytest.mark.parametrize("first", [0, 60, 120])
def test_generated_documents_and_requests_raise_nothing(first: int) -> None:
    """Documents load and route or are refused with a remedy; what is decided is what the definition says."""
    outcomes = Counter(run(seed) for seed in range(first, first + 60))
    assert outcomes["routed"]
    assert outcomes["refused"]


def test_a_seed_is_a_case() -> None:
    """The same seed writes the same document, so a finding can be had again."""
    assert Author(7).document() == Author(7).document()
    assert Author(7).document() != Author(8).document()
