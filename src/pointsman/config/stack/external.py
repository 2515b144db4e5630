"""Models that others serve: the file of external providers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pointsman.config.faults import error
from pointsman.config.stack.draft import Draft
from pointsman.config.stack.dynamic import read_dynamic
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem

_KEYS: Final = (
    "name",
    "type",
    "api_base",
    "api_key_env_var",
    "timeout",
    "max_retries",
    "custom_headers",
    "models",
)
_MOST_RETRIES: Final = 5


def external_models(path: Path, env: Mapping[str, str], draft: Draft) -> tuple[dict[str, Any], ...]:
    """The provider models of a file. Raises ConfigError with what is wrong in it."""
    written = read_dynamic(path).get("external_providers")
    if not isinstance(written, list):
        wrong = error("external_providers", "is no list", "list the providers there")
        raise ConfigError([wrong], str(path))
    models: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for index, provider in enumerate(written):
        where = f"external_providers[{index}]"
        found = tuple(_faults(provider, where, env))
        problems.extend(found)
        if not found:
            models.extend(_models(provider))
            if "timeout" in provider:
                draft.tell(
                    f"{where}.timeout",
                    "is one for all models here: gateway.limits.stream_idle_timeout_s and connect_timeout_ms",
                )
    if problems:
        raise ConfigError(problems, str(path))
    return tuple(models)


def _faults(provider: Any, where: str, env: Mapping[str, str]) -> Iterator[Problem]:
    if not isinstance(provider, dict):
        yield error(where, "is no mapping", "write name, type, api_base and models")
        return
    for key in sorted(set(provider) - set(_KEYS)):
        yield error(f"{where}.{key}", "is no key of a provider", f"use {', '.join(_KEYS)}")
    if provider.get("type", "openai") != "openai":
        yield error(f"{where}.type", f"{provider['type']!r} is not known", "use openai")
    for key in ("name", "api_base"):
        if not isinstance(provider.get(key), str):
            yield error(f"{where}.{key}", "is not given", "write it")
    key = provider.get("api_key_env_var", "OPENAI_API_KEY")
    if not env.get(str(key)):
        yield error(
            f"{where}.api_key_env_var", f"the variable {key} is not set", "set it to the provider's key"
        )
    models = provider.get("models")
    if not isinstance(models, list) or not models:
        yield error(f"{where}.models", "is no list of models", "list at least one id")
        return
    for index, model in enumerate(models):
        if not isinstance(model, dict) or not isinstance(model.get("id"), str):
            yield error(f"{where}.models[{index}]", "has no id", "write the model's id")


def _models(provider: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    ref = {
        "name": provider["name"],
        "base_url": provider["api_base"],
        "provider": "openai",
        "api_key_env": provider.get("api_key_env_var", "OPENAI_API_KEY"),
    }
    if provider.get("custom_headers"):
        ref["extra_headers"] = dict(provider["custom_headers"])
    retries = min(int(provider.get("max_retries", 3)), _MOST_RETRIES)
    for model in provider["models"]:
        names = (model["id"], *(model.get("aliases") or ()))
        for name in names:
            renamed = {"provider_model_id": model["id"]} if name != model["id"] else {}
            refs = [{**ref, "type": model["type"]} if model.get("type") else dict(ref)]
            yield {"name": name, **renamed, "backend_refs": refs, "reliability": {"retry_count": retries}}
