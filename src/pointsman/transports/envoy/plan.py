"""What our Envoy must do, free of the configuration document and of Envoy's own schema.

Times are seconds, sizes bytes. ``render`` turns a ``Plan`` into Envoy's configuration.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LbPolicy = Literal["round_robin", "least_request"]

RETRY_ON = ("connect-failure", "refused-stream", "reset-before-request", "retriable-status-codes")
"""Failures after which no engine has begun to answer; Envoy's names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """An address that takes client requests."""

    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One replica."""

    address: str
    """An IP address, or a name that Envoy resolves."""
    port: int
    weight: int = 1
    tls_sni: str | None = None
    """Speak TLS, and expect a certificate for this name."""

    @property
    def is_ip(self) -> bool:
        """Whether no resolver is needed."""
        try:
            ipaddress.ip_address(self.address)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Ask every replica on its own, not only watch its answers."""

    path: str = "/health"
    interval_s: float = 5.0
    timeout_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The replicas that serve one provider model, and how requests are spread over them."""

    name: str
    """The value of the pool header that selects it; any string."""
    endpoints: tuple[Host, ...]
    lb_policy: LbPolicy = "least_request"
    placed: bool = False
    """The router names endpoints; ``lb_policy`` is for requests without, and once those named are used up."""
    retries: int = 2
    retry_on: tuple[str, ...] = RETRY_ON
    retriable_statuses: tuple[int, ...] = (503,)
    """Statuses of an engine that are tried elsewhere, if ``retry_on`` has ``retriable-status-codes``."""
    consecutive_5xx: int = 5
    """Failures in a row (connection failures included) that eject a replica."""
    base_ejection_s: float = 10.0
    max_ejection_percent: int = 66
    health_check: HealthCheck | None = None
    connect_timeout_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the data plane."""

    max_body_bytes: int = 32 << 20
    decision_timeout_s: float = 2.0
    """How long a request waits for the router before it goes on undecided."""
    answer_timeout_s: float = 6.0
    """How long the router may take over the headers of a request whose answer it will filter."""
    stream_idle_timeout_s: float = 300.0
    """Silence (also before the first byte) after which a request is given up; its length is unbounded."""
    max_connections: int = 50_000
    """Open client connections."""
    max_pool_requests: int = 10_000
    """Requests one pool has in flight, and as many waiting for a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a rendered configuration depends on."""

    listeners: tuple[Listener, ...]
    pools: tuple[Pool, ...]
    run_dir: Path
    """Private directory (0700) that holds the configuration files; see ``rundir``."""
    extproc_socket: Path
    accesslog_socket: Path
    admin_socket: Path
    limits: Limits = Limits()
    concurrency: int | None = None
    """Worker threads; ``None``: one a core."""
    default_pool: str | None = None
    """Fail open: the pool of requests that no router decided. ``None``: they get a 503."""
    operations: Host | None = None
    """Where the management API is, if health and metrics are answered where clients connect."""
    files_socket: Path | None = None
    """Where files and batches are served, if they are."""
    unheard_headers: tuple[str, ...] = ()
    """Request headers, in lower case, that clients may not send: removed before anything reads them."""
    ca_file: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    """Certificate authorities that vouch for TLS replicas."""
