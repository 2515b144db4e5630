"""``model_config``, ``vllm_endpoints`` and ``provider_profiles``: what runs, and what is known about it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pointsman.config.migration.ledger import Ledger

_PROVIDED: Final = ("reasoning_family", "external_model_ids", "api_format", "pricing", "reliability")
_KNOWN: Final = (
    "param_size",
    "context_window_size",
    "description",
    "capabilities",
    "loras",
    "quality_score",
    "modality",
    "tags",
)
_REF: Final = ("name", "weight", "type", "api_key", "protocol")


def move_models(old: Mapping[str, Any], ledger: Ledger, endpoint: str = "") -> None:
    """A provider model and a card for each model; ``endpoint`` serves those that name none."""
    endpoints = old.get("vllm_endpoints", [])
    models: Mapping[str, Mapping[str, Any]] = old.get("model_config", {})
    named = [name for item in endpoints for name in (item.get("model"), *item.get("models", ())) if name]
    used: set[int] = set()
    for name in dict.fromkeys((*models, *named)):
        model = models.get(name, {})
        path = f"model_config.{name}"
        positions, note = _serving(name, model, endpoints)
        refs = [_ref(endpoints[at], model, old.get("provider_profiles", {})) for at in positions]
        if not positions and endpoint:
            refs, note = [_keyed({"endpoint": endpoint}, model)], f"{endpoint} was given to the migration"
        elif not positions:
            note = (
                "names no endpoint: add backend_refs with an endpoint, or migrate with --endpoint host:port"
            )
        provider = {"name": name, **{key: model[key] for key in _PROVIDED if key in model}}
        new = ledger.append("providers.models", {**provider, "backend_refs": refs}, path, note)
        for position, at in enumerate(positions):
            used.add(at)
            ledger.moved(f"vllm_endpoints[{at}]", f"{new}.backend_refs[{position}]")
        _card(name, model, new, ledger)
    for at in range(len(endpoints)):
        if at not in used:
            ledger.left(f"vllm_endpoints[{at}]", "left out: no model names it under preferred_endpoints")
    _profiles(old, [endpoints[at] for at in sorted(used)], ledger)


def _card(name: str, model: Mapping[str, Any], provider: str, ledger: Ledger) -> None:
    path = f"model_config.{name}"
    card = ledger.append(
        "routing.modelCards", {"name": name, **{key: model[key] for key in _KNOWN if key in model}}
    )
    for key in _KNOWN:
        if key in model:
            ledger.moved(f"{path}.{key}", f"{card}.{key}")
    if "access_key" in model:
        where = f"{provider}.backend_refs[].api_key"
        ledger.moved(f"{path}.access_key", where, "prefer api_key_env, which names a variable")
    if "image_gen_backend" in model:
        ledger.left(f"{path}.image_gen_backend", "left out: write an image_gen plugin instead")


def _serving(
    name: str, model: Mapping[str, Any], endpoints: Sequence[Mapping[str, Any]]
) -> tuple[list[int], str]:
    """Positions of the endpoints that serve a model, and a remark where that was not said."""
    preferred = model.get("preferred_endpoints")
    if preferred:
        known = {item["name"]: at for at, item in reversed(list(enumerate(endpoints)))}
        missing = [label for label in preferred if label not in known]
        note = (
            f"preferred_endpoints names {', '.join(missing)}, which no endpoint is called" if missing else ""
        )
        return [known[label] for label in dict.fromkeys(preferred) if label in known], note
    own = [
        at for at, item in enumerate(endpoints) if name == item.get("model") or name in item.get("models", ())
    ]
    if own or not endpoints:
        return own, ""
    free = [at for at, item in enumerate(endpoints) if not item.get("model") and not item.get("models")]
    return free, "names no preferred_endpoints: every endpoint without a model is taken to serve it"


def _ref(item: Mapping[str, Any], model: Mapping[str, Any], profiles: Mapping[str, Any]) -> dict[str, Any]:
    ref = {key: item[key] for key in _REF if key in item}
    profile = profiles.get(item.get("provider_profile", ""))
    if profile is None:
        address = str(item.get("address", ""))
        host = f"[{address}]" if address.count(":") > 1 and not address.startswith("[") else address
        ref["endpoint"] = f"{host}:{item['port']}" if "port" in item else host
    else:
        ref |= {("provider" if key == "type" else key): value for key, value in profile.items()}
    return _keyed(ref, model)


def _keyed(ref: dict[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """A backend with the model's key, unless it has one of its own."""
    return {"api_key": model["access_key"], **ref} if "access_key" in model else ref


def _profiles(old: Mapping[str, Any], used: Sequence[Mapping[str, Any]], ledger: Ledger) -> None:
    names = {item.get("provider_profile") for item in used}
    for name in old.get("provider_profiles", {}):
        if name in names:
            ledger.moved(
                f"provider_profiles.{name}", "providers.models[].backend_refs[]", "written out there"
            )
        else:
            ledger.left(f"provider_profiles.{name}", "left out: no endpoint in use names it")
