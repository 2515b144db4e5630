"""``fleet``: how requests spread over the replicas of a model, and when a model is passed over."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from pointsman.config.base import Count, Part, Positive, Seconds


class Fleet(Part):
    """The serving half of the gateway."""

    policy: Literal["roundrobin", "least_request"] = Field(
        "least_request",
        description="How replicas share load; least_request because answers differ greatly in length.",
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
