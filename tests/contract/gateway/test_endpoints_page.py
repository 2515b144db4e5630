"""The examples of docs/endpoints.md, run."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.gateway import Gateway

pytestmark = pytest.mark.envoy

PAGE = (Path(__file__).parents[3] / "docs" / "endpoints.md").read_text()
COMMANDS = [
    command.replace("\\\n", " ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command in re.findall(r"^\$ (.*?(?<!\\))$", block, re.DOTALL | re.MULTILINE)
]
[CODE] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_page_work(gateway: Gateway, tmp_path: Path, command: str) -> None:
    """Each as it is written, against a gateway on another port."""
    (tmp_path / "speech.wav").write_bytes(b"\xff" * 1000)
    line = command.replace("localhost:8801", f"127.0.0.1:{gateway.port}")
    asked = ["bash", "-c", line]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, timeout=30, check=False)  # our page
    assert (done.returncode, bool(done.stdout)) == (0, True), done.stderr


def test_the_batch_of_the_page_runs(own_gateway: Callable[..., Gateway], tmp_path: Path) -> None:
    """Ten requests for the virtual model, ten answers."""
    files = {"enabled": True, "folder": str(tmp_path / "kept")}
    gateway = own_gateway(lambda settings: settings.update(gateway={"files": files}))
    names: dict[str, Any] = {}
    code = CODE.replace("localhost:8801", f"127.0.0.1:{gateway.port}")
    exec(compile(code, "docs/endpoints.md", "exec"), names)  # noqa: S102  # our own page
    assert (names["batch"].status, len(names["answers"])) == ("completed", 10)
