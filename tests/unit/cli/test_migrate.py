from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from pointsman.cli.main import main, pointsman
from pointsman.config import load_file

DOCUMENTS = Path(__file__).parents[1] / "config" / "documents"
ERA_A, ERA_B = str(DOCUMENTS / "era_a.yaml"), str(DOCUMENTS / "era_b.yaml")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pointsman, arguments, catch_exceptions=False)


def test_the_new_document_goes_to_standard_output() -> None:
    """Standard output holds a document and nothing else, so that it can be redirected."""
    result = run("migrate", ERA_B)
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["version"] == "v0.3"


def test_the_account_goes_to_standard_error() -> None:
    """Every key's fate is on standard error, within 80 columns: moved, changed and left out."""
    shown = run("migrate", ERA_B).stderr
    for words in ("Moved", "Moved, with a difference", "Left out", "decisions[0].plugins[0]", "era B"):
        assert words in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_file_is_written_and_loads(tmp_path: Path) -> None:
    """-o writes the document, whose comments say what it came from."""
    new = tmp_path / "new.yaml"
    result = run("migrate", ERA_A, "-o", str(new))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "era_a.yaml" in new.read_text().splitlines()[0]
    assert load_file(new, {}).era == ""


def test_a_file_is_not_overwritten_unasked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An existing file stays as it is without --force."""
    new = tmp_path / "new.yaml"
    new.write_text("precious")
    assert main(["migrate", ERA_A, "-o", str(new)]) == 1
    assert "--force" in capfd.readouterr().err
    assert new.read_text() == "precious"
    assert run("migrate", ERA_A, "-o", str(new), "--force").exit_code == 0
    assert new.read_text() != "precious"


def test_variables_stay_variables() -> None:
    """References to the environment are written as they were, and need not be set here."""
    assert "${SMALL_KEY:-unset-key}" in run("migrate", ERA_B).stdout


def test_a_current_document_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """There is nothing to migrate in a v0.3 document; the exit status says so."""
    path = tmp_path / "new.yaml"
    path.write_text("version: v0.3")
    assert main(["migrate", str(path)]) == 1
    assert "nothing to migrate" in capfd.readouterr().err


def test_a_typo_is_refused_with_the_nearest_key(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Unknown keys are errors, not losses."""
    path = tmp_path / "old.yaml"
    path.write_text("model_config: {}\ncategoriez: []\n")
    assert main(["migrate", str(path)]) == 1
    assert "did you mean categories?" in capfd.readouterr().err


def test_what_is_still_missing_is_shown(tmp_path: Path) -> None:
    """A document without endpoints is written, its gaps are named, and --endpoint fills them."""
    path = tmp_path / "old.yaml"
    path.write_text("model_config: {m: {}}\ndefault_model: m\n")
    result = run("migrate", str(path))
    assert result.exit_code == 1
    assert yaml.safe_load(result.stdout)["providers"]["models"][0]["name"] == "m"
    assert "backend_refs" in result.stderr
    assert run("migrate", str(path), "--endpoint", "vllm.default.svc:8000").exit_code == 0


def test_a_missing_file_is_no_traceback(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The message names the file."""
    assert main(["migrate", str(tmp_path / "nope.yaml")]) == 1
    assert "nope.yaml" in capfd.readouterr().err


def test_help_teaches() -> None:
    """--help shows a way through, and what the exit status means."""
    shown = run("migrate", "--help").output
    for words in ("pointsman migrate old.yaml -o new.yaml", "pointsman check", "Exits 1", "--endpoint"):
        assert words in shown
    assert "migrate" in run("--help").output


def test_check_says_how_to_make_it_permanent() -> None:
    """A flat document is checked as it is, with one line that names the command."""
    [line] = [line for line in run("check", ERA_A).output.splitlines() if "pointsman migrate" in line]
    assert "era A" in line
    assert "-o" in line
