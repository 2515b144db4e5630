"""The fleet a document writes down: its models, adapters and virtual names, resolved into a catalog."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pointsman.config import Settings
from pointsman.config.decisions import Decision
from pointsman.config.providers import BackendRef, ProviderModel
from pointsman.config.routing import ModelCard
from pointsman.core.model import Candidate, ReasoningFamily, Target
from pointsman.dialects.openai_models import ListedModel
from pointsman.fleet.catalog import Catalog

_AUTO_DESCRIPTION = "A decision for each request chooses the model"
_OPENAI_PROVIDERS = frozenset({"openai", "azure", "azure-openai"})
_VLLM = "vllm"
_FOUND = BackendRef(provider=_VLLM)
"""What replicas that are discovered are taken for."""


def catalog_from(settings: Settings, env: Mapping[str, str]) -> Catalog:
    """Resolve every name once. ``env`` supplies the keys that ``api_key_env`` names."""
    targets: dict[str, Target] = {}
    for model in settings.providers.models:
        if model.backend_refs or settings.fleet.finds(model.name):
            targets[model.name] = _target(settings, model, env)
    for card in _cards(settings):
        base = targets.get(card.name)
        if base is not None and base.parent is None:
            for lora in card.loras:
                targets.setdefault(lora.name, adapter(base, lora.name))
    entries = (name for entry in settings.entrypoints for name in entry.model_names)
    virtual = tuple(dict.fromkeys((*settings.global_.router.virtual_names, *entries)))
    default = settings.providers.defaults.default_model
    return Catalog(
        targets=targets,
        virtual=frozenset(virtual),
        listed=tuple(_listed(settings, virtual, targets)),
        default=targets.get(default),
    )


def candidates_from(settings: Settings, catalog: Catalog, decision: Decision) -> tuple[Candidate, ...]:
    """The candidates of a decision that some endpoint can serve."""
    effort = settings.providers.defaults.default_reasoning_effort
    candidates = []
    for ref in decision.model_refs:
        base = catalog.targets.get(ref.model)
        if base is None:
            continue
        target = adapter(base, ref.lora_name) if ref.lora_name else base
        candidates.append(Candidate(target, ref.use_reasoning, ref.reasoning_effort or effort, ref.weight))
    return tuple(candidates)


def adapter(base: Target, name: str) -> Target:
    """The target of a LoRA adapter that the base model's endpoints serve under its own name."""
    return Target(
        name=name,
        wire_name=name,
        provider=base.provider,
        family=base.family,
        headers=base.headers,
        base_path=base.base_path,
        chat_path=base.chat_path,
        speaks_messages=base.speaks_messages,
        extended=base.extended,
        parent=base.name,
    )


def engine_headers(settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
    """The credentials that discovered engines want."""
    key = env.get(settings.fleet.engine_key_env or "", "")
    return {"authorization": f"Bearer {key}"} if key else {}


def _target(settings: Settings, model: ProviderModel, env: Mapping[str, str]) -> Target:
    backend = max(model.backend_refs, key=lambda ref: ref.weight, default=_FOUND)
    headers = _provider_headers(backend, env, anthropic=model.api_format == "anthropic")
    return Target(
        name=model.name,
        wire_name=model.provider_model_id or _external_id(model, backend) or model.name,
        provider=model.name,
        family=_family(settings, model, backend),
        headers=headers if model.backend_refs else engine_headers(settings, env),
        base_path=urlsplit(backend.base_url).path.rstrip("/") or "/v1" if backend.base_url else "/v1",
        chat_path=backend.chat_path,
        speaks_messages=model.api_format == "anthropic",
        extended=backend.provider.lower() not in _OPENAI_PROVIDERS,
    )


def _cards(settings: Settings) -> tuple[ModelCard, ...]:
    """Every card of the document, the top-level routing's first."""
    return tuple(
        card
        for routing in (settings.routing, *(recipe.routing for recipe in settings.recipes))
        for card in routing.model_cards
    )


def _external_id(model: ProviderModel, backend: BackendRef) -> str:
    return model.external_model_ids.get(backend.provider or backend.type or _VLLM, "")


def _family(settings: Settings, model: ProviderModel, backend: BackendRef) -> ReasoningFamily | None:
    family = settings.providers.defaults.reasoning_families.get(model.reasoning_family)
    if family is None:
        return None
    if model.api_format == "anthropic":
        # Chat requests are translated for it, and their own effort is what the translation reads.
        return ReasoningFamily(model.reasoning_family, "top_level_reasoning_effort", "reasoning_effort")
    if family.type == "reasoning_effort" and backend.provider.lower() in _OPENAI_PROVIDERS:
        # OpenAI's own API takes the effort at the top level; only vLLM reads it from the chat template.
        return ReasoningFamily(model.reasoning_family, "top_level_reasoning_effort", family.parameter)
    return ReasoningFamily(model.reasoning_family, family.type, family.parameter)


def _provider_headers(backend: BackendRef, env: Mapping[str, str], *, anthropic: bool) -> dict[str, str]:
    headers = {name.lower(): value.get_secret_value() for name, value in backend.extra_headers.items()}
    key = backend.api_key.get_secret_value() if backend.api_key else env.get(backend.api_key_env, "")
    if key:
        own = "api-key" if backend.provider.lower().startswith("azure") else "x-api-key" if anthropic else ""
        header = backend.auth_header or own or "authorization"
        prefix = backend.auth_prefix or ("" if own or backend.auth_header else "Bearer")
        headers[header.lower()] = f"{prefix} {key}".strip()
    return headers


def _listed(
    settings: Settings, virtual: tuple[str, ...], targets: Mapping[str, Target]
) -> Iterator[ListedModel]:
    for name in virtual:
        yield ListedModel(name, virtual=True, description=_AUTO_DESCRIPTION)
    router = settings.global_.router
    asked = "include_config_models_in_list" in router.model_fields_set
    if asked and not router.include_config_models_in_list:
        return
    cards = _cards(settings)
    descriptions = {card.name: card.description for card in cards}
    descriptions |= {lora.name: lora.description for card in cards for lora in card.loras}
    for name, target in targets.items():
        yield ListedModel(name, virtual=False, description=descriptions.get(name, ""), parent=target.parent)
