"""Translation of headers and replies."""

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.headers import INTERNAL_REQUEST_HEADERS
from pointsman.core.verdict import Reply
from pointsman.transports.extproc import messages
from pointsman.transports.extproc.sanitise import MAX_VALUE_BYTES, header_name, header_value
from pointsman.transports.wire import extproc_pb2 as pb


def _headers(*pairs: tuple[str, bytes]) -> pb.HttpHeaders:
    message = pb.HttpHeaders()
    for key, raw in pairs:
        message.headers.headers.add(key=key, raw_value=raw)
    return message


def _set(mutation: pb.HeaderMutation) -> dict[str, bytes]:
    return {option.header.key: option.header.raw_value for option in mutation.set_headers}


def test_pseudo_headers_become_the_request_line() -> None:
    """Method and path come from the pseudo-headers, and the authority is what ``host`` says."""
    head = messages.arrival_of(
        _headers(
            (":method", b"POST"), (":path", b"/v1/x?q=1"), (":authority", b"a.example"), (":scheme", b"http")
        )
    ).head
    assert (head.method, head.path, dict(head.headers)) == ("POST", "/v1/x?q=1", {"host": "a.example"})


def test_names_are_lowered_and_repeats_joined() -> None:
    """A header sent twice, in whatever case, is one entry with both values."""
    head = messages.arrival_of(_headers(("X-Tag", b"a"), ("x-tag", b"b"), ("X-TAG", b"c"))).head
    assert head.headers == {"x-tag": "a, b, c"}


def test_value_is_read_where_raw_value_is_absent() -> None:
    """Older data planes fill ``value`` instead of ``raw_value``."""
    message = pb.HttpHeaders()
    message.headers.headers.add(key="a", value="old")
    message.headers.headers.add(key="b", value="old", raw_value=b"new")
    assert messages.arrival_of(message).head.headers == {"a": "old", "b": "new"}


def test_bytes_that_are_not_utf8_are_latin1() -> None:
    """A header in an unknown encoding is read, not refused."""
    head = messages.arrival_of(_headers(("a", b"caf\xe9"), ("b", "café".encode()))).head
    assert head.headers == {"a": "café", "b": "café"}


def test_internal_names_never_reach_the_router() -> None:
    """Every name only we may set is taken out of the head and listed for removal."""
    sent = [(name.upper(), b"forged") for name in INTERNAL_REQUEST_HEADERS]
    arrival = messages.arrival_of(_headers(*sent, ("x-vsr-debug", b"true")))
    assert dict(arrival.head.headers) == {"x-vsr-debug": "true"}
    assert set(arrival.forged) == set(INTERNAL_REQUEST_HEADERS)


def test_an_empty_forged_header_is_still_removed() -> None:
    """An internal name without a value is a forgery too."""
    assert messages.arrival_of(_headers(("x-selected-model", b""))).forged == ("x-selected-model",)


def test_passing_headers_removes_forgeries_and_rematches_the_route() -> None:
    """A forged internal header is removed and must not have chosen the route."""
    arrival = messages.arrival_of(_headers(("x-selected-model", b"forged")))
    common = messages.passed(arrival, {}).request_headers.response
    assert list(common.header_mutation.remove_headers) == ["x-selected-model"]
    assert common.clear_route_cache


def test_passing_clean_headers_changes_nothing() -> None:
    """A request without forgeries passes without a mutation."""
    response = messages.passed(messages.arrival_of(_headers((":path", b"/x"))), {})
    assert response.WhichOneof("response") == "request_headers"
    assert not response.request_headers.response.HasField("header_mutation")


def test_set_headers_overwrite() -> None:
    """Every header we set replaces whatever was there, and says so."""
    mutation = messages.mutation_of({"X-A": "1"})
    assert [option.append_action for option in mutation.set_headers] == [2]
    assert _set(mutation) == {"x-a": b"1"}


def test_a_name_both_set_and_removed_is_set() -> None:
    """``remove`` comes first, so a set header survives, however the data plane orders the two."""
    mutation = messages.mutation_of({"x-a": "1"}, ["X-A", "x-b", "x-b"])
    assert _set(mutation) == {"x-a": b"1"}
    assert list(mutation.remove_headers) == ["x-b"]


def test_impossible_names_are_left_out() -> None:
    """One bad name would make Envoy drop every change of the answer."""
    mutation = messages.mutation_of(
        {"bad name": "1", "": "2", ":status": "3", ":path": "/x"}, ["a\r\nb", "ok"]
    )
    assert _set(mutation) == {":path": b"/x"}
    assert list(mutation.remove_headers) == ["ok"]


def test_values_cannot_start_a_new_header() -> None:
    """CR, LF and NUL become spaces."""
    assert _set(messages.mutation_of({"a": "x\r\ny: z\0"})) == {"a": b"x  y: z"}


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_becomes_a_sound_value(text: str) -> None:
    """Whatever a model or decision is called, its header value is one printable line of UTF-8."""
    value = header_value(text)
    assert not any(ord(char) < 32 and char != "\t" for char in value)
    value.encode()


@given(st.integers(min_value=0, max_value=4))
def test_long_values_are_cut_between_characters(padding: int) -> None:
    """A value over the bound is cut to it without leaving half a character."""
    encoded = header_value("a" * padding + "é" * MAX_VALUE_BYTES).encode()
    assert MAX_VALUE_BYTES - 1 <= len(encoded) <= MAX_VALUE_BYTES


@given(st.text(max_size=20))
def test_names_with_anything_but_token_characters_are_refused(text: str) -> None:
    """Only RFC 9110 tokens are header names; ``:path`` is the one pseudo-header we set."""
    allowed = set("!#$%&'*+.^_`|~-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert header_name(text) == (text == ":path" or (text != "" and set(text) <= allowed))


def test_a_reply_is_an_immediate_response() -> None:
    """Status, headers and body travel; lengths are the data plane's to set; the details name us."""
    reply = Reply(
        429, {"retry-after": "1", "Content-Length": "9", "content-type": "application/json"}, b'{"a":1}'
    )
    answer = messages.immediate(reply).immediate_response
    assert (answer.status.code, answer.body, answer.details) == (429, b'{"a":1}', "pointsman")
    assert _set(answer.headers) == {"retry-after": b"1", "content-type": b"application/json"}


def test_releasing_a_response_asks_for_no_body() -> None:
    """The mode override turns the response body off explicitly, whatever the configuration says."""
    response = messages.response_headers_answer({}, release_body=True)
    assert response.HasField("mode_override")
    assert response.mode_override.response_body_mode == pb.ProcessingMode.NONE
    assert not messages.response_headers_answer({}, release_body=False).HasField("mode_override")


def test_a_status_that_is_no_number_is_zero() -> None:
    """Nonsense from an upstream is not a success and not an exception."""
    texts = (b"200", b"", b"2xx", "²".encode(), b"9" * 5000)
    assert [messages.status_of(_headers((":status", text))) for text in texts] == [200, 0, 0, 0, 0]
