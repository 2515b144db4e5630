"""``fleet``: where replicas are found, and how it is known that they live."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pointsman.config.base import Name, Names, Part, Port, Positive, Seconds
from pointsman.config.providers import split_endpoint

_KUBERNETES_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_PORT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_MODEL = "The provider model they serve; empty tells it by the names that the engines answer to."


def _check_address(text: str) -> str:
    host, _ = split_endpoint(text)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(
            "is no IP address with a port: list names under fleet.dns, which follows what they mean"
        ) from None
    return text


def _check_name(text: str) -> str:
    if text and (len(text) > 253 or not _KUBERNETES_NAME.fullmatch(text)):
        raise ValueError("is no Kubernetes name: lower-case letters, digits, - and . only")
    return text


def _check_port(port: int | str) -> int | str:
    if isinstance(port, str) and not (len(port) <= 63 and _PORT_NAME.fullmatch(port)):
        raise ValueError("is neither a port number (1 to 65535) nor the name of a container's port")
    return port


KubernetesName = Annotated[str, AfterValidator(_check_name)]
Selector = Annotated[str, Field(max_length=4096)]
Interval = Annotated[Seconds, Field(ge=0.05, le=86400.0)]


class Replicas(Part):
    """What holds for every replica that one source finds."""

    model: str = Field("", description=_MODEL)
    serves: Names = Field((), description="Names the engines answer to; empty asks their /v1/models.")
    role: Literal["both", "prefill", "decode"] = Field(
        "both", description="What the replicas do where prefill and decode are separate."
    )
    labels: Mapping[str, str] = Field(
        default_factory=dict, description="Labels of every replica found, for placement and people."
    )


class StaticReplica(Replicas):
    """A replica at a fixed address."""

    address: Annotated[str, AfterValidator(_check_address)] = Field(
        description="host:port of the engine, the host being an IPv4 address or [IPv6]."
    )
    name: str = Field("", description="What people call it; empty uses the address.")


class DnsReplicas(Replicas):
    """Replicas behind a host name: one for each of its addresses."""

    host: Name = Field(description="Host name, or service name for SRV, that is resolved again and again.")
    port: Port | None = Field(None, description="Port of the engines; SRV records bring their own.")
    record: Literal["address", "srv"] = Field(
        "address", description="Which records are asked for: A and AAAA, or SRV and what it names."
    )
    interval: Interval = Field(
        30.0, description="Longest time between two resolutions; a shorter TTL of the records wins."
    )


class KubernetesReplicas(Replicas):
    """Replicas that a Kubernetes cluster knows of."""

    kind: Literal["pods", "endpointslices"] = Field(
        "pods", description="What is watched: pods by selector, or the endpoint slices of a service."
    )
    namespace: KubernetesName = Field(
        "", description="Namespace; empty is our own, or that of the kubeconfig."
    )
    selector: Selector = Field("", description="Label selector, such as app=vllm,model=small.")
    service: KubernetesName = Field("", description="Service whose endpoint slices are watched.")
    port: Annotated[Port | str, AfterValidator(_check_port)] = Field(
        8000, description="Port of the engines by number, or by its name in the pod or slice."
    )
    models_key: str = Field(
        "", description="Pod label or annotation with the names served, comma separated; instead of asking."
    )
    role_key: str = Field(
        "llm-d.ai/role", description="Pod label or annotation that says prefill, decode or both."
    )
    relist_interval: Interval = Field(
        300.0, description="Longest time a missed deletion goes unnoticed: everything is listed anew."
    )


class InferencePoolReplicas(Replicas):
    """The pods of an InferencePool of the Gateway API."""

    name: Annotated[Name, AfterValidator(_check_name)] = Field(description="Name of the pool object.")
    namespace: KubernetesName = Field(
        "", description="Namespace; empty is our own, or that of the kubeconfig."
    )
    group: Literal["inference.networking.k8s.io", "inference.networking.x-k8s.io"] = Field(
        "inference.networking.k8s.io", description="API group of the object; the second is v1alpha2's."
    )
    models_key: str = Field(
        "", description="Pod label or annotation with the names served, comma separated; instead of asking."
    )
    role_key: str = Field(
        "llm-d.ai/role", description="Pod label or annotation that says prefill, decode or both."
    )
    relist_interval: Interval = Field(
        300.0, description="Longest time a missed deletion goes unnoticed: everything is listed anew."
    )


class KubernetesApi(Part):
    """How the Kubernetes API is reached."""

    server: str = Field(
        "", description="URL of the API, such as a kubectl proxy; empty is the cluster's own or kubeconfig's."
    )
    token_file: str = Field("", description="File with a bearer token, read anew for each list and watch.")
    ca_file: str = Field("", description="Certificate authority of the API; empty is the cluster's own.")
    kubeconfig: str = Field("", description="Path of a kubeconfig; empty is that of KUBECONFIG or the home.")
    context: str = Field("", description="Context of the kubeconfig; empty is its current one.")
    idle_timeout: Interval = Field(
        90.0, description="Silence after which a watch counts as broken; bookmarks come about every minute."
    )


class HealthChecks(Part):
    """Probes of every replica: readiness is earned, not assumed."""

    interval: Interval = Field(5.0, description="Time between two probes of a replica, give or take a fifth.")
    timeout: Interval = Field(2.0, description="Longest time a probe may take.")
    failures: Positive = Field(
        3, description="Probes in a row that fail until a replica is down; a refused connection is at once."
    )
    retry_interval: Interval = Field(
        1.0,
        description="Time to the next probe after one that failed, and between those that traffic asks for.",
    )
    models_interval: Interval = Field(
        30.0, description="Time between two looks at the names a replica serves, adapters included."
    )
    concurrency: Positive = Field(16, description="Probes at the same time.")
    trust: Names = Field(
        (), description="Provider models whose replicas are not probed: what discovery says holds."
    )
