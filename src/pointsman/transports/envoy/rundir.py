"""The private directory of one gateway (sockets, Envoy's files), and what a killed gateway left behind."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pointsman.core.errors import StartError
from pointsman.transports.envoy.admin import Admin
from pointsman.transports.envoy.files import BOOTSTRAP_FILE

_LOCK = "lock"
_POLL_S = 0.2
_SOCKET_PATH_BYTES = 107
"""What ``sockaddr_un`` holds."""
ADMIN_SOCKET = "admin.sock"
EXTPROC_SOCKET = "extproc.sock"
ACCESSLOG_SOCKET = "accesslog.sock"
FILES_SOCKET = "files.sock"


def _prefix() -> str:
    return f"pointsman-{os.getuid()}-"


class RunDir:
    """A fresh directory, mode 0700, removed by ``close``. Its lock says that its owner lives."""

    def __init__(self, parent: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_prefix(), dir=parent))
        self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        longest = os.fsencode(self.path / ACCESSLOG_SOCKET)
        if len(longest) > _SOCKET_PATH_BYTES:
            self.close()
            raise StartError(
                f"{self.path} is too long a path for Unix sockets; set TMPDIR to a shorter directory."
            )

    def close(self) -> None:
        """Remove it; safe to repeat."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def abandoned(parent: Path | None = None) -> Iterator[Path]:
    """Directories of ours whose owner is gone: killed, or it would have removed them."""
    for path in sorted(Path(parent or tempfile.gettempdir()).glob(f"{_prefix()}*")):
        status = path.lstat()
        private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
        if private and status.st_uid == os.getuid() and not _held(path / _LOCK):
            yield path


def _held(lock: Path) -> bool:
    """Whether a live process holds it; one that is only being made counts as held."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


async def release_ports(path: Path, ports: frozenset[int]) -> bool:
    """Make the Envoy of an abandoned directory stop listening, if it is on one of ``ports``; whether it was.

    Its streams go on. One on other ports belonged to another gateway and is left to that one's successor;
    a directory without a living Envoy is removed.
    """
    admin = Admin(path / ADMIN_SOCKET)
    if not await admin.alive():
        shutil.rmtree(path, ignore_errors=True)
        return False
    if not ports & _listening(path):
        return False
    with contextlib.suppress(ConnectionError):
        await admin.drain()
    return True


def _listening(path: Path) -> frozenset[int]:
    """The ports its configuration names; none when it cannot be read."""
    try:
        document = json.loads((path / BOOTSTRAP_FILE).read_bytes())
        listeners = document["static_resources"]["listeners"]
        return frozenset(each["address"]["socket_address"]["port_value"] for each in listeners)
    except (OSError, ValueError, LookupError, TypeError):
        return frozenset()


async def retire(path: Path, drain_s: float) -> None:
    """End that Envoy once its streams are done, or after ``drain_s``, or when cancelled."""
    admin = Admin(path / ADMIN_SOCKET)
    try:
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(drain_s):
                while await admin.active_requests() > 0:  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(_POLL_S)
    finally:
        with contextlib.suppress(ConnectionError):
            await admin.quit()
        shutil.rmtree(path, ignore_errors=True)
