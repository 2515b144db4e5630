"""What the document says of each candidate: quality, price, words that describe it."""

from collections.abc import Mapping, Sequence

import msgspec

from pointsman.config.document import Settings
from pointsman.config.providers import Pricing
from pointsman.config.routing import Routing
from pointsman.core.errors import ConfigError
from pointsman.core.model import Candidate
from pointsman.core.problem import Problem, Severity


class Facts(msgspec.Struct, frozen=True):
    """One candidate, on paper. ``None`` and empty texts stand for what is not written."""

    quality: float | None = None
    price: float | None = None
    """Mean of the prices of a million prompt and a million completion tokens."""
    currency: str = ""
    description: str = ""
    capabilities: tuple[str, ...] = ()


def facts_of(candidates: Sequence[Candidate], settings: Settings, routing: Routing) -> Mapping[str, Facts]:
    """What is written of each candidate, by its name. An adapter has its model's quality and price."""
    cards = {card.name: card for card in (*settings.routing.model_cards, *routing.model_cards)}
    pricing = {model.name: model.pricing for model in settings.providers.models}
    found = {}
    for target in (candidate.target for candidate in candidates):
        card = cards.get(target.parent or target.name)
        adapters = {lora.name: lora.description for lora in card.loras} if card else {}
        written = card.description if card else ""
        found[target.name] = Facts(
            quality=card.quality_score if card else None,
            price=_price(pricing.get(target.provider)),
            currency=_currency(pricing.get(target.provider)),
            description=adapters.get(target.name, "") or written if target.parent else written,
            capabilities=card.capabilities if card else (),
        )
    return found


def require_one_currency(facts: Mapping[str, Facts], where: str) -> None:
    """Refuse to compare prices in different currencies. Raises ``ConfigError``."""
    currencies = sorted({fact.currency for fact in facts.values() if fact.currency})
    if len(currencies) > 1:
        message = f"the algorithm compares prices, which are in {' and '.join(currencies)}"
        remedy = "write the pricing of its candidates in one currency"
        raise ConfigError([Problem(Severity.ERROR, f"{where}.algorithm", message, remedy)])


def cheapest(candidates: Sequence[Candidate], facts: Mapping[str, Facts]) -> Candidate:
    """The candidate of the lowest price; one without a price is never the cheapest unless none has one."""
    return min(candidates, key=lambda candidate: _or_infinity(facts[candidate.target.name].price))


def _or_infinity(price: float | None) -> float:
    return float("inf") if price is None else price


def _price(pricing: Pricing | None) -> float | None:
    """Unwritten prices are unknown, not zero; a written zero is a price."""
    if pricing is None or not {"prompt_per_1m", "completion_per_1m"} & pricing.model_fields_set:
        return None
    return (pricing.prompt_per_1m + pricing.completion_per_1m) / 2


def _currency(pricing: Pricing | None) -> str:
    return pricing.currency if pricing is not None and _price(pricing) is not None else ""
