"""Services that keep records: stored responses, routing replay, progress of starting."""

from typing import Literal

from pydantic import Field

from pointsman.config.backends import MilvusServer, Postgres, QdrantServer, RedisServer
from pointsman.config.base import Count, Part, Positive


class ResponseApi(Part):
    """Responses kept so that clients can refer to them."""

    enabled: bool = Field(default=True, description="Whether /v1/responses is offered.")
    store_backend: Literal["redis", "memory"] = Field("redis", description="Where responses are kept.")
    ttl_seconds: Count = Field(86400, description="Lifetime of a response, seconds; a day as clients expect.")
    max_responses: Positive = Field(1000, description="Most responses kept in memory.")
    redis: RedisServer | None = Field(None, description="The Redis server.")


class RouterReplayService(Part):
    """Routing records kept for inspection."""

    enabled: bool = Field(default=False, description="Whether records are kept.")
    store_backend: Literal["memory", "redis", "postgres", "milvus", "qdrant"] = Field(
        "memory", description="Where records are kept."
    )
    ttl_seconds: Count = Field(2592000, description="Lifetime of a record, seconds; thirty days.")
    async_writes: bool = Field(default=False, description="Whether writing happens after the answer.")
    redis: RedisServer | None = Field(None, description="The Redis server.")
    postgres: Postgres | None = Field(None, description="The PostgreSQL database.")
    milvus: MilvusServer | None = Field(None, description="The Milvus server.")
    qdrant: QdrantServer | None = Field(None, description="The Qdrant server.")


class StartupStatus(Part):
    """Where progress of starting is written."""

    store_backend: Literal["file", "redis"] = Field("file", description="Kind of store.")
    redis: RedisServer | None = Field(None, description="The Redis server.")
