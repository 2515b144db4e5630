"""``pointsman router`` without serving."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from pointsman.cli.main import main
from pointsman.cli.router import main as vllm_router
from pointsman.cli.router import router
from pointsman.config import parse
from pointsman.config.stack import FLAGS

FLAGS_GIVEN = (
    *("--service-discovery", "static", "--routing-logic", "roundrobin", "--static-models", "small,small"),
    *("--static-backends", "http://vllm:8000,http://[fd00::1]:8000"),
)


def test_the_document_is_printed_and_loads() -> None:
    """Standard output is the document alone, warnings go to standard error."""
    result = CliRunner().invoke(router, [*FLAGS_GIVEN, "--callbacks", "a.b.c", "--print-config"])
    assert result.exit_code == 0
    assert "--callbacks" in result.stderr
    settings = parse(result.stdout, {})
    assert [ref.endpoint for ref in settings.providers.models[0].backend_refs] == [
        "vllm:8000",
        "[fd00::1]:8000",
    ]


def test_the_chart_can_start_it() -> None:
    """The arguments that the chart's template renders are all taken; those without effect are named."""
    rendered = """
        --host 0.0.0.0 --port 8000 --service-discovery static --static-backends http://a:80 --static-models m
        --routing-logic roundrobin --session-key x-user-id --engine-stats-interval 15
        --request-stats-window 60
    """
    arguments = rendered.split()
    result = CliRunner().invoke(router, [*arguments, "--print-config"])
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["listeners"] == [
        {"name": "router", "address": "0.0.0.0", "port": 8000}
    ]
    assert "--engine-stats-interval" in result.stderr
    assert "--request-stats-window" in result.stderr


def test_an_unknown_flag_is_an_error_with_the_nearest(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is silently ignored."""
    assert main(["router", "--static-backend", "http://a"]) == 2
    assert "--static-backends" in capfd.readouterr().err


def test_both_names_of_the_command_tell_errors_alike(capfd: pytest.CaptureFixture[str]) -> None:
    """One line a problem, no traceback, status 1."""
    for entry, arguments in ((main, ["router"]), (vllm_router, [])):
        assert entry([*arguments, "--port", "x"]) == 1
        said = capfd.readouterr().err
        assert "pointsman: the command line: 1 problem(s)" in said
        assert "--port: is 'x' -> give a whole number" in said


def test_a_dynamic_file_is_read_at_the_start(tmp_path: Path) -> None:
    """Its values hold where the command line says nothing, and its changes are not followed, which is said."""
    file = tmp_path / "dynamic.yaml"
    file.write_text(
        "static_models: {m: {static_backends: [http://a:1]}}\nport: 7\nrouting_logic: roundrobin\n"
    )
    flags = ["--dynamic-config-yaml", str(file), "--service-discovery", "static", "--port", "9"]
    result = CliRunner().invoke(router, [*flags, "--print-config"])
    assert result.exit_code == 0, result.output
    document = yaml.safe_load(result.stdout)
    assert document["listeners"][0]["port"] == 9
    assert document["providers"]["models"] == [{"name": "m", "backend_refs": [{"endpoint": "a:1"}]}]
    assert "take effect at the next start" in result.stderr


def test_dollar_signs_are_taken_literally(tmp_path: Path) -> None:
    """The router's files know no variables, so what looks like one reaches the engine as it was written."""
    file = tmp_path / "providers.yaml"
    file.write_text(
        "external_providers:\n"
        "  - {name: p, api_base: 'https://a.example/v1', api_key_env_var: KEY, custom_headers: {x: '${HOME}$1'},\n"
        "     models: [{id: m}]}\n"
    )
    flags = ["--external-providers-config", str(file), "--routing-logic", "roundrobin", "--print-config"]
    result = CliRunner().invoke(router, flags, env={"KEY": "k"})
    assert result.exit_code == 0, result.output
    (ref,) = parse(result.stdout, {"HOME": "/root", "KEY": "k"}).providers.models[0].backend_refs
    assert ref.extra_headers["x"].get_secret_value() == "${HOME}$1"


def test_the_version_is_printed() -> None:
    """As that router does, and nothing else."""
    result = CliRunner().invoke(router, ["--version"])
    assert result.exit_code == 0
    assert len(result.stdout.split()) == 1


def test_help_has_every_flag() -> None:
    """Each with a line; those without effect say so there."""
    shown = CliRunner().invoke(router, ["--help"]).output
    assert not [flag.option for flag in FLAGS if flag.option not in shown]
    assert "No effect" in shown
