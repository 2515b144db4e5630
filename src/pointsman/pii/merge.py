"""Two witnesses, one answer: recognisers and the token classifier agreed into spans that do not overlap."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

from pointsman.pii.finding import MODEL, Finding, Label

_FLOOR = 0.2
"""A model's doubt below this neither lengthens nor strengthens anything."""
_CUT = frozenset({Label.DOMAIN_NAME, Label.PHONE_NUMBER, Label.TITLE, Label.US_SSN, Label.ZIP_CODE})
"""Labels of which a recogniser knows better than the model where they begin and end."""
_ONE_LINE = frozenset({Label.PERSON, Label.ORGANIZATION, Label.GPE, Label.NRP, Label.TITLE, Label.AGE})
"""Labels that a line break ends."""


_PHONE_DIGITS, _SSN_DIGITS, _ZIP_CHARACTERS = 6, 9, 4
_BEFORE = " \t\r\n([{<（【「『“‘\"',;:，；：、。"
_BEHIND = " \t\r\n)]}>）】」』”’\"',;:，；：、。!?！？"


class Entity(Protocol):
    """A piece of personal data as the token classifier reports it, offsets in characters of the text."""

    @property
    def label(self) -> str:
        """One of `Label`."""

    @property
    def start(self) -> int:
        """Its first character."""

    @property
    def end(self) -> int:
        """The character behind its last."""

    @property
    def score(self) -> float:
        """How sure the classifier is, from 0 to 1."""


FORMS = frozenset({Label.CREDIT_CARD, Label.IBAN_CODE, Label.IP_ADDRESS, Label.EMAIL_ADDRESS})
"""Labels whose form decides: the model alone does not make one."""


def merge(text: str, findings: Iterable[Finding], entities: Iterable[Entity] = ()) -> tuple[Finding, ...]:
    """Resolve what overlaps; the result is sorted, apart, and keeps the evidence of all that agreed.

    Of one label: what overlaps is one finding as long as all of it together, except that a check digit
    fixes the span. Of several: a check digit beats everything, then the higher score, then the longer
    span; a loser keeps what sticks out. Two witnesses that agree are surer than either:
    1 - (1 - a)(1 - b). What is known by its form alone is left to the recognisers: they read the whole
    text, and a card number that fails its check digit is none, whatever its surroundings suggest.
    """
    by_label: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_label[finding.label].append(finding)
    for piece in _pieces(text, entities):
        by_label[piece.label].append(piece)
    agreed = [one for group in by_label.values() for one in _agreed(group)]
    return _apart(text, [one for one in agreed if one.label not in FORMS or _by_form(one)])


def _by_form(finding: Finding) -> bool:
    """Whether a form fixes what is found and where it ends."""
    return finding.label in FORMS and finding.evidence != (MODEL,)


def _cut(finding: Finding) -> bool:
    """Whether a recogniser says where it begins and ends."""
    return finding.label in _CUT and finding.evidence != (MODEL,)


def _pieces(text: str, entities: Iterable[Entity]) -> Iterator[Finding]:
    """The model's entities as findings: parts that touch are one, marks at their ends fall away."""
    last: Finding | None = None
    for entity in sorted(entities, key=lambda each: (each.start, each.end)):
        for start, end in _lines(text, entity):
            if entity.score < _FLOOR:
                continue
            piece = Finding(str(entity.label), start, end, min(1.0, entity.score), (MODEL,))
            if last is not None and last.label == piece.label and last.end >= piece.start:
                score = max(last.score, piece.score)
                last = Finding(last.label, last.start, max(last.end, end), score, (MODEL,))
                continue
            if last is not None:
                yield last
            last = piece
    if last is not None:
        yield last


