"""Pairs of questions that have one answer, and pairs that look alike and have two; made by rule."""

import gzip
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SEED = 20260801
LONGEST, SHORTEST = 160, 15

_OPENINGS = (
    (
        r"^how (?:do|can) (?:i|you|we) (.*?)[?.]*$",
        ("what is the way to {0}?", "tell me how to {0}", "how to {0}?"),
    ),
    (r"^what is (.*?)[?.]*$", ("what's {0}?", "tell me what {0} is", "can you explain what {0} is?")),
    (r"^what are (.*?)[?.]*$", ("tell me what {0} are", "can you list {0}?")),
    (r"^explain (.*?)[?.]*$", ("can you explain {0}?", "give me an explanation of {0}", "describe {0}")),
    (r"^discuss (.*?)[?.]*$", ("please discuss {0}", "i would like you to discuss {0}")),
    (r"^compare (.*?)[?.]*$", ("give a comparison of {0}", "how do you compare {0}?")),
    (r"^write (.*?)[?.]*$", ("can you write {0}?", "please write {0}", "i need you to write {0}")),
    (r"^why (?:do|does|is|are) (.*?)[?.]*$", ("what is the reason why {0}?", "tell me why {0}")),
)
_WRAPS = (
    "Please tell me: {0}",
    "Hi, I have a question. {0}",
    "{0} Thanks!",
    "Could you help me with this? {0}",
    "I was wondering: {0}",
    "quick question - {0}",
)
_SAME = (
    ("big", "large"),
    ("quickly", "fast"),
    ("purpose", "goal"),
    ("cause", "reason for"),
    ("function", "method"),
    ("treatments", "therapies"),
    ("important", "essential"),
    ("main", "principal"),
    ("create", "make"),
    ("determine", "find"),
    ("calculate", "compute"),
    ("company", "firm"),
    ("children", "kids"),
    ("show", "demonstrate"),
    ("relationship", "connection"),
    ("effects", "impact"),
    ("doctor", "physician"),
    ("error", "mistake"),
)
_CONTRACTED = (
    ("what is", "what's"),
    ("do not", "don't"),
    ("does not", "doesn't"),
    ("is not", "isn't"),
    ("how is", "how's"),
)
_NAMES = (
    "France",
    "Spain",
    "Kenya",
    "Texas",
    "Berlin",
    "Tokyo",
    "Newton",
    "Darwin",
    "Kant",
    "Python",
    "Java",
    "Google",
    "Microsoft",
    "Einstein",
    "Plato",
    "Brazil",
    "Ohio",
    "Linux",
    "Windows",
    "Mozart",
)
_OPPOSED = (
    ("increase", "decrease"),
    ("maximum", "minimum"),
    ("largest", "smallest"),
    ("highest", "lowest"),
    ("first", "last"),
    ("before", "after"),
    ("more", "less"),
    ("advantages", "disadvantages"),
    ("positive", "negative"),
    ("input", "output"),
    ("buy", "sell"),
    ("encode", "decode"),
    ("add", "remove"),
    ("open", "close"),
    ("true", "false"),
    ("good", "bad"),
    ("high", "low"),
    ("long", "short"),
    ("hot", "cold"),
    ("left", "right"),
    ("male", "female"),
    ("acid", "base"),
)
_NARROWER = (
    "chronic",
    "medieval",
    "quantum",
    "marine",
    "digital",
    "neonatal",
    "rural",
    "wireless",
    "organic",
    "military",
)
_FRAMES = (
    ("when", "where"),
    ("where", "when"),
    ("who", "when"),
    ("why", "when"),
    ("how do", "why do"),
    ("how does", "why does"),
    ("can i", "should i"),
    ("how many", "which"),
    ("is", "was"),
    ("are", "were"),
    ("my", "your"),
    ("do", "did"),
)
_VERBS = (
    ("explain", "criticise"),
    ("discuss", "define"),
    ("compare", "combine"),
    ("calculate", "estimate"),
    ("find", "use"),
    ("make", "use"),
    ("use", "make"),
    ("work", "fail"),
    ("give", "take"),
    ("get", "give"),
    ("overview", "example"),
    ("describe", "draw"),
    ("summarize", "extend"),
    ("causes", "effects"),
    ("example", "proof"),
    ("help", "test"),
)
_NEGATABLE = re.compile(r"\b(is|are|can|does|do|should|would|could|will|has|was|were)\b( \w+)?")


