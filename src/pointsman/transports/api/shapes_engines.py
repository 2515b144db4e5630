"""What the endpoints about engines take and give."""

from typing import Any

import msgspec


class EngineLoad(msgspec.Struct, frozen=True):
    """How busy a replica is."""

    in_flight: int
    """Requests that this gateway sent there and that have not ended."""
    waiting: int
    """Requests in its own queue, as far as known."""
    reachable: bool
    """Whether the latest requests reached it."""


class Engine(msgspec.Struct, frozen=True):
    """One replica."""

    engine_id: str
    """Its name where it has one (a pod's, a host's), else its address; what ``id`` takes."""
    address: str
    model: str
    """The provider model whose replica it is."""
    serving_models: list[str]
    """Names it lists; empty when they are not known."""
    health: str
    role: str
    labels: dict[str, str]
    load: EngineLoad


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one replica made of an order."""

    engine_id: str
    address: str
    status: int | None = None
    """Its answer's status; absent where no answer came."""
    body: Any = None
    error: str = ""
    elapsed_ms: int = 0


class ToldAll(msgspec.Struct, frozen=True):
    """What all of them made of it."""

    model: str
    succeeded: int
    failed: int
    results: list[Told]


class LoadAdapter(msgspec.Struct, frozen=True):
    """An adapter to load; further fields go to the engine as they are."""

    lora_name: str
    lora_path: str
    load_inplace: bool | None = None


class UnloadAdapter(msgspec.Struct, frozen=True):
    """An adapter to unload."""

    lora_name: str


class Version(msgspec.Struct, frozen=True):
    """Which gateway this is."""

    version: str
