"""``fleet``: how requests spread over the replicas of a model."""

from typing import Literal

from pydantic import Field

from pointsman.config.base import Part


class Fleet(Part):
    """The serving half of the gateway."""

    policy: Literal["roundrobin", "least_request"] = Field(
        "least_request",
        description="How replicas share load; least_request because answers differ greatly in length.",
    )
