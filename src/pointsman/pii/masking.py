"""A text with what was found replaced by its kind."""

from collections import defaultdict
from collections.abc import Iterable

from pointsman.pii.finding import Finding


def masked(text: str, findings: Iterable[Finding]) -> tuple[str, tuple[str, ...]]:
    """The text with placeholders such as `[PERSON_0]`, and the placeholder of each finding in order.

    `findings` are sorted and do not overlap. Equal pieces of one label get one placeholder, so that the
    text still says who is who; numbers count from zero for each label.
    """
    numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    placeholders: list[str] = []
    parts: list[str] = []
    end = 0
    for finding in findings:
        known = numbers[finding.label]
        number = known.setdefault(text[finding.start : finding.end], len(known))
        placeholders.append(f"[{finding.label}_{number}]")
        parts += (text[end : finding.start], placeholders[-1])
        end = finding.end
    return "".join((*parts, text[end:])), tuple(placeholders)
