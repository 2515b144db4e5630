"""Categories and keyword rules as signals."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.config.migration.ledger import Ledger
from pointsman.config.migration.rules import Tree, leaf
from pointsman.config.signals import DOMAIN_LABELS

_SCORE = ("model", "score", "use_reasoning")


class Found(msgspec.Struct, frozen=True):
    """A signal and the category it stands for."""

    origin: str
    category: str
    rule: Tree


def move_signals(old: Mapping[str, Any], ledger: Ledger) -> tuple[list[Found], list[Found]]:
    """Write the signals; returns keyword rules and domains, in the order in which they counted."""
    for family, rules in old.get("signals", {}).items():
        ledger.put(f"routing.signals.{family}", list(rules), f"signals.{family}")
    keywords = _keywords(old, ledger)
    return keywords, _domains(old, {found.category for found in keywords}, ledger)


def _keywords(old: Mapping[str, Any], ledger: Ledger) -> list[Found]:
    found: list[Found] = []
    taken: set[str] = set()
    for index, rule in enumerate(old.get("keyword_rules", ())):
        path = f"keyword_rules[{index}]"
        category = str(rule.get("category") or rule.get("name") or "")
        wanted = str(rule.get("name") or category)
        name = next(
            name for name in (wanted, *(f"{wanted}_{n}" for n in range(2, 9999))) if name not in taken
        )
        taken.add(name)
        signal = {
            "name": name,
            **{key: value for key, value in rule.items() if key not in {"name", "category"}},
        }
        if isinstance(signal.get("operator"), str):
            signal["operator"] = signal["operator"].upper()
        where = ledger.append("routing.signals.keywords", signal, path)
        if name != rule.get("name"):
            key = "category" if "category" in rule else "name"
            ledger.moved(f"{path}.{key}", f"{where}.name", f"the signal is called {name}")
        found.append(Found(path, category, leaf("keyword", name)))
    return found


def _domains(old: Mapping[str, Any], by_keyword: set[str], ledger: Ledger) -> list[Found]:
    found: list[Found] = []
    for index, category in enumerate(old.get("categories", ())):
        path, name = f"categories[{index}]", category["name"]
        if name in by_keyword and name not in DOMAIN_LABELS and not category.get("mmlu_categories"):
            ledger.left(f"{path}.name", "no domain: only its keyword rules lead to it")
            continue
        domain = {key: category[key] for key in ("name", "description", "mmlu_categories") if key in category}
        if old.get("decisions") and category.get("model_scores"):
            domain["model_scores"] = [
                {key: score[key] for key in _SCORE if key in score} for score in category["model_scores"]
            ]
        where = ledger.append("routing.signals.domains", domain)
        for key in domain:
            ledger.moved(f"{path}.{key}", f"{where}.{key}")
        found.append(Found(path, name, leaf("domain", name)))
    return found
