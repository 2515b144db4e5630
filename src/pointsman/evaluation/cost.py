"""What the requests would cost at the prices in the document."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pointsman.evaluation.outcome import Outcome

_MILLION: Final = 1_000_000


class Price(msgspec.Struct, frozen=True):
    """Per million tokens."""

    currency: str
    prompt: float
    completion: float

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What one request costs."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / _MILLION


class Cost(msgspec.Struct, frozen=True):
    """Costs in one currency. Prompts are estimated by their length, answers by an assumed one."""

    currency: str
    requests: int
    """Requests to models with a price in this currency."""
    amount: float
    by_model: Mapping[str, float]
    """By provider model; adapters cost what their base costs."""
    all_to: Mapping[str, float]
    """What the same requests would cost if one model answered all of them."""


def costs(
    outcomes: Sequence[Outcome], prices: Mapping[str, Price], completion_tokens: int
) -> tuple[Cost, ...]:
    """Costs in each currency of ``prices`` (by provider model); replies of the router's own cost nothing."""
    sent = [outcome for outcome in outcomes if not outcome.status and outcome.provider in prices]
    result = []
    for currency in sorted({prices[outcome.provider].currency for outcome in sent}):
        within = {name: price for name, price in prices.items() if price.currency == currency}
        priced = [outcome for outcome in sent if outcome.provider in within]
        by_model = dict.fromkeys(sorted({outcome.provider for outcome in priced}), 0.0)
        for outcome in priced:
            by_model[outcome.provider] += within[outcome.provider].of(
                outcome.prompt_tokens, completion_tokens
            )
        all_to = {
            name: sum(price.of(outcome.prompt_tokens, completion_tokens) for outcome in priced)
            for name, price in within.items()
        }
        result.append(Cost(currency, len(priced), sum(by_model.values()), by_model, all_to))
    return tuple(result)
