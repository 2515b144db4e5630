import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from pointsman.observe import Entry, Outcome, Redactor, configure_logs
from pointsman.observe.plain import Plain
from pointsman.observe.request_log import RequestLog
from pointsman.observe.summary import Summary

from .rulings import CREDENTIAL, PROMPT, refusal, ruling

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=5) | ANY_TEXT
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as it was before, as it is global to the process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def configured(**settings: Any) -> io.StringIO:
    """A configured process and what it writes."""
    out = io.StringIO()
    settings.setdefault("redactor", Redactor([CREDENTIAL]))
    configure_logs(stream=out, **settings)
    return out


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    """The lines written, each parsed on its own."""
    return [json.loads(line) for line in out.getvalue().split("\n")[:-1]]


def test_a_line_is_one_json_object() -> None:
    """Off a terminal every line is JSON with level, time, event and fields."""
    out = configured()
    structlog.get_logger().info("config_reloaded", generation=3)
    (line,) = lines(out)
    assert line["level"] == "info"
    assert line["event"] == "config_reloaded"
    assert line["generation"] == 3
    assert line["ts"].endswith("Z")


def test_only_a_terminal_gets_colours() -> None:
    """Lines for people that go to a file are plain text, as scripts search them."""
    stream = configured(json_lines=False)
    structlog.get_logger().info("Routing request r1", path="x")
    assert "Routing request r1" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_the_level_filters() -> None:
    """Lines below the level are not written."""
    out = configured(level="warning")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(out)] == ["loud"]


def test_an_unknown_level_names_the_known_ones() -> None:
    """A misspelt level is an error that says what to write."""
    with pytest.raises(ValueError, match="debug, info, warning, error"):
        configured(level="loud")


@pytest.mark.parametrize("json_lines", [True, False])
def test_no_secret_reaches_a_line(json_lines: bool) -> None:
    """A secret is hidden under a telling key, inside text, in a traceback, and in a library's message."""
    quoted = 'CANARY"quote\\and\nnewline'
    out = configured(json_lines=json_lines, redactor=Redactor([CREDENTIAL, quoted]))
    log = structlog.get_logger()
    log.warning(
        "a", authorization="CANARY-unregistered", headers={"X-Api-Key": "CANARY-too", "n": [CREDENTIAL]}
    )
    log.warning("numbers", password=99887766, retries=3)
    log.warning(CREDENTIAL, url="redis://user:CANARY-pass@host/0", other=quoted)
    try:
        {"known": 1}[CREDENTIAL]
    except KeyError:
        log.exception("b", object=Path(CREDENTIAL))
        logging.getLogger("some.library").exception("with %s", CREDENTIAL)
    assert out.getvalue().count("[redacted]") >= 8
    assert "CANARY" not in out.getvalue()
    assert "99887766" not in out.getvalue()


@pytest.mark.parametrize("json_lines", [True, False])
def test_no_prompt_reaches_a_line(json_lines: bool) -> None:
    """Fields that hold a client's text are withheld, and objects that may hold it show only their type."""
    out = configured(json_lines=json_lines)
    whole = ruling()
    structlog.get_logger().warning(
        "a", prompt=PROMPT, messages=[PROMPT], body=PROMPT.encode(), trace=whole.trace, many=[whole], raw=b""
    )
    assert "CANARY" not in out.getvalue()
    assert "[withheld]" in out.getvalue()
    assert "<Trace>" in out.getvalue()


def test_a_field_cannot_forge_a_line() -> None:
    """Control characters of a client's model name stay inside their line, on a terminal too."""
    forged = "x\n2026-01-01 [info] all is well\x1b[2J"
    for json_lines in (True, False):
        out = configured(json_lines=json_lines)
        structlog.get_logger().warning("request", requested_model=forged)
        assert len(out.getvalue().splitlines()) == 1
        assert "\x1b[2J" not in out.getvalue()


def test_a_broken_stream_does_not_raise() -> None:
    """A closed pipe loses the line, not the request."""
    out = configured()
    out.close()
    structlog.get_logger().warning("lost")
    logging.getLogger("some.library").warning("lost too")


