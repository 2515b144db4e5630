"""Batches at work: their requests go through our own data plane, like those of any client."""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import msgspec

from pointsman.batches import lines
from pointsman.batches.store import Full, Store, changed
from pointsman.batches.values import Counts, Fault, Faults, Request, StoredBatch, result
from pointsman.core.errors import HttpError

_TRY_AGAIN: Final = frozenset({429, 502, 503, 504})
_SWEEP_S: Final = 60.0


class Reply(msgspec.Struct, frozen=True):
    """What became of one request."""

    status: int
    body: bytes
    request_id: str = ""
    retry_after_s: float | None = None


class Sender(Protocol):
    """The way to the data plane."""

    async def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Raises ``HttpError`` where no answer came."""


class Pace(msgspec.Struct, frozen=True):
    """How hard batches work."""

    at_once: int = 8
    """Requests of all batches together."""
    max_running: int = 4
    """Batches at work; more wait."""
    max_requests: int = 50_000
    max_line_bytes: int = 4 << 20
    attempts: int = 5
    wait_s: float = 1.0
    """Before the second attempt; doubled for each further one."""
    longest_wait_s: float = 30.0
    keep_s: float = 30 * 86400.0
    """How long batches and what they made are kept."""


class Runner:
    """Takes up what a store has unfinished, and what is given to it. Belongs to one event loop."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        pace: Pace,
        *,
        report: Callable[[BaseException], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._sender = sender
        self._pace = pace
        self._report = report
        self._now = now
        self._slots = asyncio.Semaphore(pace.at_once)
        self._turns = asyncio.Semaphore(pace.max_running)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled; what is unfinished then goes on after the next start."""
        for stored in reversed(self._store.batches):
            if not stored.value.over:
                self.take(stored.value.id)
        try:
            while True:
                self._store.sweep(self._pace.keep_s)
                await asyncio.sleep(_SWEEP_S)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def take(self, identity: str) -> None:
        """Work on a batch of the store."""
        task = asyncio.get_running_loop().create_task(self._keep(identity))
        self._tasks[identity] = task
        task.add_done_callback(lambda _: self._tasks.pop(identity, None))

    def cancel(self, identity: str, owner: str) -> StoredBatch:
        """Begin no further request of a batch; those under way are given up."""
        stored = self._store.batch(identity, owner)
        if stored.value.over or stored.value.status == "cancelling":
            return stored
        stored = changed(stored, status="cancelling", cancelling_at=int(self._now()))
        self._store.put_batch(stored)
        return stored

    async def _keep(self, identity: str) -> None:
        try:
            async with self._turns:
                await self._work(identity)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # a defect ends this batch, not the others
            self._report(error)
            self._fail(identity, [Fault("internal_error", "the batch could not be run; the log says why")])

    async def _work(self, identity: str) -> None:
        stored = self._store.known(identity)
        path = self._store.path(stored.value.input_file_id)
        if stored.value.status == "validating":
            total, faults = await asyncio.to_thread(
                lines.check,
                path,
                stored.value.endpoint,
                most=self._pace.max_requests,
                longest=self._pace.max_line_bytes,
            )
            if faults:
                self._fail(identity, faults)
                return
            if self._status(identity) == "validating":
                counts = Counts(total=total)
                self._set(
                    identity, status="in_progress", in_progress_at=int(self._now()), request_counts=counts
                )
        begun = self._store.known(identity).value.in_progress_at is not None
        if begun and self._status(identity) in {"in_progress", "cancelling"}:
            await self._requests(identity, path)
        self._finish(identity)

    async def _requests(self, identity: str, path: Path) -> None:
        """Every request that has no result yet, as many at once as there are slots."""
        done = {kind: _settled(self._store.results(identity, kind)) for kind in ("out", "err")}
        skipped = done["out"] | done["err"]
        self._count(identity, completed=len(done["out"]), failed=len(done["err"]))
        stored = self._store.known(identity)
        with (
            self._store.results(identity, "out").open("ab") as out,
            self._store.results(identity, "err").open("ab") as err,
        ):
            running: set[asyncio.Task[None]] = set()
            try:
                for request in lines.requests(path, stored.value.endpoint, self._pace.max_line_bytes):
                    if request.custom_id in skipped:
                        continue
                    await self._slots.acquire()
                    if self._stopped(identity):
                        self._slots.release()
                        break
                    task = asyncio.create_task(self._one(stored, request, out, err))
                    task.add_done_callback(lambda _: self._slots.release())
                    running.add(task)
                    task.add_done_callback(running.discard)
                while running and not self._stopped(identity):
                    await asyncio.wait(running, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in running:
                    task.cancel()
                outcomes = await asyncio.gather(*running, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                self._report(outcome)

    def _stopped(self, identity: str) -> bool:
        batch = self._store.known(identity).value
        return batch.status == "cancelling" or batch.errors is not None or batch.expires_at <= self._now()

    async def _one(self, stored: StoredBatch, request: Request, out: BinaryIO, err: BinaryIO) -> None:
        """Send a request, and write down what became of it."""
        identity = f"batch_req_{secrets.token_hex(12)}"
        try:
            reply = await self._sent(stored, request)
        except HttpError as error:
            said = {"code": error.type, "message": error.message}
            if self._write(stored.value.id, err, result(request.custom_id, identity=identity, error=said)):
                self._count(stored.value.id, failed=1, more=True)
            return
        response: dict[str, Any] = {
            "status_code": reply.status,
            "request_id": reply.request_id,
            "body": _readable(reply.body),
        }
        good = 200 <= reply.status < 300
        line = result(request.custom_id, identity=identity, response=response)
        if self._write(stored.value.id, out if good else err, line):
            self._count(stored.value.id, completed=int(good), failed=int(not good), more=True)

    async def _sent(self, stored: StoredBatch, request: Request) -> Reply:
        """Again after a while where the answer says so: live requests come first."""
        pace = self._pace
        for attempt in range(1, pace.attempts + 1):
            last = attempt == pace.attempts
            wait_s = min(pace.longest_wait_s, pace.wait_s * 2 ** (attempt - 1))
            try:
                reply = await self._sender.send(stored.value.endpoint, bytes(request.body), stored.headers)
            except HttpError:
                if last:
                    raise
            else:
                if last or reply.status not in _TRY_AGAIN:
                    return reply
                wait_s = min(pace.longest_wait_s, max(wait_s, reply.retry_after_s or 0.0))
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311  # spreads, guards nothing
        raise AssertionError("the last attempt returns or raises")

    def _write(self, identity: str, file: BinaryIO, line: bytes) -> bool:
        """Whether there was room for it; without, the batch ends here."""
        try:
            self._store.reserve(len(line))
        except Full as error:
            self._set(identity, errors=Faults([Fault(error.type, error.message)]))
            return False
        file.write(line)
        file.flush()
        return True

    def _finish(self, identity: str) -> None:
        """Give the results to the client, whole or as far as they came. May be done again after a crash."""
        now = int(self._now())
        if self._status(identity) != "finalizing":
            self._set(
                identity,
                status="finalizing",
                finalizing_at=now,
                output_file_id=self._store.collected(identity, "out"),
                error_file_id=self._store.collected(identity, "err"),
            )
        value = self._store.known(identity).value
        for name, kind, file in (
            ("output", "out", value.output_file_id),
            ("error", "err", value.error_file_id),
        ):
            if file is not None:
                self._store.adopt(identity, kind, file, f"{identity}_{name}.jsonl", self._pace.keep_s)
        self._store.discard(identity)
        counts = value.request_counts
        if value.errors is not None:
            self._set(identity, status="failed", failed_at=now)
        elif value.cancelling_at is not None:
            self._set(identity, status="cancelled", cancelled_at=now)
        elif counts.completed + counts.failed < counts.total:
            self._set(identity, status="expired", expired_at=now)
        else:
            self._set(identity, status="completed", completed_at=now)

    def _fail(self, identity: str, faults: list[Fault]) -> None:
        self._store.discard(identity)
        self._set(identity, status="failed", failed_at=int(self._now()), errors=Faults(faults))

    def _status(self, identity: str) -> str:
        return self._store.known(identity).value.status

    def _set(self, identity: str, **fields: Any) -> None:
        self._store.put_batch(changed(self._store.known(identity), **fields))

    def _count(self, identity: str, *, completed: int = 0, failed: int = 0, more: bool = False) -> None:
        before = self._store.known(identity).value.request_counts
        base = before if more else Counts(before.total)
        counts = Counts(before.total, base.completed + completed, base.failed + failed)
        stored = self._store.known(identity)
        self._store.note(changed(stored, request_counts=counts))


def _settled(path: Path) -> set[str]:
    """Custom ids that have a line; a line that a crash cut off is taken away again."""
    if not path.exists():
        return set()
    found: set[str] = set()
    end = 0
    with path.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            with contextlib.suppress(msgspec.DecodeError):
                found.add(str(msgspec.json.decode(line)["custom_id"]))
        file.truncate(end)
    return found


def _readable(body: bytes) -> Any:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace")
    return msgspec.Raw(body)
