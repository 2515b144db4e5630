"""``global.integrations``: tools offered to models, and calls the router makes itself."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from pointsman.config.backends import RedisServer
from pointsman.config.base import Cosine, Count, Names, Part, Positive, Secret
from pointsman.config.plugins_context import AdvancedFiltering


class ToolsIntegration(Part):
    """Tools added to requests that ask for automatic choice."""

    enabled: bool = Field(default=False, description="Whether tools are added.")
    top_k: Positive = Field(3, description="Most tools added.")
    similarity_threshold: Cosine | None = Field(None, description="Least similarity of an added tool.")
    tools_db_path: str = Field("config/tools_db.json", description="File of known tools.")
    fallback_to_empty: bool = Field(default=True, description="Whether none found removes the field.")
    advanced_filtering: AdvancedFiltering | None = Field(None, description="Finer choice.")


class LooperNames(Part):
    """Virtual names of a way to combine models."""

    model_names: Names = Field((), description="Names clients may ask for.")


class FlowFile(Part):
    """A folder of paused workflows."""

    directory: str = Field("", description="Path of the folder.")


class FlowState(Part):
    """Where paused workflows wait."""

    store_backend: Literal["file", "redis"] = Field("file", description="Kind of store.")
    ttl_seconds: Count = Field(1800, description="How long they wait, seconds; half an hour.")
    file: FlowFile | None = Field(None, description="The folder.")
    redis: RedisServer | None = Field(None, description="The Redis server.")


class Flow(LooperNames):
    """Workflows of several models."""

    state: FlowState = Field(default_factory=FlowState, description="Where paused workflows wait.")


class Looper(Part):
    """Calls the router makes to combine models."""

    endpoint: str = Field("http://localhost:8899/v1/chat/completions", description="URL the calls go to.")
    timeout_seconds: Positive = Field(
        1200, description="Longest call, seconds; several models may take turns."
    )
    retry_count: Count = Field(0, description="Retries of a call.")
    headers: Mapping[str, Secret] = Field(default_factory=dict, description="Headers of the calls.")
    grpc_max_msg_size_mb: Positive = Field(4, description="Largest message from the data plane, MiB.")
    max_response_bytes_mb: Positive | None = Field(None, description="Largest answer, MiB.")
    remom: LooperNames = Field(default_factory=LooperNames, description="Names of remom.")
    fusion: LooperNames = Field(default_factory=LooperNames, description="Names of fusion.")
    flow: Flow = Field(default_factory=Flow, description="Names and state of workflows.")


class Integrations(Part):
    """What the router works with."""

    tools: ToolsIntegration = Field(default_factory=ToolsIntegration, description="Tools added to requests.")
    looper: Looper = Field(default_factory=Looper, description="Calls of the router's own.")