def test_libraries_log_warnings_in_the_same_shape() -> None:
    """The standard library's logging gives the same JSON, without its chatter."""
    out = configured(level="debug")
    logging.getLogger("aiohttp.server").info("chatter")
    logging.getLogger("aiohttp.server").error("Error handling request")
    (line,) = lines(out)
    assert line["logger"] == "aiohttp.server"
    assert line["event"] == "Error handling request"


@given(st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4))
def test_any_fields_make_one_line(fields: dict[str, Any]) -> None:
    """Whatever is logged, half surrogates and numbers of any size too, becomes exactly one JSON line."""
    out = configured()
    fields.pop("exc_info", None)
    structlog.get_logger().bind(f=fields).warning("x")
    assert len(lines(out)) == 1


def test_long_and_deep_values_are_cut() -> None:
    """A line's size is bounded whatever somebody passes."""
    deep: Any = "end"
    for _ in range(50):
        deep = [deep]
    fields = Plain(Redactor(), escape=False)(
        None, "", {"long": "x" * 10_000, "many": list(range(500)), "deep": deep}
    )
    assert len(fields["long"]) == 4096
    assert len(fields["many"]) == 100
    assert "<list>" in str(fields["deep"])


def test_the_request_line_says_what_happened() -> None:
    """One line a request: what was decided, where it went, how it ended, how long each took."""
    out = configured()
    ended = Outcome(
        "r-1", status=200, pool="llama", model="spoofed", endpoint="10.0.0.7:8000", details="via_upstream",
        duration_ms=1234.5678, ttfb_ms=80.1234, attempts=1, method="POST", path="/v1/chat/completions?key=1",
    )  # fmt: skip
    RequestLog(structlog.get_logger()).write(Entry(Summary.of(ruling(stream=True)), ended))
    (line,) = lines(out)
    del line["ts"]
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": "r-1",
        "status": 200,
        "decision": "math_route",
        "algorithm": "static",
        "requested_model": "MoM",
        "model": "math-expert",
        "pool": "llama",
        "virtual": True,
        "stream": True,
        "signals": ["domain:math"],
        "decision_us": 2100.0,
        "phases_us": {"understand": 10.0, "decide": 5.0, "total": 2100.0},
        "method": "POST",
        "path": "/v1/chat/completions",
        "endpoint": "10.0.0.7:8000",
        "attempts": 1,
        "duration_ms": 1234.57,
        "ttft_ms": 80.12,
    }


def test_a_refused_request_says_why_without_its_text() -> None:
    """The error the client was told is on the line, cut to a bounded length; its prompt is not."""
    out = configured()
    RequestLog(structlog.get_logger()).write(Entry(Summary.of(refusal(model="m" * 5000)), None, "no_outcome"))
    (line,) = lines(out)
    assert line["status"] == 400
    assert line["error"].startswith('model "mmm')
    assert line["incomplete"] == "no_outcome"
    assert len(out.getvalue()) < 1500
    assert "CANARY" not in out.getvalue()


@pytest.mark.parametrize(
    ("status", "flags", "level"),
    [
        (200, "", "info"),
        (404, "", "info"),
        (503, "", "warning"),
        (200, "upstream_remote_reset", "warning"),
        (200, "downstream_connection_termination", "info"),
        (0, "downstream_remote_reset", "info"),
    ],
)
def test_a_request_that_failed_is_a_warning(status: int, flags: str, level: str) -> None:
    """A 5xx or an answer that broke off stands out; a client that left does not."""
    out = configured()
    RequestLog(structlog.get_logger()).write(
        Entry(None, Outcome("r", status=status, flags=flags), "no_ruling")
    )
    assert lines(out)[0]["level"] == level


def test_request_fields_are_never_hidden_by_their_names() -> None:
    """No field of the request line is called like something that is withheld or redacted."""
    out = configured()
    RequestLog(structlog.get_logger()).write(Entry(Summary.of(ruling()), Outcome("r-1", status=200)))
    assert "[redacted]" not in out.getvalue()
    assert "[withheld]" not in out.getvalue()
