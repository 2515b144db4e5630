"""Input files, line by line."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.batches.lines import MAX_FAULTS, check, requests

CHAT = "/v1/chat/completions"


def line(custom_id: str = "a", **fields: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": {"model": "m", "x": 1}, **fields}


def written(folder: Path, *lines: Any) -> Path:
    path = folder / "in"
    path.write_bytes(
        b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)
    )
    return path


def checked(path: Path, **bounds: int) -> tuple[int, list[Any]]:
    return check(path, CHAT, **{"most": 10, "longest": 1000, **bounds})


def test_requests_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Blank lines and line ends of Windows do not count; a body keeps its bytes."""
    path = written(tmp_path, line(), b"", json.dumps(line("b")).encode() + b"\r")
    path.write_bytes(path.read_bytes() + b"\n")
    assert checked(path) == (2, [])
    first, second = requests(path, CHAT, 1000)
    assert (first.custom_id, first.line, second.custom_id, second.line) == ("a", 1, "b", 3)
    assert bytes(first.body) == b'{"model": "m", "x": 1}'


@pytest.mark.parametrize(
    ("said", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b'{"custom_id": "a"}', "method"),
        (line(""), "custom_id"),
        (line("x" * 513), "custom_id"),
        ({**line(), "custom_id": 5}, "custom_id"),
        (line(method="GET"), "method"),
        (line(url="/v1/embeddings"), "url"),
        (line(body=[]), None),
        (line(body={}), "body.model"),
        (line(body={"model": ""}), "body.model"),
        (line(body={"model": "m", "stream": True}), "body.stream"),
        (b"\xff\xfe", None),
        (line(body={"model": "m", "x": "y" * 1000}), None),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, said: Any, param: str | None) -> None:
    """Its number, and the field where one is at fault."""
    _, [fault] = checked(written(tmp_path, line("good"), said))
    assert (fault.line, fault.code, fault.param) == (2, "invalid_request", param)


def test_an_id_stands_for_one_request(tmp_path: Path) -> None:
    """The second line with it is at fault."""
    _, [fault] = checked(written(tmp_path, line(), line("b"), line()))
    assert (fault.line, fault.param) == (3, "custom_id")


def test_files_are_bounded(tmp_path: Path) -> None:
    """Requests, and faults told; a file without requests is one."""
    many = written(tmp_path, *(line(str(number)) for number in range(11)))
    _, [fault] = checked(many)
    assert (fault.code, fault.line) == ("too_many_requests", 11)
    _, faults = checked(written(tmp_path, *[b"{"] * (MAX_FAULTS + 9)), most=1000)
    assert len(faults) == MAX_FAULTS
    assert checked(written(tmp_path, b" "))[1][0].code == "empty_file"


def test_a_line_without_end_is_not_held_in_memory(tmp_path: Path) -> None:
    """Only as much of it as a line may have; the next one is read as if nothing were."""
    path = written(tmp_path, b"x" * 100_000, line())
    number, [fault] = checked(path)
    assert (number, fault.line, "longer than 1000" in fault.message) == (2, 1, True)
