"""Routes: what a decision of v0.3 is made of, with the guards it had before they became decisions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from pointsman.config.migration.rules import Tree

Allowed = tuple[str, ...] | None
"""Types of personal data that may pass; ``None`` lets every type pass."""
OFF: Final = None
"""No guard."""
_OFF_WORDS: Final = frozenset({"false", "no", "off", "0", "0.0", "f", "n"})


class Block(msgspec.Struct, frozen=True):
    """Personal data is blocked when each of these lists of allowed types lacks something that was found."""

    threshold: float | None
    allowed: tuple[tuple[str, ...], ...]


class PiiGuard(msgspec.Struct, frozen=True):
    """What happens to personal data on a route: it passes when one of the chain allows all that was found."""

    threshold: float | None
    chain: tuple[Allowed, ...]
    """What each model that could answer allows, in the order they are tried; a decision's own list is one."""
    models: tuple[str, ...] = ()
    """Those models, where the chain is of models."""

    @property
    def block(self) -> "Block | None":
        """What blocks, whatever the order of the chain; OFF when one of it allows everything."""
        lists = {tuple(sorted(kinds)) for kinds in self.chain if kinds is not None}
        return OFF if None in self.chain else Block(self.threshold, tuple(sorted(lists)))


class Route(msgspec.Struct, frozen=True):
    """A decision, where it comes from and which guards were on."""

    origin: str
    rule: Tree | None
    """``None`` matches always."""
    decision: dict[str, Any]
    jailbreak: float | None
    """Least score that blocks, or OFF."""
    pii: PiiGuard | None
    kept: tuple[tuple[str, str, str], ...] = ()
    """Old path, path below the decision, and note of keys that did not simply go along."""

    @property
    def priority(self) -> int:
        """Rank of the decision."""
        return whole(self.decision.get("priority"))


class Guards(msgspec.Struct, frozen=True):
    """The guards that hold where no route says otherwise, and what routes may ask for."""

    jailbreak: float | None
    """For requests that match no route and routes that are silent, or OFF."""
    jailbreak_threshold: float
    """For routes that ask for the guard without a threshold."""
    jailbreak_denied: bool
    """Whether the guard was switched off as a whole, so that no route could have it."""
    pii_threshold: float | None
    policies: Mapping[str, Allowed]
    """What each model allows, LoRAs included; models without a policy are absent."""
    default_model: str

    def label(self, ref: Mapping[str, Any]) -> str:
        """The name under which a candidate has a policy: its adapter, or the model where that has none."""
        lora = str(ref.get("lora_name") or "")
        return lora if lora in self.policies else str(ref.get("model", ""))

    def pii_chain(self, models: Sequence[str], threshold: float | None = None) -> PiiGuard | None:
        """The guard of a route with these models, best first; OFF when the first allows everything."""
        names = tuple(dict.fromkeys(name for name in (*models, self.default_model) if name))
        chain = tuple(self.policies.get(name) for name in names)
        if not chain or chain[0] is None:
            return OFF
        limit = self.pii_threshold if threshold is None else threshold
        return PiiGuard(limit, chain, names)


def is_on(value: Any) -> bool:
    """Whether a switch of the old document is on; anything but a clear no counts, so that guards stay."""
    return str(value).lower() not in _OFF_WORDS


def number(value: Any) -> float | None:
    """A threshold as a number; ``None`` when it is unset or cannot be read, which the schema reports."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def whole(value: Any) -> int:
    """A whole number that the schema has accepted; 0 when it is unset."""
    return int(number(value) or 0)


def guards_of(old: Mapping[str, Any]) -> Guards:
    """The guards that ``prompt_guard``, ``classifier.pii_model`` and the models' policies describe."""
    prompt_guard = old.get("prompt_guard", {})
    given = number(prompt_guard.get("threshold"))
    threshold = 0.7 if given is None else given
    switch = prompt_guard.get("enabled")
    by_signal = bool(old.get("jailbreak") or old.get("signals", {}).get("jailbreak"))
    pii_model = old.get("classifier", {}).get("pii_model")
    pii_threshold = number((pii_model or {}).get("threshold"))
    return Guards(
        jailbreak=threshold if switch is not None and is_on(switch) and not by_signal else OFF,
        jailbreak_threshold=threshold,
        jailbreak_denied=switch is not None and not is_on(switch),
        pii_threshold=pii_threshold,
        policies=_policies(old, implied=pii_model is not None and pii_threshold != 0),
        default_model=str(old.get("default_model", "")),
    )


def _policies(old: Mapping[str, Any], *, implied: bool) -> dict[str, Allowed]:
    """What each model allows. A model without a policy allowed nothing once personal data was looked for."""
    policies: dict[str, Allowed] = {}
    for name, model in old.get("model_config", {}).items():
        policy = model.get("pii_policy")
        if policy is None and (old.get("decisions") or not implied):
            continue
        allowed: Allowed = tuple(dict.fromkeys((policy or {}).get("pii_types_allowed", ())))
        if is_on((policy or {}).get("allow_by_default", False)):
            allowed = None
        policies[name] = allowed
        for lora in model.get("loras", ()):
            policies.setdefault(str(lora.get("name")), allowed)
    return policies
