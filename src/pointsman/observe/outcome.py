"""What became of a request, as the data plane reports it once the answer has ended."""

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """The end of one request. Fields the data plane did not tell keep their defaults."""

    request_id: str
    status: int = 0
    """HTTP status the client saw; 0 when the connection ended before there was one."""
    pool: str = ""
    """The provider model whose endpoints served it."""
    model: str = ""
    """The model the data plane believes was chosen; the ruling's, where there is one, is preferred."""
    endpoint: str = ""
    """Address of the engine that answered, `host:port`."""
    flags: str = ""
    """Envoy's reasons when something went wrong, by the names of its access log, joined by commas."""
    details: str = ""
    """Envoy's response code details (`via_upstream`, `stream_idle_timeout`, ...)."""
    undecided: bool = False
    """The request was refused because no decision came: the router was down, late or silent."""
    duration_ms: float | None = None
    """From the first byte of the request to the last byte of the answer, milliseconds."""
    ttfb_ms: float | None = None
    """From the first byte of the request to the first byte of the answer, milliseconds."""
    response_bytes: int = 0
    """Of the answer's body, as sent to the client; 0 where the data plane does not tell."""
    attempts: int = 0
    """How often the request was sent upstream; 0 when it never was."""
    method: str = ""
    path: str = ""
