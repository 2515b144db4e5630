"""Which model names an engine answers to, and how long its answers may be."""

from dataclasses import dataclass
from typing import Any

from pointsman.sim import errors
from pointsman.sim.adapters import Adapters
from pointsman.sim.plan import Outcome
from pointsman.sim.settings import SimSettings


@dataclass(frozen=True)
class Models:
    """The base model and its LoRA adapters."""

    settings: SimSettings
    adapters: Adapters

    def resolve(self, asked: str | None) -> str:
        """The model that answers; a request that names none gets the base model. Raises ApiError (404)."""
        if not asked:
            return self.settings.model
        if asked != self.settings.model and asked not in self.adapters:
            raise errors.unknown_model(asked)
        return asked

    def answer_length(self, prompt_tokens: int, asked: int | None) -> tuple[int, Outcome]:
        """How many tokens to generate and why the answer ends there. Raises ApiError (400)."""
        room = self.settings.max_model_len - prompt_tokens
        if room < 1 or (asked and asked > room):
            wanted = f"{prompt_tokens} in the prompt" + (f", {asked} in the completion" if asked else "")
            raise errors.ApiError(
                400,
                f"This model's maximum context length is {self.settings.max_model_len} tokens. "
                f"However, you requested too many ({wanted}). Please reduce the length of the input.",
                param="max_tokens" if asked and room >= 1 else "input_tokens",
            )
        limit = min(asked or room, room)
        natural = self.settings.answer_tokens
        return (limit, "length") if limit < natural else (natural, "stop")

    def listing(self, created: int) -> dict[str, Any]:
        """The answer of /v1/models; `created` is Unix seconds."""
        base = self.settings.model
        cards = [_card(base, base, None, created, self.settings.max_model_len)]
        cards += [_card(name, lora.path, lora.parent, created, None) for name, lora in self.adapters]
        return {"object": "list", "data": cards}


def _card(
    name: str, root: str, parent: str | None, created: int, max_model_len: int | None
) -> dict[str, Any]:
    permission = {
        "id": f"modelperm-{name}",
        "object": "model_permission",
        "created": created,
        "allow_create_engine": False,
        "allow_sampling": True,
        "allow_logprobs": True,
        "allow_search_indices": False,
        "allow_view": True,
        "allow_fine_tuning": False,
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "vllm",
        "root": root,
        "parent": parent,
        "max_model_len": max_model_len,
        "permission": [permission],
    }
