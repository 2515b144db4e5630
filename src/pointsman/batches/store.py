"""Files and batches on disk: a record each, replaced whole, and bytes beside it."""

import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from pointsman.batches.values import Batch, File, StoredBatch, StoredFile
from pointsman.core.errors import EndpointNotFound, Overloaded, StartError

_ID: Final = re.compile(r"(?:file|batch)-[0-9a-f]{24}\Z")
_FILE, _BATCH = msgspec.json.Decoder(StoredFile), msgspec.json.Decoder(StoredBatch)


class Bounds(msgspec.Struct, frozen=True):
    """How much may be kept."""

    max_file_bytes: int = 100 << 20
    max_files: int = 1000
    max_bytes: int = 10 << 30
    max_batches: int = 1000


class Full(Overloaded):
    """There is no room for more (429 is for those who ask too often; this is 507)."""

    status = 507
    type = "insufficient_storage"


class Store:
    """One folder, of one gateway at a time. What it knows is in memory; every change is on disk first."""

    def __init__(self, folder: Path, bounds: Bounds, *, now: Callable[[], float] = time.time) -> None:
        self.bounds = bounds
        self._folder = folder
        self._now = now
        self._coming = 0
        """Bytes of files being uploaded, and of results being collected."""
        self._files: dict[str, StoredFile] = {}
        self._batches: dict[str, StoredBatch] = {}
        self._lock = self._take()
        self._load()

    def close(self) -> None:
        """Let the folder go."""
        os.close(self._lock)

    @property
    def files(self) -> list[StoredFile]:
        """All of them, the newest first."""
        return sorted(self._files.values(), key=lambda one: (-one.value.created_at, one.value.id))

    @property
    def batches(self) -> list[StoredBatch]:
        """All of them, the newest first."""
        return sorted(self._batches.values(), key=lambda one: (-one.value.created_at, one.value.id))

    def file(self, identity: str, owner: str = "") -> StoredFile:
        """A file of an owner's. Raises ``EndpointNotFound``."""
        found = self._files.get(identity)
        if found is None or found.owner != owner:
            raise EndpointNotFound(f'no file "{identity[:64]}"', param="file_id")
        return found

    def batch(self, identity: str, owner: str = "") -> StoredBatch:
        """A batch of an owner's. Raises ``EndpointNotFound``."""
        found = self._batches.get(identity)
        if found is None or found.owner != owner:
            raise EndpointNotFound(f'no batch "{identity[:64]}"', param="batch_id")
        return found

    def path(self, identity: str) -> Path:
        """Where the bytes of a file are."""
        if not _ID.match(identity):
            raise EndpointNotFound(f'no file "{identity[:64]}"', param="file_id")
        return self._folder / f"{identity}.data"

    def new_upload(self) -> tuple[str, Path]:
        """An id, and where its bytes go until they are all there. Raises ``Full``."""
        if len(self._files) >= self.bounds.max_files:
            raise Full(f"{self.bounds.max_files} files are stored, which is the most; delete some")
        identity = f"file-{secrets.token_hex(12)}"
        return identity, self._folder / f"{identity}.part"

    def reserve(self, size: int) -> None:
        """Count bytes that are about to be written. Raises ``Full``."""
        used = sum(one.value.bytes for one in self._files.values())
        if used + self._coming + size > self.bounds.max_bytes:
            raise Full(f"files may take {self.bounds.max_bytes} bytes in all; delete some")
        self._coming += size

    def release(self, size: int) -> None:
        """Give reserved bytes back: they are in a file now, or gone."""
        self._coming -= size

    def add_file(self, written: Path, stored: StoredFile) -> None:
        """Take over a file whose bytes were written to ``written``."""
        written.replace(self.path(stored.value.id))
        self._put(stored.value.id, stored)
        self._files[stored.value.id] = stored

    def remove_file(self, identity: str) -> None:
        """Forget a file and its bytes."""
        del self._files[identity]
        self._record(identity).unlink(missing_ok=True)
        self.path(identity).unlink(missing_ok=True)

    def new_batch_id(self) -> str:
        """An id. Raises ``Full``."""
        if len(self._batches) >= self.bounds.max_batches:
            raise Full(f"{self.bounds.max_batches} batches are stored, which is the most")
        return f"batch-{secrets.token_hex(12)}"

    def put_batch(self, stored: StoredBatch) -> None:
        """A batch as it is now."""
        self._put(stored.value.id, stored)
        self._batches[stored.value.id] = stored

    def known(self, identity: str) -> StoredBatch:
        """A batch, whosever it is; it must be there."""
        return self._batches[identity]

    def note(self, stored: StoredBatch) -> None:
        """A batch as it is now, in memory alone: what a restart finds out again by itself."""
        self._batches[stored.value.id] = stored

    def remove_batch(self, identity: str) -> None:
        """Forget a batch; its files have lives of their own."""
        del self._batches[identity]
        self._record(identity).unlink(missing_ok=True)
        self.discard(identity)

    def results(self, identity: str, kind: str) -> Path:
        """Where a running batch collects its ``out`` and ``err`` lines."""
        return self._folder / f"{identity}.{kind}"

    def collected(self, batch: str, kind: str) -> str | None:
        """An id for the file that collected lines will be; ``None`` when there are none."""
        path = self.results(batch, kind)
        return f"file-{secrets.token_hex(12)}" if path.exists() and path.stat().st_size else None

    def adopt(self, batch: str, kind: str, identity: str, name: str, keep_s: float) -> None:
        """Make collected lines a file of the batch's owner; done already, nothing happens."""
        path = self.results(batch, kind)
        if path.exists():
            now, size = int(self._now()), path.stat().st_size
            value = File(identity, size, now, name, "batch_output", now + int(keep_s))
            self.add_file(path, StoredFile(value, self._batches[batch].owner))
            self.release(size)

    def discard(self, batch: str) -> None:
        """Throw collected lines away."""
        for kind in ("out", "err"):
            path = self.results(batch, kind)
            if path.exists():
                self.release(path.stat().st_size)
                path.unlink()

    def sweep(self, keep_s: float) -> None:
        """Forget files that have expired, and batches that were over ``keep_s`` ago."""
        now = self._now()
        used = {one.value.input_file_id for one in self._batches.values() if not one.value.over}
        for file in self.files:
            expires = file.value.expires_at
            if expires is not None and expires <= now and file.value.id not in used:
                self.remove_file(file.value.id)
        for batch in self.batches:
            if batch.value.over and batch.value.created_at + keep_s <= now:
                self.remove_batch(batch.value.id)

    def _record(self, identity: str) -> Path:
        return self._folder / f"{identity}.json"

    def _put(self, identity: str, stored: StoredFile | StoredBatch) -> None:
        """Whole or not at all, whatever happens meanwhile."""
        temporary = self._folder / f"{identity}.tmp"
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(stored))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._record(identity))

    def _take(self) -> int:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartError(f"files cannot be kept in {self._folder}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            message = f"another gateway keeps its files in {self._folder}; give each its gateway.files.folder"
            raise StartError(message) from error
        return lock

    def _load(self) -> None:
        """What is there; unfinished uploads and records that cannot be read are left behind."""
        for path in [*self._folder.glob("*.part"), *self._folder.glob("*.tmp")]:
            path.unlink(missing_ok=True)
        for path in sorted(self._folder.glob("*.json")):
            try:
                if path.name.startswith("file-"):
                    self._files[path.stem] = _FILE.decode(path.read_bytes())
                else:
                    self._batches[path.stem] = _BATCH.decode(path.read_bytes())
            except (OSError, msgspec.DecodeError):
                continue
        for path in [*self._folder.glob("*.out"), *self._folder.glob("*.err")]:
            self._coming += path.stat().st_size
        for identity in [name for name in self._files if not self.path(name).exists()]:
            del self._files[identity]


def changed(stored: StoredBatch, **fields: object) -> StoredBatch:
    """A batch with other fields."""
    value: Batch = msgspec.structs.replace(stored.value, **fields)
    return msgspec.structs.replace(stored, value=value)
