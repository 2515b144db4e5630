import http.client
import json
import signal
import socket
import subprocess
import sys

import click.testing
import pytest

from pointsman.cli.sim import sim
from pointsman.sim import SimSettings


def _start(*arguments: str) -> subprocess.Popen[str]:
    code = "from pointsman.cli.sim import sim; sim()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_stops_gracefully(number: int) -> None:
    """The first line on stdout is the address; a signal ends the process with status 0 and no noise."""
    with _start("--model", "tiny", "--port", "0", "--name", "left") as process:
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:")
        address = line.split()[-1].removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=10)
        connection.request("GET", "/sim/state")
        assert json.load(connection.getresponse())["engine"] == "left"
        connection.close()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_port_in_use_is_explained() -> None:
    """A taken port gives exit status 1 and one line that names it and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _start("--model", "tiny", "--port", str(port)) as process:
            _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"port {port}" in err
    assert "--port 0" in err


def test_help_teaches_by_example() -> None:
    """--help shows examples and every fault."""
    text = click.testing.CliRunner().invoke(sim, ["--help"]).output
    for expected in ("Examples:", "x-sim-echo", "status:CODE", "--prefill-rate", "lora"):
        assert expected in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "a", "--fault", "boom"], "known are"),
        (["--model", "a", "--lora", "a"], "different names"),
        (["--model", ""], "must not be empty"),
        ([], "--model"),
    ],
)
def test_bad_options_are_usage_errors(arguments: list[str], message: str) -> None:
    """Senseless options give exit status 2 and say why."""
    result = click.testing.CliRunner().invoke(sim, arguments)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize("field", ["ttft_ms", "rate", "prefill_rate", "max_waiting", "port"])
def test_negative_settings_name_the_field(field: str) -> None:
    """A negative time, rate or bound is refused by name."""
    with pytest.raises(ValueError, match=field):
        SimSettings(model="tiny", **{field: -1})


@pytest.mark.parametrize("field", ["max_concurrency", "kv_blocks", "max_model_len", "answer_tokens"])
def test_zero_where_one_is_needed_names_the_field(field: str) -> None:
    """Bounds that must be at least one are refused by name."""
    with pytest.raises(ValueError, match=field):
        SimSettings(model="tiny", **{field: 0})