@dataclass(frozen=True)
class Text:
    """A question of the data, and what it is about."""

    text: str
    topic: str
    held_out: bool


@dataclass(frozen=True)
class Pair:
    """Two questions; ``same``: whether one answer fits both."""

    kind: str
    one: str
    other: str
    same: bool


def texts(data: Path) -> list[Text]:
    """Short questions of the data, English ones and Chinese ones."""
    found = {}
    with gzip.open(data / "domain.jsonl.gz", "rt") as lines:
        for line in lines:
            row = json.loads(line)
            text = " ".join(row["text"].split())
            if row["lang"] in {"en", "zh"} and SHORTEST <= len(text) <= LONGEST:
                found[text.lower()] = Text(text, str(row["sub"]).lower(), row["split"] == "val")
    return list(found.values())


def paraphrases(text: Text, rng: random.Random) -> Iterator[Pair]:
    """Other ways to ask the same."""

    def pair(kind: str, other: str) -> Iterator[Pair]:
        if other != text.text:
            yield Pair(kind, text.text, other, same=True)

    yield from pair("spelling", text.text.lower().rstrip("?.! "))
    yield from pair("politeness", rng.choice(_WRAPS).format(text.text))
    for pattern, forms in _OPENINGS:
        found = re.match(pattern, text.text, re.IGNORECASE)
        if found:
            yield from pair("opening", rng.choice(forms).format(found[1]))
    yield from pair("contraction", _first(text.text, _CONTRACTED))
    yield from pair("synonym", _first(text.text, _SAME))
    yield from pair("typo", _typo(text.text, rng))


def look_alikes(text: Text, rng: random.Random) -> Iterator[Pair]:
    """The same words but one, and another answer."""

    def pair(kind: str, other: str) -> Iterator[Pair]:
        if other != text.text:
            yield Pair(kind, text.text, other, same=False)

    yield from pair(
        "number", re.sub(r"\d+", lambda hit: str(int(hit[0][:9]) + rng.randint(1, 9)), text.text, count=1)
    )
    yield from pair("opposite", _first(text.text, (*_OPPOSED, *((b, a) for a, b in _OPPOSED))))
    yield from pair("frame", _first(text.text, _FRAMES))
    yield from pair("verb", _first(text.text, _VERBS))
    if text.text.isascii():
        yield from pair("negation", _NEGATABLE.sub(lambda hit: f"{hit[0]} not", text.text, count=1))
    names = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}", text.text)
    if names:
        other = rng.choice([name for name in _NAMES if name not in names])
        yield from pair("name", text.text.replace(rng.choice(names), other))
        yield from pair("name, lower case", text.text.replace(rng.choice(names), other).lower())
    yield from pair("order", _reordered(text.text))


def topic_swaps(text: Text, others: list[str], rng: random.Random) -> Iterator[Pair]:
    """The question about something else of the same kind."""
    at = text.text.lower().find(text.topic)
    if len(text.topic) >= 4 and at >= 0 and others:
        other = rng.choice(others)
        if other != text.topic:
            swapped = text.text[:at] + other + text.text[at + len(text.topic) :]
            yield Pair("topic", text.text, swapped, same=False)
    if len(text.topic) >= 4 and at >= 0:
        narrower = f"{text.text[:at]}{rng.choice(_NARROWER)} {text.text[at:]}"
        yield Pair("narrower", text.text, narrower, same=False)


def _first(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for old, new in pairs:
        changed = re.sub(rf"\b{old}\b", new, text, count=1, flags=re.IGNORECASE)
        if changed != text:
            return changed
    return text


def _reordered(text: str) -> str:
    """From A to B becomes from B to A, A than B becomes B than A."""
    return re.sub(r"\b(from )?(\w{3,}) (to|than) (\w{3,})\b", _swapped, text, count=1)


def _swapped(hit: re.Match[str]) -> str:
    begins, one, between, other = hit[1] or "", hit[2], hit[3], hit[4]
    meant = bool(begins) == (between == "to")
    return f"{begins}{other} {between} {one}" if meant else hit[0]


def _typo(text: str, rng: random.Random) -> str:
    long = list(re.finditer(r"[a-z]{6,}", text))
    if not long:
        return text
    hit = rng.choice(long)
    at = rng.randint(hit.start() + 1, hit.end() - 3)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


Maker = Callable[[Text, random.Random], Iterator[Pair]]
