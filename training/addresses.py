"""One convention for postal addresses: written in one go, an address is one span.

Annotators cut addresses differently (street, flat, place and postcode apart, or all as one). Here a street
takes in the places and postcodes that stand directly around it, as most of the training data does.
"""

import re
from collections.abc import Sequence
from typing import Any

Span = dict[str, Any]
STREET = "STREET_ADDRESS"
PARTS = frozenset({STREET, "GPE", "ZIP_CODE"})
_GAP = re.compile(r"[\s,;/.\-，、。（(]{0,4}")


def whole(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans with every run of address parts that holds a street joined into one ``STREET_ADDRESS``."""
    runs: list[list[Span]] = []
    for span in sorted(spans, key=lambda each: each["start"]):
        near = bool(runs) and _GAP.fullmatch(text[runs[-1][-1]["end"] : span["start"]]) is not None
        if near and {span["label"], runs[-1][-1]["label"]} <= PARTS:
            runs[-1].append(span)
        else:
            runs.append([span])
    joined: list[Span] = []
    for run in runs:
        if any(span["label"] == STREET for span in run):
            joined.append({"start": run[0]["start"], "end": run[-1]["end"], "label": STREET})
        else:
            joined += run
    return joined
