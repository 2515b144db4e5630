"""``fleet``: how requests spread over the replicas of a model, and when a model is passed over."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from pointsman.config.base import Count, Name, Part, Positive, Seconds
from pointsman.config.placement import Placement, PolicyName
from pointsman.config.replicas import (
    DnsReplicas,
    HealthChecks,
    InferencePoolReplicas,
    KubernetesApi,
    KubernetesReplicas,
    Replicas,
    StaticReplica,
)


class Fleet(Part):
    """The serving half of the gateway."""

    policy: PolicyName = Field(
        "prefixaware",
        description=(
            "How a replica is chosen; prefixaware because computing a prompt again costs most, and it "
            "weighs load."
        ),
    )
    placement: Placement = Field(
        default_factory=Placement, description="How policies weigh what they know of replicas."
    )
    max_in_flight_per_model: Positive | None = Field(
        None,
        description=(
            "Requests at one provider model, adapters included, from which decisions prefer their other "
            "candidates; unset never."
        ),
    )
    max_in_flight: Mapping[str, Positive] = Field(
        default_factory=dict, description="The same bound for single provider models, by name."
    )
    down_after_failures: Count = Field(
        3,
        description=(
            "Requests in a row that reach no endpoint of a model until decisions pass it over; 0 never."
        ),
    )
    down_cool_down: Annotated[Seconds, Field(gt=0.0)] = Field(
        5.0,
        description="How long a model is passed over until one request tries it; doubled when that fails.",
    )
    down_cool_down_max: Annotated[Seconds, Field(gt=0.0)] = Field(
        60.0, description="The longest a model is passed over between two tries."
    )
    static: tuple[StaticReplica, ...] = Field((), description="Replicas at fixed addresses.")
    dns: tuple[DnsReplicas, ...] = Field((), description="Host names whose addresses are replicas.")
    kubernetes: tuple[KubernetesReplicas, ...] = Field(
        (), description="Pods or services of a Kubernetes cluster that are replicas."
    )
    inference_pools: tuple[InferencePoolReplicas, ...] = Field(
        (), description="InferencePools of the Gateway API whose pods are replicas."
    )
    kubernetes_api: KubernetesApi = Field(
        default_factory=KubernetesApi, description="How the Kubernetes API is reached."
    )
    health: HealthChecks = Field(default_factory=HealthChecks, description="Probes of the replicas.")
    engine_key_env: Name | None = Field(
        None, description="Environment variable with the key that discovered engines want, for requests too."
    )
    max_replicas: Positive = Field(
        4096, description="Most replicas of one source; what a source finds beyond that is left out."
    )

    @property
    def sources(self) -> tuple[tuple[str, Replicas], ...]:
        """Everything that finds replicas, with its key path."""
        lists: tuple[tuple[str, tuple[Replicas, ...]], ...] = (
            ("static", self.static),
            ("dns", self.dns),
            ("kubernetes", self.kubernetes),
            ("inference_pools", self.inference_pools),
        )
        return tuple(
            (f"fleet.{kind}[{index}]", one) for kind, found in lists for index, one in enumerate(found)
        )

    def finds(self, model: str) -> bool:
        """Whether some source may find replicas of a provider model."""
        return any(source.model in {"", model} for _, source in self.sources)
