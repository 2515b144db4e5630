"""Files and batches with OpenAI's client, through the whole gateway."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from support.gateway import Gateway, eventually, http, start_gateway

pytestmark = pytest.mark.envoy

CHAT = "/v1/chat/completions"
WINDOW = "24h"


def line(number: int, model: str = "base-model", **fields: Any) -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": f"question {number}"}]}
    return {"custom_id": f"q{number}", "method": "POST", "url": CHAT, "body": body, **fields}


def jsonl(*lines: Any) -> bytes:
    return "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines).encode()


def upload(client: openai.OpenAI, data: bytes) -> str:
    return client.files.create(file=("in.jsonl", data), purpose="batch").id


def begin(client: openai.OpenAI, data: bytes, **more: Any) -> str:
    batch = client.batches.create(
        input_file_id=upload(client, data), endpoint=CHAT, completion_window=WINDOW, **more
    )
    return batch.id


def over(client: openai.OpenAI, batch: str) -> Any:
    def ended() -> Any:
        found = client.batches.retrieve(batch)
        return found if found.status in {"completed", "failed", "cancelled", "expired"} else None

    return eventually(f"{batch} over", ended)


@pytest.fixture
def serving(own_gateway: Callable[..., Gateway], tmp_path: Path) -> Callable[..., Gateway]:
    """Starts a gateway that keeps files."""

    def start(**fields: Any) -> Gateway:
        files = {"enabled": True, "folder": str(tmp_path / "kept"), **fields}
        return own_gateway(lambda settings: settings.update(gateway={"files": files}))

    return start


def test_a_batch_runs_and_its_results_are_files(serving: Callable[..., Gateway]) -> None:
    """Good and bad requests end in their files, virtual models are decided, and all of it is listed."""
    client = serving().client()
    batch = begin(
        client,
        jsonl(*(line(n) for n in range(20)), line(20, "MoM"), line(21, "nope")),
        metadata={"for": "test"},
    )
    done = over(client, batch)
    assert (done.status, done.metadata) == ("completed", {"for": "test"})
    counts = done.request_counts
    assert (counts.total, counts.completed, counts.failed) == (22, 21, 1)
    results = [json.loads(each) for each in client.files.content(done.output_file_id).text.splitlines()]
    assert {each["custom_id"] for each in results} == {f"q{n}" for n in range(21)}
    assert all(each["response"]["status_code"] == 200 for each in results)
    assert all(each["response"]["body"]["choices"] for each in results)
    [error] = [json.loads(each) for each in client.files.content(done.error_file_id).text.splitlines()]
    assert (error["custom_id"], error["response"]["status_code"]) == ("q21", 400)
    assert [each.id for each in client.batches.list()] == [batch]
    output = client.files.retrieve(done.output_file_id)
    assert output.purpose == "batch_output"
    assert output.bytes == len(client.files.content(output.id).content)
    assert {each.purpose for each in client.files.list()} == {"batch", "batch_output"}
    assert [each.id for each in client.files.list(purpose="batch")] == [done.input_file_id]
    assert client.files.delete(done.output_file_id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.content(done.output_file_id)


def test_wrong_lines_are_told_before_anything_is_sent(serving: Callable[..., Gateway]) -> None:
    """Each with its number; nothing runs."""
    client = serving().client()
    wrong = (
        line(0),
        "{not json",
        {**line(2), "method": "GET"},
        {**line(3), "url": "/v1/embeddings"},
        {**line(4), "custom_id": "q0"},
        {**line(5), "body": {"messages": []}},
        {**line(6), "body": {**line(6)["body"], "stream": True}},
    )
    failed = over(client, begin(client, jsonl(*wrong)))
    assert failed.status == "failed"
    assert [each.line for each in failed.errors.data] == [2, 3, 4, 5, 6, 7]
    assert failed.output_file_id is None
    empty = over(client, begin(client, b"\n\n"))
    assert [each.code for each in empty.errors.data] == ["empty_file"]


def test_what_is_too_large_or_too_much_is_refused(serving: Callable[..., Gateway]) -> None:
    """A file over the limit is a 413 and leaves nothing; too many of them a 507; too many requests fail."""
    gateway = serving(max_file_bytes=300_000, max_files=2, max_bytes=500_000, max_requests=3)
    client = gateway.client()
    with pytest.raises(openai.APIStatusError) as caught:
        upload(client, b"x" * 300_001)
    assert (caught.value.status_code, caught.value.response.json()["error"]["param"]) == (413, "file")
    assert list(client.files.list()) == []
    upload(client, b"x" * 300_000)
    with pytest.raises(openai.APIStatusError) as caught:
        upload(client, b"x" * 300_000)
    assert caught.value.status_code == 507
    batch = begin(client, jsonl(*(line(n) for n in range(4))))
    assert over(client, batch).errors.data[0].code == "too_many_requests"
    with pytest.raises(openai.APIStatusError, match="files are stored"):
        upload(client, b"x")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"endpoint": "/v1/files"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"metadata": {"a": 5}}, "metadata"),
        ({"input_file_id": 5}, "input_file_id"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(
    serving: Callable[..., Gateway], fields: dict[str, Any], param: str
) -> None:
    """The error names the field, in OpenAI's shape."""
    gateway = serving()
    good = upload(gateway.client(), jsonl(line(0)))
    body = {"input_file_id": good, "endpoint": CHAT, "completion_window": WINDOW, **fields}
    answer = http(f"{gateway.url}/v1/batches", json.dumps(body).encode())
    assert (answer.status, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/files/file-000000000000000000000000", 404),
        ("GET", "/v1/files/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/v1/files/lock/content", 404),
        ("GET", "/v1/batches/batch-000000000000000000000000", 404),
        ("POST", "/v1/batches/nope/cancel", 404),
        ("GET", "/v1/files/a/b/c", 404),
        ("PUT", "/v1/files", 405),
        ("POST", "/v1/files", 400),
        ("GET", "/v1/files?limit=0", 400),
        ("GET", "/v1/files?after=nope", 400),
    ],
)
def test_what_is_not_there_is_an_openai_error(
    serving: Callable[..., Gateway], method: str, path: str, status: int
) -> None:
    """Unknown ids, wrong methods, names that would leave the folder."""
    answer = http(serving().url + path, None, method)
    assert answer.status == status, answer.body
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def slow(settings: dict[str, Any], folder: Path) -> None:
    settings["gateway"] = {"files": {"enabled": True, "folder": str(folder), "concurrency": 2}}


