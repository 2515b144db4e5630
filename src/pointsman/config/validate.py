"""What must hold between parts of a document: names that exist, are unique and belong together."""

from collections.abc import Iterator
from typing import Final

from pointsman.config.document import Settings
from pointsman.config.faults import duplicates, error, unknown
from pointsman.config.listeners import Listener
from pointsman.config.names import ModelNames
from pointsman.config.providers import ProviderModel
from pointsman.config.routing import Routing
from pointsman.config.validate_guards import validate_guards
from pointsman.config.validate_replicas import validate_replicas
from pointsman.config.validate_routing import validate_decisions, validate_signals
from pointsman.core.problem import Problem

DEFAULT_RECIPE: Final = "default"
"""What entrypoints call the top-level routing."""


def validate(settings: Settings) -> Iterator[Problem]:
    """Every contradiction between parts of the document."""
    yield from _listeners(settings)
    yield from _providers(settings)
    yield from _fleet(settings)
    yield from _entrypoints(settings)
    yield from _virtual(settings)
    yield from validate_guards(settings)
    yield from _rates(settings)
    yield from _routing(settings, settings.routing, "routing")
    for index, recipe in enumerate(settings.recipes):
        yield from _routing(settings, recipe.routing, f"recipes[{index}].routing")


def _listeners(settings: Settings) -> Iterator[Problem]:
    listeners = settings.listeners
    yield from duplicates("listeners", "the listener", (listener.name for listener in listeners))
    management = settings.global_.services.management_api
    taken: dict[tuple[str, int], str] = {}
    for index, listener in enumerate(listeners):
        path = f"listeners[{index}].port"
        other = taken.setdefault((listener.address, listener.port), path)
        if other != path:
            yield error(
                path, f"is {listener.port}, which {other} binds too", "give each listener its own port"
            )
        elif listener.port == management.port and _same_host(listener, management.bind_address):
            message = f"is {listener.port}, the port of the management API"
            yield error(path, message, "change it, or global.services.management_api.port")


def _same_host(listener: Listener, address: str) -> bool:
    return listener.address == address or "0.0.0.0" in {listener.address, address}  # noqa: S104 compared, not bound


def _providers(settings: Settings) -> Iterator[Problem]:
    models = settings.providers.models
    families = settings.providers.defaults.reasoning_families
    yield from duplicates("providers.models", "the model", (model.name for model in models))
    for index, model in enumerate(models):
        path = f"providers.models[{index}]"
        if model.reasoning_family and model.reasoning_family not in families:
            otherwise = "declare it under providers.defaults.reasoning_families"
            where = f"{path}.reasoning_family"
            yield unknown(where, "the reasoning family", model.reasoning_family, families, otherwise)
        if model.backend_refs or not settings.fleet.finds(model.name):
            yield from _backends(model, path)


def _backends(model: ProviderModel, path: str) -> Iterator[Problem]:
    refs = model.backend_refs
    if not refs:
        message = f"the model {model.name!r} has no backend_refs, so nothing can serve it"
        yield error(path, message, "add one with an endpoint, such as 127.0.0.1:8000")
    elif not any(ref.weight for ref in refs):
        yield error(
            f"{path}.backend_refs", "all weights are 0, so nothing would serve the model", "raise one"
        )
    seen: dict[tuple[str, int], str] = {}
    for index, ref in enumerate(refs):
        where = f"{path}.backend_refs[{index}]"
        if (ref.endpoint is None) == (ref.base_url is None):
            state = (
                "has neither endpoint nor base_url" if ref.endpoint is None else "has endpoint and base_url"
            )
            yield error(where, state, "give exactly one of the two")
            continue
        other = seen.setdefault(ref.address, where)
        if other != where:
            host, port = ref.address
            yield error(
                where, f"is {host}:{port}, the same as {other}", "remove one and raise the other's weight"
            )


def _fleet(settings: Settings) -> Iterator[Problem]:
    models = {model.name for model in settings.providers.models}
    yield from validate_replicas(settings)
    for name in settings.fleet.max_in_flight:
        if name not in models:
            yield unknown(
                "fleet.max_in_flight", "the model", name, models, "declare it under providers.models"
            )


def _entrypoints(settings: Settings) -> Iterator[Problem]:
    recipes = {recipe.name for recipe in settings.recipes}
    yield from duplicates("recipes", "the recipe", (recipe.name for recipe in settings.recipes))
    seen: dict[str, str] = {}
    for index, entrypoint in enumerate(settings.entrypoints):
        path = f"entrypoints[{index}]"
        if entrypoint.recipe not in recipes | {DEFAULT_RECIPE}:
            otherwise = "declare it under recipes"
            yield unknown(f"{path}.recipe", "the recipe", entrypoint.recipe, recipes, otherwise)
        for position, name in enumerate(entrypoint.model_names):
            where = f"{path}.model_names[{position}]"
            other = seen.setdefault(name, where)
            if other != where:
                yield error(where, f"{name!r} is used at {other} already", "use each name once")


def _virtual(settings: Settings) -> Iterator[Problem]:
    """Virtual names that a real model has too: asking for it could mean either."""
    real = ModelNames(settings, settings.routing).known
    router = settings.global_.router
    names: dict[str, str] = {}
    if router.auto_model_names is None:
        names["global.router.auto_model_name"] = router.auto_model_name
    else:
        names |= {
            f"global.router.auto_model_names[{i}]": name for i, name in enumerate(router.auto_model_names)
        }
    for index, entrypoint in enumerate(settings.entrypoints):
        names |= {
            f"entrypoints[{index}].model_names[{i}]": name for i, name in enumerate(entrypoint.model_names)
        }
    for path, name in names.items():
        if name in real:
            yield error(path, f"{name!r} is the name of a real model too", "rename one of the two")
    if router.auto_model_names is None:
        for name in sorted(set(router.virtual_names) - set(names.values()) & real):
            if name in real:
                yield error("providers.models", f"{name!r} is a virtual name by default", "rename the model")


def _rates(settings: Settings) -> Iterator[Problem]:
    """Limits under one name, which would share their counts, and limits on nothing."""
    providers = settings.global_.services.ratelimit.providers
    seen: dict[str, str] = {}
    for index, provider in enumerate(providers):
        for position, rule in enumerate(provider.rules):
            path = f"global.services.ratelimit.providers[{index}].rules[{position}]"
            first = seen.setdefault(rule.name, path)
            if first != path:
                yield error(f"{path}.name", f"{rule.name!r} is declared twice, first at {first}", "rename it")
            if rule.requests_per_unit is None and rule.tokens_per_unit is None:
                yield error(path, "limits nothing", "set requests_per_unit or tokens_per_unit")


def _routing(settings: Settings, routing: Routing, path: str) -> Iterator[Problem]:
    models = ModelNames(settings, routing)
    yield from _cards(routing, path)
    if routing is settings.routing:
        yield from _default(settings, models)
    yield from validate_signals(routing, path)
    yield from validate_decisions(settings, routing, models, path)


def _cards(routing: Routing, path: str) -> Iterator[Problem]:
    cards = routing.model_cards
    yield from duplicates(f"{path}.modelCards", "the model card", (card.name for card in cards))
    for index, card in enumerate(cards):
        where = f"{path}.modelCards[{index}].loras"
        yield from duplicates(where, "the LoRA", (lora.name for lora in card.loras))


def _default(settings: Settings, models: ModelNames) -> Iterator[Problem]:
    name = settings.providers.defaults.default_model
    problem = models.problem_with(name) if name else None
    if problem:
        yield error("providers.defaults.default_model", *problem)
