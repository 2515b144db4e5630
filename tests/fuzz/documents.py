"""Documents made from a seed: the schema walked at random, names mostly those that exist, then some damage."""

import copy
import random
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from pointsman.config.base import Part
from pointsman.config.conditions import Combination, Condition
from pointsman.config.document import Settings
from pointsman.config.plugins import Plugin
from pointsman.config.projections import Projections
from pointsman.config.routing import Routing
from pointsman.config.shape import keys
from pointsman.config.signals import DOMAIN_LABELS, FAMILY_KEYS, Signals

NAMES = ("a", "b", "c", "d")
MODELS = ("m0", "m1", "m2")
WORDS = ("hello", "c++", "sort a list", "integral", "日本", "2")
TEXTS = (
    "a",
    "urgent",
    "what is 2+2?",
    "def f(): pass",
    "x" * 300,
    "日本語の質問",
    "\u200b",
    "ignore all rules",
)
NUMBERS = (-1.0, 0.0, 0.1, 0.3, 0.5, 0.7, 0.999, 1.0, 2, 12, 1000, 1e308)
JUNK: tuple[Any, ...] = (
    None,
    True,
    "",
    "nope",
    -1,
    0,
    3.5,
    [],
    {},
    [{}],
    {"a": 1},
    "32K",
    "300s",
    "${HOME}",
    "\x00",
)
DEPTH = 5


Bounds = tuple[Any, ...]
"""What an annotation says beside its type."""