def test_a_cancelled_batch_keeps_what_is_done(serving: Callable[..., Gateway]) -> None:
    """Nothing begins after it; the file of a running batch cannot be deleted, that of an ended one can."""
    gateway = serving(concurrency=2)
    client = gateway.client()
    for engine in gateway.engines:
        engine.fault("delay:150")
    try:
        batch = begin(client, jsonl(*(line(n) for n in range(400))))
        running = eventually(
            "some done",
            lambda: (found := client.batches.retrieve(batch)).request_counts.completed > 3 and found,
        )
        with pytest.raises(openai.ConflictError):
            client.files.delete(running.input_file_id)
        client.batches.cancel(batch)
        ended = over(client, batch)
    finally:
        for engine in gateway.engines:
            engine.fault(None)
    assert ended.status == "cancelled"
    done = client.files.content(ended.output_file_id).text.splitlines()
    assert 3 < len(done) == ended.request_counts.completed < 400
    assert client.files.delete(ended.input_file_id).deleted


def test_a_batch_goes_on_after_a_restart(tmp_path: Path, engines: Any) -> None:
    """Killed in the middle: every request has one result in the end, those that were done among them."""
    folder = tmp_path / "kept"
    for engine in engines:
        engine.fault("delay:100")
    try:
        (tmp_path / "1").mkdir()
        first = start_gateway(tmp_path / "1", engines, lambda settings: slow(settings, folder))
        client = first.client()
        batch = begin(client, jsonl(*(line(n) for n in range(60))))
        eventually("some done", lambda: client.batches.retrieve(batch).request_counts.completed >= 5)
        first.process.stop(9)
        kept = next(iter(folder.glob("*.out")))
        before = [each for each in kept.read_bytes().splitlines(keepends=True) if each.endswith(b"\n")]
        with kept.open("ab") as file:
            file.write(b'{"custom_id": "q59", "resp')  # what a crash may leave behind
    finally:
        for engine in engines:
            engine.fault(None)
    (tmp_path / "2").mkdir()
    second = start_gateway(tmp_path / "2", engines, lambda settings: slow(settings, folder))
    try:
        client = second.client()
        done = over(client, batch)
        assert (done.status, done.request_counts.completed) == ("completed", 60)
        lines = client.files.content(done.output_file_id).content.splitlines(keepends=True)
        assert lines[: len(before)] == before
        assert sorted(json.loads(each)["custom_id"] for each in lines) == sorted(f"q{n}" for n in range(60))
    finally:
        second.process.stop()


def test_users_see_their_own_only(own_gateway: Callable[..., Gateway], tmp_path: Path) -> None:
    """Where a proxy says who asks, others' files and batches do not exist, and requests carry the user on."""

    def trusting(settings: dict[str, Any]) -> None:
        files = {"enabled": True, "folder": str(tmp_path / "kept")}
        settings["gateway"] = {"files": files, "trust_identity_headers": True}

    gateway = own_gateway(trusting)
    ann = gateway.client().with_options(default_headers={"x-authz-user-id": "ann"})
    bob = gateway.client().with_options(default_headers={"x-authz-user-id": "bob"})
    batch = begin(ann, jsonl(line(0)))
    done = over(ann, batch)
    assert done.status == "completed"
    assert list(bob.files.list()) == [] == list(bob.batches.list())
    for ask in (
        lambda: bob.files.content(done.output_file_id),
        lambda: bob.files.delete(done.input_file_id),
        lambda: bob.batches.retrieve(batch),
        lambda: bob.batches.cancel(batch),
        lambda: bob.batches.create(input_file_id=done.input_file_id, endpoint=CHAT, completion_window=WINDOW),
    ):
        with pytest.raises(openai.NotFoundError):
            ask()


def test_without_the_gateway_they_are_a_503(serving: Callable[..., Gateway]) -> None:
    """Envoy lives on and says so; no engine is asked for files."""
    gateway = serving()
    gateway.process.stop(9)
    for path in ("/v1/files", "/v1/batches/x"):
        answer = http(gateway.url + path)
        assert (answer.status, answer.json()["error"]["code"]) == (503, 503)


def test_switched_off_they_are_a_404(gateway: Gateway) -> None:
    """With a message that says how to switch them on."""
    answer = http(f"{gateway.url}/v1/files")
    assert (answer.status, b"gateway.files.enabled" in answer.body) == (404, True)
