"""What a simulated engine is told before it starts."""

from dataclasses import dataclass, replace
from typing import Literal

from pointsman.sim.faults import Fault, FaultScope
from pointsman.sim.kv_events import Encoding

DEFAULT_PORT = 8000
MAX_TOKENS_BOUND = 1_000_000


Role = Literal["prefill", "decode", "both"]


@dataclass(frozen=True, kw_only=True)
class KvEventsSettings:
    """Where and how KV events are published; endpoints are ZeroMQ's.

    An endpoint with `*` or `::` is bound, any other is connected to, as vLLM does; the replay endpoint is
    always bound.
    """

    endpoint: str
    replay_endpoint: str | None = None
    topic: str = ""
    encoding: Encoding = "map"
    buffer_steps: int = 10_000
    """Batches kept for replay; older ones are gone."""

    def __post_init__(self) -> None:
        for endpoint in (self.endpoint, self.replay_endpoint):
            if endpoint is not None and not endpoint.startswith(("tcp://", "ipc://", "inproc://")):
                raise ValueError(f"kv_events: {endpoint!r} is no endpoint; write for example tcp://*:5557")
        if self.buffer_steps < 1:
            raise ValueError("kv_events buffer_steps must be at least 1")

    @property
    def binds(self) -> bool:
        """VLLM's rule: a wildcard address is one's own, any other is somebody else's."""
        return "*" in self.endpoint or "::" in self.endpoint or self.endpoint.startswith(("ipc:", "inproc:"))

    def shifted(self, by: int) -> "KvEventsSettings":
        """The same with ports that are `by` higher, where they are bound and not chosen by the system."""
        endpoint = shift_port(self.endpoint, by) if self.binds else self.endpoint
        replay = self.replay_endpoint and shift_port(self.replay_endpoint, by)
        return replace(self, endpoint=endpoint, replay_endpoint=replay)


def shift_port(endpoint: str, by: int) -> str:
    """An endpoint whose port is `by` higher; one without a port, or with port 0, stays as it is."""
    head, colon, port = endpoint.rpartition(":")
    if not endpoint.startswith("tcp://") or not colon or not port.isdigit() or int(port) == 0:
        return endpoint
    return f"{head}:{int(port) + by}"


@dataclass(frozen=True, kw_only=True)
class SimSettings:
    """Everything that shapes one simulated engine.

    Times are milliseconds, rates are tokens per second, and a rate of 0 means "takes no time".
    Raises ValueError, naming the field, when a value makes no sense.
    """

    model: str
    """Served model name; requests that name neither it nor a LoRA adapter get a 404."""
    name: str = "sim"
    """Name of this engine (replica) in echoes and answers, to tell replicas of one model apart."""
    loras: tuple[str, ...] = ()
    """LoRA adapters, `NAME` or `NAME=PATH`; /v1/models lists them with the base model as their parent."""
    max_loras: int | None = None
    """Adapters that run side by side; requests for more wait. None: as many as there are at the start."""
    max_cpu_loras: int = 64
    """Adapters that can be loaded; one more is refused."""
    host: str = "127.0.0.1"
    port: int = 0
    """Port to listen on; 0 picks a free one."""
    control_port: int | None = None
    """A second port that stays open while the fault `refuse` is on; None for none, 0 picks a free one."""
    ttft_ms: float = 30.0
    """Milliseconds from leaving the queue to the first token."""
    rate: float = 200.0
    """Generated tokens per second and request."""
    prefill_rate: float = 0.0
    """Prompt tokens per second; uncached prompt tokens add their share to the time to the first token."""
    answer_tokens: int = 32
    """Length of an answer when the request's own maximum does not end it earlier."""
    max_concurrency: int = 256
    """Requests generating at once; more wait."""
    max_waiting: int = 1024
    """Requests waiting at once; more get a 503."""
    kv_blocks: int = 4096
    """Size of the prefix cache in blocks of 16 tokens."""
    dp_rank: int = 0
    """Data-parallel rank: in metrics and KV events, and added to the ports of the latter."""
    kv_events: KvEventsSettings | None = None
    """Where KV events are published; None: nowhere."""
    role: Role | None = None
    """Part in disaggregated prefill: which `kv_transfer_params` it obeys. None: none."""
    kv_load_failure: Literal["recompute", "fail"] = "recompute"
    """What a decoding engine does when blocks it was promised are not to be had."""
    kv_lease_ms: float = 30_000.0
    """How long a prefilling engine keeps blocks for another one to fetch."""
    kv_host: str | None = None
    """The address other engines fetch blocks from; None: `host`. Needed where `host` is 0.0.0.0."""
    transcription: str = "This is a simulated transcription: nobody listened to the audio."
    """What every audio file is said to say."""
    max_model_len: int = 131_072
    """Longest prompt plus answer, in tokens."""
    embedding_dimensions: int = 384
    max_body_bytes: int = 64 * 1024 * 1024
    """Larger request bodies get a 413."""
    echo: bool = False
    """Answer every request with an echo of itself, as the header `x-sim-echo: 1` does for one."""
    fault: Fault | None = None
    """Fault that is on from the start, for every request in `fault_scope`."""
    fault_scope: FaultScope = "inference"
    """`inference`: only the routes that answer prompts; `all`: /health, /metrics and the rest as well."""
    shutdown_ms: float = 5000.0
    """How long running answers may take to finish once the engine is told to stop."""

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model must not be empty")
        if len({self.model, *self.adapters()}) != 1 + len(self.loras) or "" in self.adapters():
            raise ValueError("model and loras must be different names")
        if len(self.loras) > self.max_cpu_loras:
            raise ValueError(f"max_cpu_loras is {self.max_cpu_loras}, fewer than the loras given")
        for field in (
            "ttft_ms",
            "rate",
            "prefill_rate",
            "shutdown_ms",
            "max_waiting",
            "port",
            "control_port",
            "dp_rank",
            "kv_lease_ms",
        ):
            if (getattr(self, field) or 0) < 0:
                raise ValueError(f"{field} must not be negative")
        for field in (
            "max_concurrency",
            "kv_blocks",
            "max_model_len",
            "embedding_dimensions",
            "max_body_bytes",
            "max_loras",
            "max_cpu_loras",
        ):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"{field} must be at least 1")
        if not 1 <= self.answer_tokens <= MAX_TOKENS_BOUND:
            raise ValueError(f"answer_tokens must be between 1 and {MAX_TOKENS_BOUND}")

    @property
    def most_loras(self) -> int:
        """How many adapters run side by side."""
        return max(1, len(self.loras)) if self.max_loras is None else self.max_loras

    def adapters(self) -> dict[str, str]:
        """The paths of the adapters by name; a name alone is its own path."""
        pairs = (lora.partition("=") for lora in self.loras)
        return {name: path or name for name, _, path in pairs}
