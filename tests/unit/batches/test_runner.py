"""Batches at work, against a data plane that does as it is told."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.batches.runner import Pace, Reply, Runner
from pointsman.batches.store import Bounds, Store
from pointsman.batches.values import Batch, File, StoredBatch, StoredFile
from pointsman.core.errors import Unavailable

PATH = "/v1/embeddings"
QUICK = Pace(wait_s=0.0)


class Plane:
    """Counts what it is sent, and answers with what ``answer`` makes of a request's number and attempt."""

    def __init__(self, answer: Callable[[int, int], Reply]) -> None:
        self.answer = answer
        self.tries: dict[int, int] = {}
        self.headers: list[Mapping[str, str]] = []
        self.inside = self.most = 0

    async def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        assert path == PATH
        number = json.loads(body)["n"]
        self.tries[number] = self.tries.get(number, 0) + 1
        self.headers.append(headers)
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0)
        self.inside -= 1
        return self.answer(number, self.tries[number])


def well(number: int, _: int) -> Reply:
    return Reply(200, json.dumps({"n": number}).encode(), f"r{number}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    kept = Store(tmp_path, Bounds(max_bytes=1 << 20))
    yield kept
    kept.close()


def begin(store: Store, count: int, *, expires_at: int = 1 << 40) -> str:
    body = [
        {"custom_id": f"c{n}", "method": "POST", "url": PATH, "body": {"model": "m", "n": n}}
        for n in range(count)
    ]
    identity, path = store.new_upload()
    data = "\n".join(map(json.dumps, body)).encode()
    path.write_bytes(data)
    store.add_file(path, StoredFile(File(identity, len(data), 1, "f", "batch"), "ann"))
    value = Batch(store.new_batch_id(), PATH, identity, created_at=1, expires_at=expires_at)
    store.put_batch(StoredBatch(value, "ann", {"x-authz-user-id": "ann"}))
    return value.id


def run(store: Store, plane: Plane, *batches: str, pace: Pace = QUICK, **more: Any) -> list[Batch]:
    async def until_over() -> None:
        task = asyncio.create_task(Runner(store, plane, pace, **more).run())
        async with asyncio.timeout(20):
            while not all(store.known(each).value.over for each in batches):  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(until_over())
    return [store.known(each).value for each in batches]


def results(store: Store, identity: str | None) -> list[dict[str, Any]]:
    assert identity is not None
    return [json.loads(each) for each in store.path(identity).read_bytes().splitlines()]


def test_every_request_has_one_result(store: Store) -> None:
    """In the shape of OpenAI's output files, and in the name of who asked."""
    plane = Plane(well)
    [done] = run(store, plane, begin(store, 30))
    found = results(store, done.output_file_id)
    assert (done.status, done.error_file_id, done.request_counts.completed) == ("completed", None, 30)
    assert {each["custom_id"] for each in found} == {f"c{n}" for n in range(30)}
    first = next(each for each in found if each["custom_id"] == "c7")
    assert first["response"] == {"status_code": 200, "request_id": "r7", "body": {"n": 7}}
    assert first["error"] is None
    assert {each["x-authz-user-id"] for each in plane.headers} == {"ann"}
    assert store.file(done.output_file_id or "", "ann").value.purpose == "batch_output"


def test_only_so_many_run_at_once(store: Store) -> None:
    """Over all batches together."""
    plane = Plane(well)
    run(store, plane, *(begin(store, 20) for _ in range(6)), pace=Pace(at_once=3, max_running=2, wait_s=0.0))
    assert plane.most == 3


def test_what_may_pass_is_tried_again(store: Store) -> None:
    """429 and 503 until the attempts are used up, other refusals once."""

    def answer(number: int, attempt: int) -> Reply:
        if number == 0:
            return Reply(429, b"{}", retry_after_s=0.0) if attempt < 3 else well(0, 0)
        if number == 1:
            raise Unavailable("gone")
        return Reply(503 if number == 2 else 400, b"not json")

    plane = Plane(answer)
    [done] = run(store, plane, begin(store, 4), pace=Pace(wait_s=0.0, attempts=3))
    assert plane.tries == {0: 3, 1: 3, 2: 3, 3: 1}
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 3)
    errors = {each["custom_id"]: each for each in results(store, done.error_file_id)}
    assert errors["c1"]["error"] == {"code": "service_unavailable", "message": "gone"}
    assert errors["c2"]["response"]["status_code"] == 503
    assert errors["c3"]["response"]["body"] == "not json"


def test_a_batch_that_is_late_expires_with_what_it_has(store: Store) -> None:
    """After its time no request begins."""
    clock = [0.0]

    def answer(number: int, attempt: int) -> Reply:
        clock[0] += 1.0
        return well(number, attempt)

    plane = Plane(answer)
    [done] = run(store, plane, begin(store, 50, expires_at=10), now=lambda: clock[0])
    assert done.status == "expired"
    assert 0 < len(results(store, done.output_file_id)) == done.request_counts.completed < 50


def test_a_disk_without_room_ends_a_batch(store: Store) -> None:
    """It fails with the reason, and keeps what it has."""
    plane = Plane(lambda number, _: Reply(200, json.dumps("x" * 100_000).encode(), str(number)))
    [done] = run(store, plane, begin(store, 30))
    assert done.status == "failed"
    assert done.errors is not None
    assert done.errors.data[0].code == "insufficient_storage"
    assert 0 < len(results(store, done.output_file_id)) < 30


def test_a_defect_ends_its_own_batch(store: Store) -> None:
    """It is reported; the other batch goes on."""
    broken, good = begin(store, 3), begin(store, 3)
    store.path(store.known(broken).value.input_file_id).unlink()
    told: list[BaseException] = []
    first, second = run(store, Plane(well), broken, good, report=told.append)
    assert (first.status, second.status, len(told)) == ("failed", "completed", 1)


@pytest.mark.parametrize("when", [0, 1, 7, 19, 20])
def test_an_end_at_any_moment_loses_nothing_and_repeats_nothing_that_was_written(
    tmp_path: Path, when: int
) -> None:
    """Stopped after so many answers, then started again: one result each."""
    first = Store(tmp_path, Bounds())
    batch = begin(first, 20)

    async def stopped() -> None:
        enough = asyncio.Event()

        def answer(number: int, attempt: int) -> Reply:
            if len(plane.tries) > when:
                enough.set()
            return well(number, attempt)

        plane = Plane(answer)
        task = asyncio.create_task(Runner(first, plane, Pace(at_once=2, wait_s=0.0)).run())
        waiting = asyncio.create_task(enough.wait())
        while not (waiting.done() or first.known(batch).value.over):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0)
        waiting.cancel()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(stopped())
    written = first.results(batch, "out")
    kept = written.read_bytes() if written.exists() else b""
    first.close()
    second = Store(tmp_path, Bounds())
    plane = Plane(well)
    [done] = run(second, plane, batch)
    found = [each["custom_id"] for each in results(second, done.output_file_id)]
    assert sorted(found) == sorted(f"c{n}" for n in range(20))
    done_before = {int(json.loads(each)["custom_id"][1:]) for each in kept.splitlines()}
    assert not done_before & plane.tries.keys()
    second.close()
