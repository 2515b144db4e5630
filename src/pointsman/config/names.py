"""Which model names a document declares, and whether something serves them."""

from collections.abc import Mapping

from pointsman.config.document import Settings
from pointsman.config.routing import Routing
from pointsman.config.translate import nearest


class ModelNames:
    """The models, cards and LoRAs that the decisions of ``routing`` may name.

    A name that a provider model has means that model; else a LoRA, on the card that declares it, even when
    a card without provider model has the same name.
    """

    def __init__(self, settings: Settings, routing: Routing) -> None:
        cards = (
            *routing.model_cards,
            *(settings.routing.model_cards if routing is not settings.routing else ()),
        )
        self.loras: Mapping[str, frozenset[str]] = {
            card.name: frozenset(lora.name for lora in card.loras) for card in reversed(cards)
        }
        """LoRAs by card."""
        self._owners: dict[str, list[str]] = {}
        for card, names in self.loras.items():
            for lora in names:
                self._owners.setdefault(lora, []).append(card)
        self.served = frozenset(model.name for model in settings.providers.models)
        """Names of provider models."""
        self.known = self.served.union(self.loras, *self.loras.values())
        """Every name a decision or client may use."""

    def problem_with(self, name: str) -> tuple[str, str] | None:
        """Message and remedy when ``name`` alone cannot be used; ``None`` when it can."""
        if name in self.served:
            return None
        owners = sorted(card for card in self._owners.get(name, ()) if card in self.served)
        if len(owners) == 1:
            return None
        if owners:
            return (
                f"the LoRA {name!r} exists on {' and '.join(owners)}",
                "name the model, and lora_name beside it",
            )
        if name in self.known:
            return f"no provider model serves {name!r}", "add it under providers.models"
        near = nearest(name, self.known)
        return (
            f"the model {name!r} is not declared",
            f"did you mean {near}?" if near else "add it under modelCards",
        )

    def problem_with_lora(self, model: str, lora: str) -> tuple[str, str] | None:
        """Message and remedy when ``model`` has no such LoRA; ``None`` when it has."""
        loras = self.loras.get(model, frozenset())
        if lora in loras:
            return None
        others = self._owners.get(lora)
        if others:
            return f"the LoRA {lora!r} belongs to {others[0]}, not to {model}", f"write model: {others[0]}"
        near = nearest(lora, loras)
        remedy = f"did you mean {near}?" if near else f"add it to the loras of the model card {model}"
        return f"the model {model!r} has no LoRA {lora!r}", remedy
