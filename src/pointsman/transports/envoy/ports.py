"""Ports that are taken, found out before Envoy starts."""

import errno
import socket
from collections.abc import Iterable

from pointsman.core.errors import StartError
from pointsman.transports.envoy.plan import Listener


def check(listeners: Iterable[Listener]) -> None:
    """``StartError`` for the first address that cannot be listened on.

    Envoy shares ports (``SO_REUSEPORT``): without this, two gateways of one user would split the traffic of
    one port between them and neither would say a word.
    """
    for listener in listeners:
        _check(listener)


def free(listeners: Iterable[Listener]) -> bool:
    """Whether ``check`` would pass."""
    try:
        check(listeners)
    except StartError:
        return False
    return True


def _check(listener: Listener) -> None:
    family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listener.address, listener.port))
        except OSError as error:
            raise StartError(_explain(listener, error)) from error


def _explain(listener: Listener, error: OSError) -> str:
    where = f"{listener.address}:{listener.port} (listener {listener.name!r})"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{where} is in use by another process. "
            f"Stop it (`ss -ltnp 'sport = :{listener.port}'` names it), or change the port in `listeners`."
        )
    if error.errno == errno.EACCES:
        return f"{where}: ports below 1024 take privileges this process lacks; choose a port above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{where}: this machine has no such address; use 0.0.0.0 or one of its own."
    return f"{where} cannot be listened on: {error}"
