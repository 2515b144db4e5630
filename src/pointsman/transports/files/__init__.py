"""``/v1/files`` and ``/v1/batches``: an application behind our own Envoy, on a socket of its own."""

from pointsman.transports.files.app import files_app
from pointsman.transports.files.server import SocketServer

__all__ = ["SocketServer", "files_app"]
