"""Where a gRPC server listens, checked before and after the fact so that a failure names its remedy."""

import socket
from pathlib import Path
from typing import Self

import msgspec

from pointsman.core.errors import StartError

_MAX_UNIX_PATH = 107
"""Bytes in ``sun_path`` on Linux, without its terminating zero."""


class Address(msgspec.Struct, frozen=True):
    """A listening address: a Unix socket's path, or a host with its port."""

    text: str
    """As gRPC takes it: ``unix:/path`` or ``host:port`` (``[v6]:port``)."""
    unix_path: str = ""

    @property
    def is_unix(self) -> bool:
        """Whether only processes of this machine can connect."""
        return bool(self.unix_path)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``unix:/path``, ``unix:///path`` or ``host:port``; anything else is a ``StartError``."""
        scheme, _, rest = text.partition(":")
        if scheme == "unix":
            path = rest.removeprefix("//")
            if not path.startswith("/"):
                raise StartError(
                    f"cannot listen on {text!r}: a socket path is absolute, like unix:/run/x.sock"
                )
            return cls(f"unix:{path}", path)
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise StartError(f"cannot listen on {text!r}: write host:port, like 127.0.0.1:50051")
        return cls(text)

    def prepare(self) -> None:
        """Raise ``StartError`` if the socket is another server's; gRPC itself would take its path over."""
        if not self.is_unix:
            return
        path = Path(self.unix_path)
        if len(self.unix_path.encode()) > _MAX_UNIX_PATH:
            raise StartError(
                f"cannot listen on {self.text}: a socket path has at most {_MAX_UNIX_PATH} bytes"
            )
        if not path.parent.is_dir():
            raise StartError(f"cannot listen on {self.text}: create the directory {path.parent} first")
        if path.exists() and not path.is_socket():
            raise StartError(f"cannot listen on {self.text}: {path} exists and is not a socket; remove it")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if path.exists() and probe.connect_ex(self.unix_path) == 0:
                raise self.taken()

    def taken(self) -> StartError:
        """The error for an address that cannot be bound."""
        remedy = "stop the process that listens there, or choose another address"
        return StartError(f"cannot listen on {self.text}: in use, or not an address of this host; {remedy}")
