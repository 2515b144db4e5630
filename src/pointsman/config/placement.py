"""``fleet.policy`` and ``fleet.placement``: which replica of a model serves a request."""

from typing import Annotated, Literal

from pydantic import Field

from pointsman.config.base import Number, Part, Positive, Seconds, Weight

PolicyName = Literal[
    "prefixaware",
    "roundrobin",
    "least_request",
    "session",
    "loadaware",
    "kvaware",
    "disaggregated_prefill",
    "disaggregated_prefill_orchestrated",
]
NATIVE: tuple[PolicyName, ...] = ("roundrobin", "least_request")
"""Policies that the data plane carries out alone."""


class SessionKey(Part):
    """What keeps a session together: the first of these that a request has."""

    header: str = Field("x-session-id", description="Request header with the session's id; empty for none.")
    cookie: str = Field("", description="Cookie with the session's id; empty for none.")
    body: str = Field("user", description="String field of the body with the session's id; empty for none.")


class EngineEvents(Part):
    """How engines tell what their caches hold (vLLM's KV events over ZMQ; needs the extra `kv-events`)."""

    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        5557, description="Port on which each replica publishes; data-parallel rank n has this one plus n."
    )
    replay_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        5558, description="Port on which missed events are asked for again; 0 asks for none."
    )
    topic: str = Field("", description="Topic prefix that is subscribed to; empty for all.")
    ranks: Annotated[Positive, Field(le=64)] = Field(1, description="Data-parallel ranks of each replica.")


class Placement(Part):
    """How policies weigh what they know of replicas."""

    overload: Annotated[Number, Field(ge=1.0, le=100.0)] = Field(
        1.5,
        description=(
            "Requests at work, to the mean of all replicas, from which a replica gets new ones last, "
            "whatever it has cached."
        ),
    )
    prefix_weight: Weight = Field(
        1.0, description="Weight of a cached prompt; a waiting one always weighs 1."
    )
    room_weight: Weight = Field(
        2.0, description="Weight of what a prompt pushes out of a replica's cache: the later used, the worse."
    )
    load_weight: Weight = Field(0.5, description="Weight of requests at work beyond the idlest replica's.")
    share_weight: Weight = Field(
        3.0,
        description="Weight of an even share: half of it is what a usual prompt costs at twice the share.",
    )
    lora_weight: Weight = Field(0.5, description="Weight of an adapter that is at work already.")
    session: SessionKey = Field(
        default_factory=SessionKey, description="What keeps a session together, for the policy `session`."
    )
    index_bytes: Annotated[Positive, Field(ge=1 << 20)] = Field(
        64 << 20, description="Most memory for what was placed where, and again for what engines tell of it."
    )
    index_blocks: Positive = Field(
        65_536, description="Blocks of about 64 tokens a replica's cache holds, until its metrics tell."
    )
    load_interval: Annotated[Seconds, Field(ge=0.1, le=3600.0)] = Field(
        1.0, description="Time between two looks at a replica's metrics, give or take a fifth."
    )
    load_timeout: Annotated[Seconds, Field(gt=0.0, le=60.0)] = Field(
        1.0, description="Longest such a look may take."
    )
    load_stale_after: Annotated[Seconds, Field(gt=0.0)] = Field(
        10.0, description="Age from which what a replica's metrics said counts for nothing."
    )
    events: EngineEvents = Field(
        default_factory=EngineEvents,
        description="How engines tell what they cache, for the policy `kvaware`.",
    )
