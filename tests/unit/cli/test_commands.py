import json
import os
import re
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from pointsman.cli.main import main, pointsman
from pointsman.transports.envoy import binary
from support.gateway import EXAMPLE, document

COMMANDS = (
    "serve",
    "router",
    "ext-proc",
    "envoy",
    "demo",
    "explain",
    "classify",
    "eval",
    "check",
    "migrate",
    "select-train",
    "schema",
    "sim",
)
ASK = "What is the derivative of f(x) = x^3?"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(pointsman, arguments, input=stdin, catch_exceptions=False)


def saved(folder: Path, text: str) -> str:
    path = folder / "config.yaml"
    path.write_text(text)
    return str(path)


def test_help_names_every_command() -> None:
    """``--help`` lists the commands with a line each."""
    shown = run("--help").output
    for name in COMMANDS:
        assert re.search(rf"^  {name}  +\w", shown, re.MULTILINE), name


def test_the_list_of_commands_is_complete() -> None:
    """What is tested here is what there is."""
    assert pointsman.list_commands(click.Context(pointsman)) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """Each command's help opens and ends well."""
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_explain_as_json_is_stable() -> None:
    """The machine form carries the decision, the model and the rewritten request."""
    shown = json.loads(run("explain", ASK, "--json").output)
    assert shown["decision"] == "math_decision"
    assert shown["selection"]["model"] == "math-expert"


def test_explain_fits_a_terminal() -> None:
    """The view for people names the decision, stays within 80 columns and one screen."""
    shown = run("explain", ASK).output
    assert "math_decision" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert len(shown.splitlines()) <= 45


def test_explain_reads_standard_input_and_whole_requests() -> None:
    """``-`` reads a text or a chat request as JSON."""
    request = json.dumps({"model": "MoM", "messages": [{"role": "user", "content": ASK}], "stream": True})
    for text in (ASK, request):
        assert json.loads(run("explain", "-", "--json", stdin=text).output)["decision"] == "math_decision"


def guarded_and_limited(folder: Path) -> str:
    """The example with a guard, roles and a limit on a group."""
    config = yaml.safe_load(EXAMPLE.read_text())
    config["guards"] = {"pii": {"action": "observe"}}
    config["routing"]["signals"]["role_bindings"] = [
        {"name": "paying", "role": "premium", "subjects": [{"kind": "Group", "name": "gold"}]}
    ]
    config["routing"]["decisions"].append(
        {
            "name": "members",
            "priority": 1000,
            "rules": {"type": "authz", "name": "premium"},
            "modelRefs": [{"model": "base-model"}],
        }
    )
    rule = {"name": "gold_only", "match": {"group": "gold"}, "requests_per_unit": 0, "unit": "day"}
    services = config.setdefault("global", {}).setdefault("services", {})
    services["ratelimit"] = {"providers": [{"type": "local-limiter", "rules": [rule]}]}
    services["authz"] = {"identity": {"user_id_header": "X-User"}}
    return saved(folder, yaml.safe_dump(config))


def test_explain_says_what_a_caller_would_get(tmp_path: Path) -> None:
    """User and groups hold their roles, limits are shown and not counted, guards say what they found."""
    path = guarded_and_limited(tmp_path)
    who = ("--user", "ann", "--group", "staff", "--group", "gold")
    asked = ("explain", "My card is 4111 1111 1111 1111", "-c", path)
    shown = json.loads(run(*asked, *who, "--json").output)
    assert shown["decision"] == "members"
    assert shown["limits"] == ["gold_only: at most 0 requests per day"]
    (pii,) = shown["guards"]
    assert (pii["outcome"], pii["action"], pii["kinds"]) == ("found", "observe", ["CREDIT_CARD"])
    screen = run(*asked, *who).output
    assert "gold_only: at most 0 requests per day" in screen
    assert re.search(r"guards +pii found .* action observe", screen)
    assert json.loads(run(*asked, "--header", "X-User=eve", "--json").output)["decision"] != "members"
    assert "HTTP 403" in run(*asked).output


def test_a_header_needs_a_name_and_a_value() -> None:
    """What is not NAME=VALUE is a usage error that quotes it."""
    result = CliRunner().invoke(pointsman, ["explain", "hi", "--header", "nonsense"])
    assert result.exit_code == 2
    assert "'nonsense' is not NAME=VALUE" in result.output


def test_the_example_is_in_order() -> None:
    """The shipped example has no problem of any kind."""
    result = run("check", str(EXAMPLE))
    assert result.exit_code == 0, result.output
    assert "no problems" in result.output


def test_check_says_where_and_what_to_do(tmp_path: Path) -> None:
    """A typo is reported with its key path and the nearest known key, and the exit status is 1."""
    text = EXAMPLE.read_text().replace("strategy: priority", "strategi: priority")
    result = run("check", saved(tmp_path, text))
    assert result.exit_code == 1
    assert "routing.strategi" in result.output
    assert "strategy" in result.output


def test_check_finds_what_cannot_win(tmp_path: Path) -> None:
    """A decision behind an equal one of higher priority is a warning, which --strict turns into a failure."""
    config = document([], 8801)
    config["providers"]["models"][0]["backend_refs"] = [{"endpoint": "127.0.0.1:8000"}]
    math = next(d for d in config["routing"]["decisions"] if d["name"] == "math_decision")
    config["routing"]["decisions"].append({**math, "name": "never", "priority": 5})
    path = saved(tmp_path, yaml.safe_dump(config))
    assert run("check", path).exit_code == 0
    strict = run("check", path, "--strict")
    assert strict.exit_code == 1
    assert "never" in strict.output


def test_a_document_that_asks_for_a_guard_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A guard we do not run stops the start, loudly, and the message names the way round."""
    config = document([], 8801)
    config["providers"]["models"][0]["backend_refs"] = [{"endpoint": "127.0.0.1:8000"}]
    config["routing"]["signals"]["jailbreak"] = [{"name": "jb", "threshold": 0.7}]
    config["routing"]["decisions"].append(
        {
            "name": "guard",
            "description": "blocks",
            "priority": 100,
            "rules": {"operator": "OR", "conditions": [{"type": "jailbreak", "name": "jb"}]},
            "plugins": [
                {"type": "fast_response", "configuration": {"message": "no"}},
                {"type": "hallucination"},
            ],
        }
    )
    path = saved(tmp_path, yaml.safe_dump(config))
    assert main(["serve", "-c", path]) == 1
    said = capfd.readouterr().err
    assert "--allow-unimplemented" in said
    assert "hallucination" in said
    assert run("check", path).exit_code == 1


def test_a_missing_file_is_no_traceback(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The message names the file."""
    assert main(["serve", "-c", str(tmp_path / "nope.yaml")]) != 0
    assert "nope.yaml" in capfd.readouterr().err


def test_the_schema_is_json_schema() -> None:
    """The printed schema is an object with the document's parts."""
    schema = json.loads(run("schema").output)
    assert schema["$schema"].endswith("2020-12/schema")


@pytest.mark.envoy
def test_envoy_itself_accepts_the_printed_configuration(tmp_path: Path) -> None:
    """What `pointsman envoy` prints passes Envoy's own validation."""
    path = saved(tmp_path, run("envoy", "-c", str(EXAMPLE)).output)
    found = binary.find(None, os.environ)
    checked = subprocess.run([found, "--mode", "validate", "-c", path], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
