"""The parts of Kubernetes' objects that say where replicas are; everything else is skipped while decoding."""

import msgspec


class Reference(msgspec.Struct, frozen=True):
    """What an object stands for."""

    kind: str = ""
    name: str = ""


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """``metadata``."""

    name: str = ""
    uid: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None

    def value(self, key: str) -> str:
        """A label, or the annotation of that key."""
        return (self.labels or {}).get(key) or (self.annotations or {}).get(key, "")


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    """``metadata`` of a list."""

    resource_version: str = ""
    continue_: str | None = msgspec.field(name="continue", default=None)


class ContainerPort(msgspec.Struct, frozen=True, rename="camel"):
    """A port a container names."""

    name: str = ""
    container_port: int = 0


class Container(msgspec.Struct, frozen=True):
    """A container of a pod."""

    ports: list[ContainerPort] | None = None


class PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    """``spec`` of a pod."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    """Sidecars are among them."""


class Condition(msgspec.Struct, frozen=True):
    """One condition of a pod."""

    type: str = ""
    status: str = ""


class PodStatus(msgspec.Struct, frozen=True, rename="camel"):
    """``status`` of a pod."""

    phase: str = ""
    pod_ip: str = msgspec.field(name="podIP", default="")
    conditions: list[Condition] | None = None


class Pod(msgspec.Struct, frozen=True):
    """A pod."""

    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class SliceConditions(msgspec.Struct, frozen=True):
    """How an address of a slice is; ``None`` is not told."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class SliceEndpoint(msgspec.Struct, frozen=True, rename="camel"):
    """One replica of a slice: its addresses are the same one."""

    addresses: list[str] | None = None
    conditions: SliceConditions = SliceConditions()
    target_ref: Reference | None = None


class SlicePort(msgspec.Struct, frozen=True):
    """A port of all replicas of a slice."""

    name: str | None = None
    port: int | None = None


class EndpointSlice(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a service's replicas."""

    metadata: Meta
    address_type: str = "IPv4"
    endpoints: list[SliceEndpoint] | None = None
    ports: list[SlicePort] | None = None


class TargetPort(msgspec.Struct, frozen=True):
    """A port of an InferencePool."""

    number: int = 0


class PoolSpec(msgspec.Struct, frozen=True, rename="camel"):
    """``spec`` of an InferencePool: ``target_ports`` in v1, ``target_port_number`` in v1alpha2."""

    selector: dict[str, str | dict[str, str]] | None = None
    target_ports: list[TargetPort] | None = None
    target_port_number: int | None = None

    @property
    def labels(self) -> dict[str, str]:
        """The labels its pods have: under ``matchLabels`` in v1, plain before."""
        selector = self.selector or {}
        matched = selector.get("matchLabels")
        found = matched if isinstance(matched, dict) else selector
        return {key: value for key, value in found.items() if isinstance(value, str)}

    @property
    def ports(self) -> tuple[int, ...]:
        """Ports of the engines in each pod."""
        numbers = [port.number for port in self.target_ports or ()] or [self.target_port_number or 0]
        return tuple(number for number in numbers if 0 < number < 65536)


class InferencePool(msgspec.Struct, frozen=True):
    """Pods that serve the same models."""

    metadata: Meta
    spec: PoolSpec = PoolSpec()


class Status(msgspec.Struct, frozen=True):
    """What a server says instead of an object."""

    code: int = 0
    reason: str = ""
    message: str = ""
