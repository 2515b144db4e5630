"""What must hold for the places where replicas are found."""

from collections.abc import Iterator

from pointsman.config.document import Settings
from pointsman.config.faults import error, unknown
from pointsman.config.providers import ProviderModel
from pointsman.core.problem import Problem


def validate_replicas(settings: Settings) -> Iterator[Problem]:
    """Contradictions below ``fleet``, and between it and ``providers.models``."""
    models = {model.name: model for model in settings.providers.models}
    fleet = settings.fleet
    for path, source in fleet.sources:
        if source.model and source.model not in models:
            otherwise = "declare it under providers.models"
            yield unknown(f"{path}.model", "the model", source.model, models, otherwise)
        elif source.model and not left_to_us(models[source.model]):
            message = f"finds replicas of {source.model!r}, whose backend_refs are host names or encrypted"
            yield error(f"{path}.model", message, "find all of its replicas one way: remove its backend_refs")
    for name in fleet.health.trust:
        if name not in models:
            otherwise = "declare it under providers.models"
            yield unknown("fleet.health.trust", "the model", name, models, otherwise)
    yield from _ports(settings)
    yield from _kubernetes(settings)
    yield from _twice(settings)


def left_to_us(model: ProviderModel) -> bool:
    """Whether its replicas may be probed and placed: addresses in the clear, no names that Envoy resolves."""
    return all(ref.address_is_ip and not ref.tls for ref in model.backend_refs)


def _ports(settings: Settings) -> Iterator[Problem]:
    for index, source in enumerate(settings.fleet.dns):
        path = f"fleet.dns[{index}].port"
        if source.record == "address" and source.port is None:
            yield error(path, "is not set, and addresses have no port", "write the port of the engines")
        if source.record == "srv" and source.port is not None:
            yield error(path, "is set, but SRV records bring their own", "remove it, or use record: address")


def _kubernetes(settings: Settings) -> Iterator[Problem]:
    for index, source in enumerate(settings.fleet.kubernetes):
        path = f"fleet.kubernetes[{index}]"
        if not source.selector and not source.service:
            what = "pods" if source.kind == "pods" else "endpoint slices"
            remedy = "write a selector" if source.kind == "pods" else "write the service, or a selector"
            yield error(path, f"would take all {what} of the namespace", remedy)
        if source.kind == "pods" and source.service:
            message = f"is {source.service!r}, but pods are found by selector"
            yield error(f"{path}.service", message, "use selector, or kind: endpointslices")


def _twice(settings: Settings) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for index, source in enumerate(settings.fleet.static):
        path = f"fleet.static[{index}].address"
        other = seen.setdefault((source.address, source.model), path)
        if other != path:
            yield error(path, f"is {source.address}, the same as {other}", "remove one of the two")
