import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import StartError
from pointsman.transports.envoy.process import LogRecord, Process, parse
from pointsman.transports.envoy.supervisor import Backoff, Chances, Supervisor

_FOREVER = "import time; time.sleep(600)"
_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
)


class _Admin:
    """An Envoy that is ready when told, with a number of requests in flight."""

    def __init__(self, *, ready: bool = True, active: Sequence[int] = ()) -> None:
        self.is_ready = ready
        self.active = list(active)
        self.drained = 0

    async def ready(self) -> bool:
        return self.is_ready

    async def drain(self) -> None:
        self.drained += 1

    async def active_requests(self) -> int:
        return self.active.pop(0) if self.active else 0


def _python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def _supervisor(
    code: str, tmp_path: Path, admin: _Admin, logs: list[LogRecord], chances: Chances | None = None
) -> Supervisor:
    return Supervisor(
        _python(code), admin, tmp_path / "log", logs.append, chances=chances or Chances(random=lambda: 0.0)
    )


async def _eventually(condition: object) -> None:
    for _ in range(400):
        if callable(condition) and condition():
            return
        await asyncio.sleep(0.025)
    raise AssertionError("never happened")


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_delays_grow_to_a_bound_and_are_never_zero(failures: int, chance: float) -> None:
    """However many failures and whatever the luck, a restart waits between half the first delay and the limit."""
    backoff = Backoff()
    delay = backoff.delay_s(failures, chance)
    assert backoff.first_s * (1 - backoff.jitter) <= delay <= backoff.limit_s
    assert backoff.delay_s(failures, 0.0) <= backoff.delay_s(failures + 1, 0.0)


def test_a_start_that_fails_says_what_the_process_said(tmp_path: Path) -> None:
    """A child that ends before it is ready is a ``StartError`` with its own last errors."""
    code = "import sys; sys.stderr.write('critical|main|no such listener\\n'); sys.exit(3)"

    async def body() -> None:
        supervisor = _supervisor(code, tmp_path, _Admin(ready=False), [])
        with pytest.raises(StartError, match=r"status 3.*no such listener"):
            await supervisor.start()
        assert supervisor.state.pid is None

    asyncio.run(body())


def test_a_start_that_takes_too_long_ends_the_process(tmp_path: Path) -> None:
    """Past its patience a start raises, and leaves no child."""

    async def body() -> None:
        supervisor = _supervisor(_FOREVER, tmp_path, _Admin(ready=False), [])
        with pytest.raises(StartError, match="not ready"):
            await supervisor.start(patience_s=0.3)
        assert supervisor.state.pid is None

    asyncio.run(body())


def test_a_missing_program_is_a_start_error(tmp_path: Path) -> None:
    """No executable, no traceback."""

    async def body() -> None:
        supervisor = Supervisor((str(tmp_path / "envoy"),), _Admin(), tmp_path / "log", print)
        with pytest.raises(StartError, match="cannot start"):
            await supervisor.start()

    asyncio.run(body())