def _lines(text: str, entity: Entity) -> Iterator[tuple[int, int]]:
    """Where an entity stands, without the spaces and marks around it; each line of it, if lines end it."""
    start, limit = max(0, entity.start), min(len(text), entity.end)
    while start < limit:
        end = limit
        if entity.label in _ONE_LINE:
            found = text.find("\n", start, limit)
            end = limit if found < 0 else found
        low, high = _bare(text, start, end)
        if low < high and _plausible(entity.label, text[low:high]):
            yield low, high
        start = end + 1


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without spaces, opening marks before it and separators behind it."""
    while start < end and text[start] in _BEFORE:
        start += 1
    while start < end and text[end - 1] in _BEHIND:
        if text[end - 1] in ")）" and _opens(text, start, end - 1):
            break
        end -= 1
    return start, end


def _opens(text: str, start: int, end: int) -> bool:
    """Whether a bracket within the span is still to be closed."""
    inside = text[start:end]
    return inside.count("(") + inside.count("（") > inside.count(")") + inside.count("）")


def _plausible(label: str, found: str) -> bool:
    """Whether a text can be of a kind at all."""
    if label == Label.STREET_ADDRESS:
        return any(map(str.isalpha, found))
    if label == Label.PHONE_NUMBER:
        return sum(map(str.isdigit, found)) >= _PHONE_DIGITS
    if label == Label.DOMAIN_NAME:
        return "." in found
    if label == Label.US_SSN:
        return sum(map(str.isdigit, found)) == _SSN_DIGITS and not any(map(str.isalpha, found))
    if label == Label.ZIP_CODE:
        return sum(map(str.isalnum, found)) >= _ZIP_CHARACTERS
    return any(map(str.isalnum, found))


def _agreed(group: list[Finding]) -> Iterator[Finding]:
    """Findings of one label as one for each place."""
    group.sort(key=lambda each: (each.start, each.end))
    cluster: list[Finding] = []
    reach = 0
    for finding in group:
        if cluster and finding.start >= reach:
            yield from _fused(cluster)
            cluster = []
        cluster.append(finding)
        reach = max(reach if len(cluster) > 1 else 0, finding.end)
    yield from _fused(cluster)


def _fused(cluster: Sequence[Finding]) -> Iterator[Finding]:
    """One finding of those that overlap, or one for each check digit among them."""
    proven = [finding for finding in cluster if finding.checksummed or _by_form(finding) or _cut(finding)]
    if not proven:
        if cluster:
            yield _together(cluster, cluster[0].start, max(each.end for each in cluster))
        return
    # One sweep over both: a model that takes a page of cards for one card must not cost the square of it.
    touching: list[Finding] = []
    coming = 0
    for finding in _first_of_each(proven):
        while coming < len(cluster) and cluster[coming].start < finding.end:
            touching.append(cluster[coming])
            coming += 1
        touching = [each for each in touching if each.end > finding.start]
        yield _together([finding, *touching], finding.start, finding.end)


def _first_of_each(proven: Sequence[Finding]) -> Iterator[Finding]:
    end = 0
    for finding in proven:
        if finding.start >= end:
            yield finding
            end = finding.end


def _together(witnesses: Sequence[Finding], start: int, end: int) -> Finding:
    evidence = dict.fromkeys(reason for each in witnesses for reason in each.evidence)
    model = max((each.score for each in witnesses if each.evidence == (MODEL,)), default=0.0)
    rules = max((each.score for each in witnesses if each.evidence != (MODEL,)), default=0.0)
    score = 1 - (1 - model) * (1 - rules)
    return Finding(witnesses[0].label, start, end, score, tuple(evidence))


def _apart(text: str, findings: list[Finding]) -> tuple[Finding, ...]:
    """The strongest first; each later one keeps what no earlier one covers."""
    findings.sort(
        key=lambda each: (not each.checksummed, -each.score, each.start - each.end, each.start, each.label)
    )
    taken: list[Finding] = []
    starts: list[int] = []
    for finding in findings:
        for piece in list(_uncovered(text, finding, taken, starts)):
            place = bisect_left(starts, piece.start)
            starts.insert(place, piece.start)
            taken.insert(place, piece)
    return tuple(taken)


def _uncovered(
    text: str, finding: Finding, taken: Sequence[Finding], starts: Sequence[int]
) -> Iterator[Finding]:
    """The parts of a finding between those already taken, without the spaces and marks at their ends."""
    first = max(0, bisect_left(starts, finding.start) - 1)
    cuts = [(finding.start, finding.start)]
    for other in taken[first:]:
        if other.start >= finding.end:
            break
        if other.end > finding.start:
            cuts.append((other.start, other.end))
    cuts.append((finding.end, finding.end))
    if len(cuts) == 2:
        yield finding
        return
    for (_, low), (high, _) in pairwise(cuts):
        start, end = _trimmed(text, low, high)
        # A lone letter or two left over is no name.
        if end - start > 2:
            yield Finding(finding.label, start, end, finding.score, finding.evidence)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return start, end
