"""What a simulated engine is told before it starts."""

from dataclasses import dataclass

from pointsman.sim.faults import Fault, FaultScope

DEFAULT_PORT = 8000
MAX_TOKENS_BOUND = 1_000_000


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
    """LoRA adapter names, listed in /v1/models with the base model as their parent."""
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
        names = (self.model, *self.loras)
        if len(set(names)) != len(names):
            raise ValueError("model and loras must be different names")
        for field in (
            "ttft_ms",
            "rate",
            "prefill_rate",
            "shutdown_ms",
            "max_waiting",
            "port",
            "control_port",
        ):
            if (getattr(self, field) or 0) < 0:
                raise ValueError(f"{field} must not be negative")
        for field in (
            "max_concurrency",
            "kv_blocks",
            "max_model_len",
            "embedding_dimensions",
            "max_body_bytes",
        ):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1")
        if not 1 <= self.answer_tokens <= MAX_TOKENS_BOUND:
            raise ValueError(f"answer_tokens must be between 1 and {MAX_TOKENS_BOUND}")
