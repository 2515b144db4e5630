import re

import msgspec
import pytest

from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.request import ChatRequest, Dialect, Head
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, Reply
from pointsman.observe.journal import Entry
from pointsman.observe.outcome import Outcome
from pointsman.observe.routing_line import RoutingLines

LINE = re.compile(
    r"^Routing request (\S+) with session id (\S+) to (http\S+) at (\d+\.\d+), process time = (\d+\.\d{4})$"
)


def ruling(request_id: str = "r1", **body: str) -> Ruling:
    """A request that goes somewhere, decided in 1.5 ms."""
    raw = msgspec.json.encode({"model": "m", **body})
    selection = Selection(Candidate(Target("m", "m", "m")), "specified")
    trace = Trace(
        request_id=request_id,
        request=ChatRequest(Dialect.OPENAI_CHAT, "m", (), raw),
        selection=selection,
        phases_us={"total": 1500.0},
    )
    return Ruling(Forward("m"), trace)


def head(**headers: str) -> Head:
    return Head("POST", "/v1/chat/completions", headers)


def entry(request_id: str = "r1", endpoint: str = "10.0.0.1:8000") -> Entry:
    return Entry(None, Outcome(request_id, status=200, endpoint=endpoint))


def written(session_key: str = "", *, asked: Head | None = None, **body: str) -> tuple[str, ...]:
    """The parts of the line that one request leaves."""
    lines: list[str] = []
    routing = RoutingLines(
        lines.append,
        session_key=session_key,
        urls={"10.0.0.1:8000": "http://engine-one:8000"},
        now=lambda: 1700000000.25,
    )
    routing.ruled(asked or head(), ruling(**body))
    assert not lines
    routing.ended(entry())
    (line,) = lines
    found = LINE.match(line)
    assert found, line
    return found.groups()


def test_the_line_is_worded_as_scripts_expect_it() -> None:
    """Id, session, URL as the operator wrote it, time of the decision and what it took."""
    assert written() == ("r1", "None", "http://engine-one:8000", "1700000000.25", "0.0015")


@pytest.mark.parametrize(
    ("asked", "body", "session"),
    [
        (head(**{"x-user-id": "ann"}), {"X-User-Id": "bob"}, "ann"),
        (head(), {"X-User-Id": "bob"}, "bob"),
        (head(), {}, "None"),
        (head(**{"x-user-id": "a b\n"}), {}, "a_b_"),
        (head(**{"x-user-id": "a" * 500}), {}, "a" * 200),
    ],
)
def test_the_session_is_the_headers_or_the_bodys(asked: Head, body: dict[str, str], session: str) -> None:
    """The key names a header, else a field of the body; what a client writes cannot break the line."""
    assert written("X-User-Id", asked=asked, **body)[1] == session


def test_an_engine_that_nobody_wrote_down_is_shown_by_its_address() -> None:
    """Discovered replicas and resolved names have no URL of the operator's."""
    lines: list[str] = []
    routing = RoutingLines(lines.append)
    routing.ruled(head(), ruling())
    routing.ended(entry(endpoint="10.9.9.9:80"))
    assert " to http://10.9.9.9:80 at " in lines[0]


def test_what_reached_no_engine_leaves_no_line() -> None:
    """Answers of our own, requests without an endpoint, and ends of unknown requests."""
    lines: list[str] = []
    routing = RoutingLines(lines.append)
    routing.ruled(head(), Ruling(Reply(400, {}, b""), Trace(request_id="r1")))
    routing.ended(entry())
    routing.ruled(head(), ruling())
    routing.ended(entry(endpoint=""))
    assert not lines
    assert routing.pending == 0


def test_what_is_remembered_is_bounded() -> None:
    """The oldest request gives way, and costs only its line."""
    lines: list[str] = []
    routing = RoutingLines(lines.append, limit=2)
    for number in range(3):
        routing.ruled(head(), ruling(f"r{number}"))
    assert routing.pending == 2
    for number in range(3):
        routing.ended(entry(f"r{number}"))
    assert [line.split()[2] for line in lines] == ["r1", "r2"]
