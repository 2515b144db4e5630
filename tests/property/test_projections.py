"""Signals made of other signals, against an oracle that reads the document recursively."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.routing import Routing
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.signals.derivations import build_derivations, observed

EMBEDDINGS, WORDS = tuple("abcd"), ("k", "l")
UNIT = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)
EDGES = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 2.0])
SCORES, BANDS = ("s0", "s1", "s2"), ("b0", "b1", "b2", "b3")


@st.composite
def partitions(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One partition of some embedding rules, or two of different ones."""
    names = draw(st.permutations(EMBEDDINGS))
    cut = draw(st.integers(1, 4))
    groups = [names[:cut], names[cut:]] if draw(st.booleans()) else [names[:cut]]
    return [
        {
            "name": f"p{index}",
            "members": list(group),
            "semantics": draw(st.sampled_from(["exclusive", "softmax_exclusive"])),
            "temperature": draw(st.sampled_from([0.01, 0.1, 1.0])),
            "default": draw(st.sampled_from(["", *group])),
        }
        for index, group in enumerate(groups)
        if group
    ]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Partitions, scores that read signals and earlier scores, and mappings of them."""
    scores = []
    for index, name in enumerate(SCORES):
        signals = [("embedding", each) for each in EMBEDDINGS] + [("keyword", each) for each in WORDS]
        known = [*signals, *(("projection", earlier) for earlier in SCORES[:index])]
        inputs = []
        for kind, source in draw(st.lists(st.sampled_from(known), max_size=4)):
            sources = ["", "score", "confidence", "raw", *(["binary"] if kind != "projection" else [])]
            inputs.append(
                {
                    "type": kind,
                    "name": source,
                    "weight": draw(st.sampled_from([-1.0, 0.5, 1.0, 3.0])),
                    "value_source": draw(st.sampled_from(sources)),
                }
                | ({"match": 0.9, "miss": -0.3} if draw(st.booleans()) else {})
            )
        scores.append({"name": name, "inputs": inputs})
    names = iter(BANDS)
    mappings = [
        {
            "name": f"m{index}",
            "source": draw(st.sampled_from(SCORES)),
            "method": draw(st.sampled_from(["threshold_bands", "multi_emit"])),
            "outputs": [
                {"name": next(names)}
                | draw(st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), EDGES))
                for _ in range(2)
            ],
        }
        | ({"calibration": {"slope": draw(st.sampled_from([1.0, 12.0]))}} if draw(st.booleans()) else {})
        for index in range(2)
    ]
    return {"partitions": draw(partitions()), "scores": scores, "mappings": mappings}


@st.composite
def outcomes(draw: st.DrawFn) -> dict[SignalKey, Signal]:
    """An outcome for every signal observed; some have failed."""
    keys = [SignalKey("embedding", name) for name in EMBEDDINGS] + [SignalKey("keyword", n) for n in WORDS]
    return {
        key: Signal(
            key,
            matched=draw(st.booleans()),
            confidence=draw(UNIT),
            error=draw(st.sampled_from(["", "", "", "Timeout"])),
        )
        for key in keys
    }


Read = tuple[bool, bool, float]
"""Failed, matched, value."""


class Oracle:
    """What a signal is in the end, by looking each one up as the documentation words it."""

    def __init__(self, written: dict[str, Any], seen: dict[SignalKey, Signal]) -> None:
        self.written, self.seen = written, seen

    def raw(self, key: SignalKey) -> Read:
        signal = self.seen[key]
        return (bool(signal.error), signal.matched and not signal.error, signal.confidence)

    def signal(self, key: SignalKey) -> Read:
        for partition in self.written["partitions"]:
            if key.family == "embedding" and key.name in partition["members"]:
                return self.member(partition, key.name)
        return self.raw(key)

    def member(self, partition: dict[str, Any], name: str) -> Read:
        members = {each: self.raw(SignalKey("embedding", each)) for each in partition["members"]}
        failed, matched, value = members[name]
        soft = partition["semantics"] == "softmax_exclusive"
        anyone = [each for each, outcome in members.items() if outcome[1]]
        if any(outcome[0] for outcome in members.values()):
            defaulted = not anyone and name == partition["default"]
            return (failed or matched or soft or defaulted, False, value)
        best = partition["default"]
        for each in anyone:
            if best not in anyone or members[each][2] > members[best][2]:
                best = each
        if anyone:
            best = next(each for each in anyone if members[each][2] == members[best][2])
        if soft:
            shares = [math.exp((v - value) / partition["temperature"]) for _, _, v in members.values()]
            value = 1 / sum(shares)
        return (False, name == best, value)

    def score(self, name: str) -> float | None:
        (written,) = [each for each in self.written["scores"] if each["name"] == name]
        total = 0.0
        for given_ in written["inputs"]:
            if given_["type"] == "projection":
                part = self.score(given_["name"])
            else:
                failed, matched, value = self.signal(SignalKey(given_["type"], given_["name"]))
                miss, hit = given_.get("miss", 0.0), given_.get("match", 1.0)
                part = {
                    "": hit if matched else miss,
                    "binary": hit if matched else miss,
                    "confidence": value if matched else miss,
                }.get(given_["value_source"], value)
                part = None if failed else part
            if part is None:
                return None
            total += part * given_["weight"]
        return total

    def bands(self) -> dict[str, tuple[bool | None, float]]:
        found: dict[str, tuple[bool | None, float]] = {}
        for mapping in self.written["mappings"]:
            score = self.score(mapping["source"])
            taken = False
            for output in mapping["outputs"]:
                if score is None:
                    found[output["name"]] = (None, 0.0)
                    continue
                edges = {key: edge for key, edge in output.items() if key != "name"}
                holds = (
                    score > edges.get("gt", -math.inf)
                    and score >= edges.get("gte", -math.inf)
                    and score < edges.get("lt", math.inf)
                    and score <= edges.get("lte", math.inf)
                )
                emitted = holds and not (taken and mapping["method"] == "threshold_bands")
                taken = taken or holds
                near = min((abs(score - edge) for edge in edges.values()), default=math.inf)
                slope = mapping.get("calibration", {}).get("slope")
                sure = 1.0 if slope is None else 1 / (1 + math.exp(-slope * near))
                found[output["name"]] = (emitted, sure if emitted else 0.0)
        return found


def routing_of(written: dict[str, Any]) -> Routing:
    return Routing.model_validate(
        {
            "signals": {
                "embeddings": [{"name": n, "threshold": 0.5, "candidates": [n]} for n in EMBEDDINGS],
                "keywords": [{"name": n, "keywords": [n]} for n in WORDS],
            },
            "projections": written,
        }
    )


def derived(written: dict[str, Any], seen: dict[SignalKey, Signal], used: frozenset[SignalKey]) -> SignalSet:
    derivations = build_derivations(routing_of(written), used)
    signals = SignalSet({key: seen[key] for key in observed(used, derivations) if key in seen})
    for derivation in derivations:
        signals = derivation.derive(signals)
    return signals


@given(documents(), outcomes(), st.sets(st.sampled_from(BANDS)), st.sets(st.sampled_from(EMBEDDINGS)))
def test_derived_signals_are_what_the_document_says(
    written: dict[str, Any], seen: dict[SignalKey, Signal], bands: set[str], members: set[str]
) -> None:
    """Bands and members are as reading the document recursively gives, though only what is used was observed."""
    used = frozenset(
        {SignalKey("projection", name) for name in bands} | {SignalKey("embedding", name) for name in members}
    )
    signals, oracle = derived(written, seen, used), Oracle(written, seen)
    expected = oracle.bands()
    for name in bands:
        band = signals.get(SignalKey("projection", name))
        truth, sure = expected[name]
        assert (None if band.failed else band.matched) == truth
        assert math.isclose(band.confidence, sure, abs_tol=1e-9)
    for name in members:
        member = signals.get(SignalKey("embedding", name))
        failed, matched, value = oracle.signal(member.key)
        assert (member.failed, member.matched and not member.failed) == (failed, matched)
        assert failed or math.isclose(member.confidence, value, abs_tol=1e-9)


@given(documents(), outcomes())
def test_a_partition_leaves_at_most_one_match(written: dict[str, Any], seen: dict[SignalKey, Signal]) -> None:
    """At most one member matches, exactly one where a default exists; softmax shares sum to one."""
    used = frozenset(SignalKey("embedding", name) for name in EMBEDDINGS)
    signals = derived(written, seen, used)
    for partition in written["partitions"]:
        members = [signals.get(SignalKey("embedding", name)) for name in partition["members"]]
        matched = [member for member in members if member.matched and not member.failed]
        assert len(matched) <= 1
        if any(member.failed for member in members):
            continue
        assert matched or not partition["default"]
        if partition["semantics"] == "softmax_exclusive":
            assert math.isclose(sum(member.confidence for member in members), 1.0)
