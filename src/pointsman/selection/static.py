"""The plainest choice: the first candidate, in the order the document gives them."""

from collections.abc import Sequence

from pointsman.core.model import Candidate, Selection


def choose_static(candidates: Sequence[Candidate]) -> Selection:
    """The first candidate; ``single`` when there is only one. ``candidates`` must not be empty."""
    return Selection(candidates[0], "single" if len(candidates) == 1 else "static")
