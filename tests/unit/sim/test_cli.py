import http.client
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click.testing
import pytest

from pointsman.cli.sim import _with_kv_events, sim
from pointsman.sim import SimSettings, known_faults, replicas


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
    for expected in ("Examples:", "x-sim-echo", "status:CODE", "--prefill-rate", "lora", "--role", "kv-lost"):
        assert expected in text


def test_every_option_is_on_the_page() -> None:
    """docs/sim.md names every option and every fault."""
    page = (Path(__file__).parents[3] / "docs" / "sim.md").read_text()
    options = [option for parameter in sim.params for option in parameter.opts if option != "--help"]
    missing = [option for option in options if f"`{option}" not in page]
    missing += [
        fault for fault in known_faults() if f"`{fault.partition(':')[0].partition('[')[0]}" not in page
    ]
    assert not missing


def _examples() -> list[str]:
    page = (Path(__file__).parents[3] / "docs" / "sim.md").read_text().replace("\\\n", " ")
    help_text = " ".join(sim.epilog.replace("\\\n", " ").split("Examples:")[1].splitlines())
    shown = [line.partition("pointsman sim ")[2] for line in page.splitlines() if "$ pointsman sim" in line]
    return shown + [
        re.split(r"\s{3,}|  curl", each)[0].strip() for each in help_text.split("pointsman sim ")[1:]
    ]


@pytest.mark.parametrize("example", _examples())
def test_examples_start(example: str) -> None:
    """Every command line of docs/sim.md and of --help is one that the command takes."""
    options = sim.make_context("sim", shlex.split(example)).params
    options.pop("log_level")
    count = options.pop("count")
    assert len(replicas(SimSettings(**_with_kv_events(options)), count)) == count


def test_replicas_share_a_process() -> None:
    """--replicas N listens on N ports, each engine under a name of its own, and stops with one signal."""
    with _start("--model", "tiny", "--port", "0", "--name", "r", "--replicas", "3") as process:
        names = []
        for _ in range(3):
            address = process.stdout.readline().split()[-1].removeprefix("http://")
            connection = http.client.HTTPConnection(address, timeout=10)
            connection.request("GET", "/sim/state")
            names.append(json.load(connection.getresponse())["engine"])
            connection.close()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert names == ["r-0", "r-1", "r-2"]


def test_replicas_have_consecutive_ports() -> None:
    """Copies differ in name and port alone; port 0 stays 0, and one engine alone keeps its name."""
    settings = SimSettings(model="tiny", port=9000, control_port=9100)
    assert [(each.name, each.port, each.control_port) for each in replicas(settings, 2)] == [
        ("sim-0", 9000, 9100),
        ("sim-1", 9001, 9101),
    ]
    assert [each.port for each in replicas(SimSettings(model="tiny"), 2)] == [0, 0]
    assert replicas(settings, 1) == [settings]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "a", "--fault", "boom"], "known are"),
        (["--model", "a", "--lora", "a"], "different names"),
        (["--model", ""], "must not be empty"),
        (["--model", "a", "--lora", "b", "--lora", "b=/p"], "different names"),
        (["--model", "a", "--lora", "b", "--lora", "c", "--max-cpu-loras", "1"], "max_cpu_loras"),
        (["--model", "a", "--kv-events", "here"], "no endpoint"),
        (["--model", "a", "--kv-events-topic", "t"], "--kv-events"),
        (["--model", "a", "--port", "65535", "--replicas", "2"], "65535"),
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


@pytest.mark.parametrize(
    "field", ["max_concurrency", "kv_blocks", "max_model_len", "max_loras", "answer_tokens"]
)
def test_zero_where_one_is_needed_names_the_field(field: str) -> None:
    """Bounds that must be at least one are refused by name."""
    with pytest.raises(ValueError, match=field):
        SimSettings(model="tiny", **{field: 0})