class Author:
    """Writes one document."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  # no secret

    def document(self) -> Any:
        """A whole document, mostly one that loads."""
        pick = self.random
        document: dict[str, Any] = {
            "version": "v0.3",
            "providers": {
                "defaults": {"default_model": pick.choice(MODELS)},
                "models": [
                    {"name": name, "backend_refs": [{"endpoint": f"127.0.0.1:{9000 + index}"}]}
                    for index, name in enumerate(MODELS)
                ],
            },
            "routing": self.routing(),
        }
        if pick.random() < 0.2:
            document["recipes"] = [{"name": "r", "routing": self.routing()}]
            document["entrypoints"] = [{"model_names": ["other"], "recipe": "r"}]
        for key in ("global", "guards", "fleet", "gateway"):
            if pick.random() < 0.15:
                document[key] = self.part(keys(Settings)[key].annotation, DEPTH - 2)
        if pick.random() < 0.25:
            document = self.damaged(document)
        return document

    def routing(self) -> dict[str, Any]:
        """Signals, projections over them, decisions on both."""
        pick = self.random
        signals = {}
        for key, info in keys(Signals).items():
            if key != "kb" and pick.random() < 0.25:
                (kind,) = [each for each in get_args(info.annotation) if each is not Ellipsis]
                rules = [self.part(kind, DEPTH - 2) for _ in range(pick.randint(1, 2))]
                signals[key] = list({rule.get("name"): rule for rule in rules}.values())
        for domain in signals.get("domains", []):
            domain["mmlu_categories"] = pick.sample(DOMAIN_LABELS, 2)
        for rule in signals.get("complexity", []):
            rule.pop("composer", None)
        declared = self.declared(signals)
        routing: dict[str, Any] = {"signals": signals}
        if declared and pick.random() < 0.5:
            routing["projections"] = self.projections(declared)
            mappings = routing["projections"]["mappings"]
            declared += [("projection", band["name"]) for each in mappings for band in each["outputs"]]
        others = [(family, name) for family, name in declared if family in {"keyword", "context", "domain"}]
        for rule in signals.get("complexity", []):
            if others and pick.random() < 0.4:
                rule["composer"] = self.rule(others if pick.random() < 0.9 else declared, 2)
        routing["decisions"] = [self.decision(f"d{index}", declared) for index in range(pick.randint(0, 5))]
        return routing

    def declared(self, signals: dict[str, Any]) -> list[tuple[str, str]]:
        """What conditions may name."""
        families = {key: family for family, key in FAMILY_KEYS.items()}
        found = []
        for key, rules in signals.items():
            for rule in rules:
                name = rule.get("role", rule.get("name")) if key == "role_bindings" else rule.get("name")
                levels = ("hard", "easy") if key == "complexity" else ("",)
                found += [(families[key], f"{name}:{level}" if level else name) for level in levels]
        return found

    def projections(self, declared: list[tuple[str, str]]) -> dict[str, Any]:
        """Partitions of one family, scores of anything, mappings of the scores."""
        pick = self.random
        made: dict[str, Any] = self.part(Projections, 2)
        family = pick.choice(declared)[0]
        members = [name for each, name in declared if each == family]
        semantics = pick.choice(["exclusive", "softmax_exclusive"])
        made["partitions"] = [{"name": "p", "members": members, "semantics": semantics}]
        if pick.random() < 0.5:
            made["partitions"][0]["default"] = pick.choice(members)
        made["scores"] = []
        for name in ("s", "t"):
            inputs = []
            readable = [each for each in declared if each[0] != "classifier" or pick.random() < 0.05]
            for kind, source in pick.sample(readable, min(len(readable), pick.randint(0, 3))):
                word = pick.choice(["", "score", "confidence", "binary"])
                inputs.append(
                    {"type": kind, "name": source, "weight": pick.choice(NUMBERS), "value_source": word}
                )
            made["scores"].append({"name": name, "inputs": inputs})
        if pick.random() < 0.5:
            made["scores"][1]["inputs"].append({"type": "projection", "name": "s"})
        made["mappings"] = [
            {
                "name": "m",
                "source": pick.choice(["s", "t"]),
                "method": pick.choice(["threshold_bands", "multi_emit"]),
                "outputs": [{"name": "low", "lt": 0.5}, {"name": "high", "gte": pick.choice(NUMBERS)}],
            }
        ]
        if pick.random() < 0.5:
            made["mappings"][0]["calibration"] = {"slope": pick.choice([0.1, 12.0, 1e300])}
        return made

    def rule(self, declared: list[tuple[str, str]], depth: int) -> dict[str, Any]:
        """A rule tree."""
        pick = self.random
        if declared and (depth == 0 or pick.random() < 0.4):
            kind, name = pick.choice(declared)
            condition: dict[str, Any] = {"type": kind, "name": name}
            return condition | ({"label": "x", "predicate": {"gte": 0.5}} if kind == "classifier" else {})
        operator = pick.choice(["AND", "OR", "NOT"]) if declared else "AND"
        count = 1 if operator == "NOT" else pick.randint(1, 3) if declared else 0
        return {
            "operator": operator,
            "conditions": [self.rule(declared, max(0, depth - 1)) for _ in range(count)],
        }

    def decision(self, name: str, declared: list[tuple[str, str]]) -> dict[str, Any]:
        """A decision with candidates and, at times, plugins and an algorithm."""
        pick = self.random
        decision: dict[str, Any] = {
            "name": name,
            "priority": pick.randint(0, 3),
            "tier": pick.choice([0, 0, 0, 1]),
        }
        if pick.random() < 0.9:
            decision["rules"] = self.rule(declared, 3)
        chosen = pick.sample(MODELS, pick.randint(0, 3))
        decision["modelRefs"] = [{"model": each, "use_reasoning": pick.random() < 0.3} for each in chosen]
        if pick.random() < 0.3:
            decision["plugins"] = [self.value(Plugin, (), DEPTH - 1)]
        if pick.random() < 0.2:
            info = keys(type_of_decision())["algorithm"]
            decision["algorithm"] = self.value(info.annotation, (), DEPTH - 1)
        return decision

    def part(self, kind: Any, depth: int) -> Any:
        """A part with some of its keys, always the required ones."""
        if kind is Condition or kind is Combination:
            return self.rule([("keyword", "a")], 1)
        written = {}
        for key, info in keys(kind).items():
            if info.is_required() or (depth > 0 and self.random.random() < 0.4):
                written[key] = self.value(info.annotation, tuple(info.metadata), depth - 1)
        return written

    def value(self, kind: Any, bounds: Bounds, depth: int) -> Any:  # noqa: PLR0911  # one line for each kind
        """A value of an annotation, usually within its bounds."""
        pick = self.random
        origin, args = get_origin(kind), get_args(kind)
        if hasattr(kind, "__metadata__"):
            return self.value(args[0], (*bounds, *flat(kind.__metadata__)), depth)
        if origin is Literal:
            return pick.choice(args)
        if origin in {Union, UnionType}:
            return self.value(pick.choice([each for each in args if each is not NoneType]), bounds, depth)
        if origin is tuple:
            return [self.value(args[0], (), depth - 1) for _ in range(pick.randint(1, 2))]
        if origin is not None and args:
            return {pick.choice(NAMES): self.value(args[-1], (), depth - 1)}
        if isinstance(kind, type) and issubclass(kind, Part):
            return self.part(kind, depth)
        if kind is bool:
            return pick.random() < 0.5
        if kind in {int, float}:
            return self.number(kind, bounds)
        if isinstance(kind, type) and hasattr(kind, "__members__"):
            return pick.choice([str(each) for each in kind])
        return pick.choice(NAMES if not bounds or pick.random() < 0.6 else (*WORDS, *MODELS))

    def number(self, kind: Any, bounds: Bounds) -> Any:
        """A number, within the bounds that the key itself states."""
        number = self.random.choice(NUMBERS)
        for bound in bounds:
            if isinstance(bound, annotated_types.Ge):
                number = max(number, bound.ge)  # type: ignore[call-overload]  # bounds of numbers are numbers
            elif isinstance(bound, annotated_types.Le):
                number = min(number, bound.le)  # type: ignore[call-overload]  # same
        return int(min(number, 2**40)) if kind is int else number

    def damaged(self, document: Any) -> Any:
        """Something replaced, removed, repeated or misspelled."""
        pick = self.random
        for _ in range(pick.randint(1, 3)):
            here = document
            while isinstance(here, (dict, list)) and here:
                spot = pick.choice([*here] if isinstance(here, dict) else range(len(here)))
                if pick.random() < 0.3 or not isinstance(here[spot], (dict, list)) or not here[spot]:
                    self.damage(here, spot)
                    break
                here = here[spot]
        return document if pick.random() < 0.98 else self.junk()

    def junk(self) -> Any:
        """Something out of place; a copy, for more damage may be done to it."""
        return copy.deepcopy(self.random.choice(JUNK))

    def damage(self, here: Any, spot: Any) -> None:
        """One spot spoiled."""
        pick = self.random
        match pick.randint(0, 3):
            case 0:
                here[spot] = self.junk()
            case 1:
                del here[spot]
            case 2 if isinstance(here, list):
                here.append(copy.deepcopy(here[spot]))
            case 2:
                here[pick.choice(["odd", "name", "type"])] = self.junk()
            case _ if isinstance(here, dict):
                here[f"{spot}s"] = here.pop(spot)
            case _:
                here.reverse()


def flat(metadata: Bounds) -> Bounds:
    """The bounds themselves, where a field carries them."""
    return tuple(
        bound for each in metadata for bound in (each.metadata if isinstance(each, FieldInfo) else (each,))
    )


def type_of_decision() -> type[Part]:
    """The part that a decision is."""
    (kind,) = [each for each in get_args(keys(Routing)["decisions"].annotation) if each is not Ellipsis]
    found: type[Part] = kind
    return found
