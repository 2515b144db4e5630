"""Static backends: URLs with a model, a label and a type each."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from pointsman.config.faults import error
from pointsman.config.providers import split_base_url
from pointsman.config.stack.given import Given
from pointsman.config.translate import nearest
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem

MODEL_TYPES = (
    "chat",
    "completion",
    "embeddings",
    "rerank",
    "score",
    "transcription",
    "vision",
    "messages",
)


class Backend(msgspec.Struct, frozen=True):
    """One engine."""

    url: str
    """As it was written."""
    host: str
    port: int
    model: str
    label: str = ""
    type: str = ""

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.lower().startswith("https:")

    @property
    def path(self) -> str:
        """What stands between the host and the API's own paths."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def address(self) -> str:
        """``host:port``, with brackets around IPv6."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def backends(given: Given) -> tuple[Backend, ...]:
    """Every static backend. Raises ConfigError with what does not fit."""
    urls, models = given["static_backends"] or (), given["static_models"] or ()
    problems = list(_missing(given, urls, models))
    if problems:
        raise ConfigError(problems)
    labels = _column(given, "static_model_labels", len(urls), problems)
    types = _column(given, "static_model_types", len(urls), problems)
    problems.extend(_types(given, types))
    found = []
    for index, url in enumerate(urls):
        host, port = "", 0
        try:
            host, port = _address(url)
        except ValueError as wrong:
            where = f"{given.where('static_backends')}[{index}]"
            problems.append(error(where, f"{url!r} {wrong}", "write http://host:port"))
        found.append(Backend(url, host, port, models[index], labels[index], types[index]))
    problems.extend(_paths(given, found))
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def aliases(given: Given, models: Sequence[str]) -> dict[str, str]:
    """What each alias means. A model's name may hold colons; raises ConfigError for one nobody serves."""
    found: dict[str, str] = {}
    problems = []
    where = given.where("static_aliases")
    for written in given["static_aliases"] or ():
        alias, model = _split_alias(written, models)
        if not alias or not model:
            problems.append(error(where, f"{written!r} is no alias", "write alias:model"))
        elif model not in models:
            near = nearest(model, models)
            remedy = f"did you mean {near}?" if near else f"use one of {', '.join(sorted(set(models)))}"
            problems.append(error(where, f"{written!r} leads to {model!r}, which no backend serves", remedy))
        elif alias in models or alias in found:
            problems.append(error(where, f"{alias!r} is a name already", "choose another alias"))
        found[alias] = model
    if problems:
        raise ConfigError(problems)
    return found


def _split_alias(written: str, models: Sequence[str]) -> tuple[str, str]:
    """The two halves, where the second is a model's name if any split makes it one."""
    parts = written.split(":")
    halves = [(":".join(parts[:cut]), ":".join(parts[cut:])) for cut in range(1, len(parts))]
    return next((pair for pair in halves if pair[1] in models), halves[0] if halves else (written, ""))


def _missing(given: Given, urls: Sequence[str], models: Sequence[str]) -> Iterator[Problem]:
    for key, values in (("static_backends", urls), ("static_models", models)):
        if not values or not all(values):
            what = "is needed for static discovery" if not values else "has an empty entry"
            yield error(given.where(key), what, "give one URL and one model for each engine")
    if urls and models and len(urls) != len(models):
        message = f"names {len(models)} models for {len(urls)} backends"
        remedy = "give one model for each URL, in the same order; an engine with two models is listed twice"
        yield error(given.where("static_models"), message, remedy)


def _column(given: Given, key: str, rows: int, problems: list[Problem]) -> tuple[str, ...]:
    column: tuple[str, ...] = given[key] or ("",) * rows
    if len(column) != rows:
        message = f"has {len(column)} entries for {rows} backends"
        problems.append(error(given.where(key), message, "give one for each URL, in the same order"))
        return ("",) * rows
    return column


def _types(given: Given, types: Sequence[str]) -> Iterator[Problem]:
    for kind in dict.fromkeys(types):
        if kind and kind not in MODEL_TYPES:
            near = nearest(kind, MODEL_TYPES)
            remedy = f"did you mean {near}?" if near else f"use one of {', '.join(MODEL_TYPES)}"
            yield error(given.where("static_model_types"), f"{kind!r} is no type of model", remedy)


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment, which a backend cannot have")
    return split_base_url(url)


def _paths(given: Given, found: Sequence[Backend]) -> Iterator[Problem]:
    first: dict[str, Backend] = {}
    for backend in found:
        other = first.setdefault(backend.model, backend)
        if other.path != backend.path:
            message = f"{backend.url!r} and {other.url!r} serve {backend.model!r} below different paths"
            yield error(given.where("static_backends"), message, "serve one model below one path")