def test_crashes_are_answered_with_growing_delays(tmp_path: Path) -> None:
    """Each start after a crash waits longer than the one before, and is counted."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    async def body() -> None:
        admin = _Admin()
        chances = Chances(clock=lambda: 0.0, sleep=sleep, random=lambda: 0.0)
        supervisor = _supervisor("import time; time.sleep(0.2)", tmp_path, admin, [], chances)
        await supervisor.start()
        await _eventually(lambda: supervisor.state.restarts >= 3)
        await supervisor.stop(0.0)
        delays = [seconds for seconds in slept if seconds >= Backoff().first_s]
        assert delays[:3] == [0.1, 0.2, 0.4]
        assert supervisor.state.last_exit == 0

    asyncio.run(body())


def test_a_crash_after_a_settled_life_starts_the_count_over(tmp_path: Path) -> None:
    """A process that lived long enough is restarted at once, whatever happened before."""
    slept: list[float] = []
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 100.0
        return now

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    async def body() -> None:
        chances = Chances(clock=clock, sleep=sleep, random=lambda: 0.0)
        supervisor = _supervisor("import time; time.sleep(0.2)", tmp_path, _Admin(), [], chances)
        await supervisor.start()
        await _eventually(lambda: supervisor.state.restarts >= 3)
        await supervisor.stop(0.0)
        assert {seconds for seconds in slept if seconds >= Backoff().first_s} == {0.1}

    asyncio.run(body())


def test_an_envoy_that_is_not_ready_is_reported_as_such(tmp_path: Path) -> None:
    """After a restart that does not come up the state says so; nobody gives up."""

    async def body() -> None:
        admin = _Admin()
        supervisor = _supervisor(_FOREVER, tmp_path, admin, [])
        await supervisor.start()
        first, came_up = supervisor.state.pid, supervisor.state.ready
        assert first is not None
        assert came_up
        admin.is_ready = False
        os.kill(first, signal.SIGKILL)
        await _eventually(lambda: supervisor.state.pid not in {None, first})
        assert not supervisor.state.ready
        assert (supervisor.state.restarts, supervisor.state.last_exit) == (1, -signal.SIGKILL)
        await supervisor.stop(0.0)
        assert supervisor.state.pid is None

    asyncio.run(body())


def test_a_stop_waits_for_requests_in_flight(tmp_path: Path) -> None:
    """The process is drained first, and ended once nothing is active."""

    async def body() -> None:
        admin = _Admin(active=[2, 1, 1])
        supervisor = _supervisor(_FOREVER, tmp_path, admin, [])
        await supervisor.start()
        await supervisor.stop(10.0)
        assert (admin.drained, admin.active, supervisor.state.pid) == (1, [], None)

    asyncio.run(body())


def test_a_process_deaf_to_sigterm_is_killed(tmp_path: Path) -> None:
    """Patience ends with SIGKILL."""

    async def body() -> None:
        logs: list[LogRecord] = []
        code = _STUBBORN.replace("print('deaf')", "__import__('sys').stderr.write('deaf\\n')")
        process = await Process.spawn(_python(code), tmp_path / "log", logs.append)
        await _eventually(lambda: bool(logs))
        await process.end(0.2)
        assert await process.wait() == -signal.SIGKILL

    asyncio.run(body())


def test_a_log_nobody_reads_does_not_stop_the_process(tmp_path: Path) -> None:
    """While the event loop hangs, the child writes megabytes and goes on; afterwards every line is there."""
    done = tmp_path / "done"
    code = (
        "import pathlib, sys\n"
        "for n in range(40_000): sys.stderr.write(f'warning|main|{n:060}\\n')\n"
        f"pathlib.Path({str(done)!r}).touch()"
    )

    async def body() -> None:
        logs: list[LogRecord] = []
        process = await Process.spawn(_python(code), tmp_path / "log", logs.append)
        for _ in range(600):
            if done.exists():
                break
            time.sleep(0.05)  # noqa: ASYNC251 - the hang is the subject
        assert done.exists()
        await process.wait()
        assert [int(record.message) for record in logs] == list(range(40_000))

    asyncio.run(body())


def test_the_log_file_stays_small(tmp_path: Path) -> None:
    """What was read is cut off, so a chatty process does not fill the disk; the next lines still arrive."""

    async def body() -> None:
        logs: list[LogRecord] = []
        code = (
            "import sys, time\n"
            "sys.stderr.write('info|main|' + 'x' * 5_000_000 + '\\n'); sys.stderr.flush()\n"
            "time.sleep(1)\n"
            "sys.stderr.write('info|main|after\\n')"
        )
        process = await Process.spawn(_python(code), tmp_path / "log", logs.append)
        await process.wait()
        assert [record.message[:5] for record in logs] == ["xxxxx", "after"]
        assert (tmp_path / "log").stat().st_size < 1000

    asyncio.run(body())


@given(st.text())
def test_any_line_parses(line: str) -> None:
    """Envoy's records are split; whatever else is printed is kept whole as an error."""
    record = parse(line)
    assert line in {record.message, f"{record.level}|{record.logger}|{record.message}"}
    assert parse("warning|http|a|b") == LogRecord("warning", "http", "a|b")
