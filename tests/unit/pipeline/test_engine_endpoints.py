"""Requests in an engine's own API: placed by the model they name, and otherwise left alone."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from pointsman.core.decision import Decision
from pointsman.core.endpoint import Endpoint
from pointsman.core.model import Candidate, Target
from pointsman.core.request import Head
from pointsman.core.rule import Node, Operator
from pointsman.core.verdict import Forward, Reply
from pointsman.dialects.body import Body
from pointsman.dialects.forwarded import OPERATORS, Forwarded
from pointsman.dialects.openai_models import ListedModel
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.roster import Roster
from pointsman.fleet.served import Served
from pointsman.guards.reading import Wanted as Kinds
from pointsman.guards.request import Action, JailbreakCheck, PiiCheck, RequestGuards
from pointsman.pii import Finding
from pointsman.pipeline import Pipeline
from pointsman.placement.placer import Wanted
from pointsman.placement.prompt import rendered
from pointsman.plugins.fast_response import FastResponse
from pointsman.plugins.system_prompt import SystemPrompt
from pointsman.policy import Policy
from pointsman.quota.limiter import Limiter
from pointsman.quota.rule import Rule

RERANK = Target("rerank", "vendor/rerank", "rerank")
CHAT = Target("chat", "chat", "chat")
CLAUDE = Target("claude", "claude", "claude", speaks_messages=True)
ELSEWHERE = Target("elsewhere", "elsewhere", "elsewhere", base_path="/api/v1")
TWO = Catalog(
    {"rerank": RERANK, "chat": CHAT, "claude": CLAUDE, "elsewhere": ELSEWHERE},
    frozenset({"MoM"}),
    (ListedModel("chat", virtual=False),),
)
ONE = Catalog({"chat": CHAT}, frozenset({"MoM"}))
FORM = "multipart/form-data; boundary=b"
AUDIO = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\xff\r\n'
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nrerank\r\n'
    b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nEVIL bob@x.org\r\n--b--\r\n'
)
PATHS = [
    "/v1/rerank",
    "/rerank",
    "/v2/rerank",
    "/v1/score",
    "/score",
    "/pooling",
    "/classify",
    "/tokenize",
    "/detokenize",
    "/v1/audio/speech",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/anything/else",
    "/v2/embed",
    "/inference/v1/generate",
]


def route(
    path: str, body: Any = b"", router: Pipeline | None = None, method: str = "POST", **headers: str
) -> Forward | Reply:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run((router or Pipeline(TWO)).route(Head(method, path, named), raw)).verdict


def sent(*arguments: Any, **more: Any) -> Forward:
    verdict = route(*arguments, **more)
    assert isinstance(verdict, Forward), verdict
    return verdict


def refused(*arguments: Any, **more: Any) -> tuple[int, str]:
    verdict = route(*arguments, **more)
    assert isinstance(verdict, Reply), verdict
    return verdict.status, json.loads(verdict.body)["error"]["message"]


@pytest.mark.parametrize("path", PATHS)
def test_a_request_goes_to_the_model_it_names(path: str) -> None:
    """The path stays, the name becomes the engine's, nothing else is touched."""
    verdict = sent(path, b'{ "model": "rerank","x" :1.50}')
    assert (verdict.pool, verdict.path) == ("rerank", None)
    assert verdict.body == b'{"model":"vendor/rerank","x":1.50}'
    assert sent(path, b'{ "model": "chat","x" :1.50}').body is None


@pytest.mark.parametrize("path", PATHS)
def test_a_virtual_name_is_refused_with_its_reason(path: str) -> None:
    """Decisions are about texts for chat models."""
    status, message = refused(path, {"model": "MoM"})
    assert (status, "chooses among chat models" in message) == (400, True)


def test_a_form_is_renamed_in_place() -> None:
    """The file's bytes stay."""
    verdict = sent("/v1/audio/transcriptions", AUDIO, content_type=FORM)
    assert verdict.pool == "rerank"
    assert verdict.body == AUDIO.replace(b"\r\n\r\nrerank\r\n", b"\r\n\r\nvendor/rerank\r\n")


def test_a_providers_own_base_path_is_kept() -> None:
    """``/v1`` becomes what the provider has in its place."""
    assert sent("/v1/rerank", {"model": "elsewhere"}).path == "/api/v1/rerank"


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("DELETE", b""), ("PUT", b"\x00bytes")])
def test_a_path_without_a_model_goes_to_the_only_one(method: str, body: bytes) -> None:
    """With one model there is nothing to ask; bodies nobody can read pass as they are."""
    verdict = sent("/v1/things/7", body, Pipeline(ONE), method)
    assert (verdict.pool, verdict.body) == ("chat", None)


def test_a_header_says_which_model_a_path_is_for() -> None:
    """The body is not given a field that it did not have."""
    verdict = sent("/version", method="GET", x_gateway_model_name="rerank")
    assert (verdict.pool, verdict.body) == ("rerank", None)
    assert sent("/v1/thing", b"{}", x_gateway_model_name="rerank").body is None


def test_without_any_of_these_it_is_refused_and_told_how_to_say_it() -> None:
    """404 for a path nobody knows, 400 for one that lacks its field."""
    status, message = refused("/version", method="GET")
    assert (status, "x-gateway-model-name" in message) == (404, True)
    status, message = refused("/rerank", b"{}")
    assert (status, "x-gateway-model-name" in message) == (400, True)


@pytest.mark.parametrize(
    ("path", "status", "document"),
    [
        ("/rerank", 404, None),
        ("/v1/other", 404, None),
        ("/v1/chat/completions", 400, None),
        ("/v1/responses", 400, None),
        ("/rerank", 400, 400),
        ("/v1/chat/completions", 404, 404),
    ],
)
def test_the_status_of_an_unknown_model(path: str, status: int, document: int | None) -> None:
    """400 where the semantic router says so, else 404 as engines do, unless the document has one for all."""
    body = {"model": "nope", "input": "x", "messages": [{"role": "user", "content": "x"}]}
    found, message = refused(path, body, Pipeline(TWO, unknown_model=document))
    assert (found, message) == (status, 'model "nope" is not available')


def test_a_model_that_is_gone_may_come_back() -> None:
    """An adapter some engine had is a 503; before that it is served, and listed."""
    roster = Roster([Endpoint("10.0.0.1:1", "chat", models=frozenset({"chat", "lora"}))])
    router = Pipeline(TWO, served=Served(TWO, roster))
    assert sent("/tokenize", {"model": "lora"}, router).pool == "chat"
    listed = router.preview(Head("GET", "/v1/models/lora", {}), managed=True)
    assert listed is not None
    assert json.loads(listed.body)["parent"] == "chat"
    hiding = msgspec.structs.replace(TWO, listed=(ListedModel("MoM", virtual=True),))
    hidden = msgspec.structs.replace(router, catalog=hiding)
    reply = hidden.preview(Head("GET", "/v1/models", {}), managed=True)
    assert reply is not None
    assert [each["id"] for each in json.loads(reply.body)["data"]] == ["MoM"]
    roster.replace([])
    status, message = refused("/tokenize", {"model": "lora"}, router)
    assert (status, "no replica" in message) == (503, True)
    assert refused("/tokenize", {"model": "never"}, router)[0] == 404


@pytest.mark.parametrize("path", sorted(OPERATORS))
@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}?level=1"])
def test_operators_paths_never_pass(path: str, spelling: str) -> None:
    """Whatever the document forwards and however they are spelled."""
    router = Pipeline(ONE, forwarded=Forwarded(("/",)))
    status, message = refused(spelling.format(path), {"model": "chat"}, router)
    assert (status, "management API" in message) == (404, True)
    escaped = path[:-1] + f"%{ord(path[-1]):02x}"
    assert refused(escaped, {"model": "chat"}, router)[0] == 404


@pytest.mark.parametrize("path", ["/v1/files", "/v1/files/x/content", "/v1/batches", "/v1/b%61tches"])
def test_files_and_batches_are_nobody_elses(path: str) -> None:
    """Switched off, they are a 404 that says so."""
    status, message = refused(path, {"model": "chat"}, Pipeline(ONE))
    assert (status, "gateway.files.enabled" in message) == (404, True)


def test_the_document_says_which_other_paths_pass() -> None:
    """Below a prefix, or one path exactly; others are a 404."""
    router = Pipeline(ONE, forwarded=Forwarded(("/generate", "/api/")))
    assert sent("/generate", b"{}", router).pool == "chat"
    assert sent("/api/x", b"{}", router).pool == "chat"
    assert refused("/generate/x", b"{}", router)[0] == 404
    assert refused("/v1/other", b"{}", router)[0] == 404
    assert refused("/api/../sleep", b"{}", router)[0] == 404


def test_a_method_that_asks_for_more_than_a_request_is_refused() -> None:
    """CONNECT and TRACE mean something to proxies."""
    assert refused("/v1/x", method="TRACE")[0] == 405
    assert refused("/rerank", method="GET")[0] == 405


def test_a_provider_with_anothers_api_is_not_asked() -> None:
    """There is nothing to translate to."""
    assert refused("/rerank", {"model": "claude"})[0] == 400


def test_rate_limits_hold_for_every_path() -> None:
    """By the model that is reached, whatever the path."""
    rule = Rule("few", requests=1, model="rerank")
    router = Pipeline(TWO, limiter=Limiter((rule,)))
    assert sent("/rerank", {"model": "rerank"}, router)
    assert refused("/v1/score", {"model": "rerank"}, router)[0] == 429


class Peak(msgspec.Struct):
    probability: float


class Seen(msgspec.Struct):
    jailbreak: Peak
    entities: tuple[Finding, ...] = ()


class Reader:
    """Takes the word EVIL for an attack."""

    async def scan(self, text: str) -> Seen:
        return Seen(Peak(1.0 if "EVIL" in text else 0.0))


def guarded(**guards: Any) -> Pipeline:
    return Pipeline(TWO, guards=RequestGuards(Reader(), **guards))


BLOCK = JailbreakCheck(Action.BLOCK, 0.5, "no")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rerank", {"query": "q", "documents": ["fine", {"text": "EVIL"}]}),
        ("/score", {"text_1": "EVIL", "text_2": ["b"]}),
        ("/pooling", {"messages": [{"role": "user", "content": [{"type": "text", "text": "EVIL"}]}]}),
        ("/v1/images/generations", {"prompt": "EVIL"}),
        ("/v1/some/thing", {"deep": [{"er": {"x": "EVIL"}}]}),
        ("/v1/some/thing", {"x": "data:image/png;base64,EVIL"}),
    ],
)
def test_guards_read_every_text(path: str, body: dict[str, Any]) -> None:
    """In an API that nobody described, every string may be one."""
    assert refused(path, {"model": "chat", **body}, guarded(jailbreak=BLOCK))[0] == 403
    assert sent(path, {"model": "chat"}, guarded(jailbreak=BLOCK))


def test_guards_read_the_texts_of_a_form() -> None:
    """Its fields; not its files."""
    assert refused("/v1/audio/transcriptions", AUDIO, guarded(jailbreak=BLOCK), content_type=FORM)[0] == 403
    harmless = AUDIO.replace(b"EVIL bob@x.org", b"fine").replace(b"\x00\xff", b"EVIL")
    assert sent("/v1/audio/transcriptions", harmless, guarded(jailbreak=BLOCK), content_type=FORM)


def test_personal_data_is_masked_in_any_body() -> None:
    """In JSON and in forms, whose files stay."""
    mask = guarded(pii=PiiCheck(Action.MASK, Kinds.of((), (), None), "no"))
    verdict = sent("/v1/audio/transcriptions", AUDIO, mask, content_type=FORM)
    assert verdict.body is not None
    assert b"bob@x.org" not in verdict.body
    assert b"\x00\xff" in verdict.body
    verdict = sent("/v1/some", {"model": "chat", "q": ["to bob@x.org"], "n": 1.50}, mask)
    assert verdict.body is not None
    assert b"bob@x.org" not in verdict.body


def test_with_guards_a_body_that_cannot_be_read_does_not_pass() -> None:
    """415: what nobody read must not leave."""
    router = guarded(jailbreak=BLOCK)
    status, _ = refused("/v1/some", b"\x00", router, x_gateway_model_name="chat")
    assert status == 415


def responses(**fields: Any) -> dict[str, Any]:
    return {"model": "MoM", "input": "hi", **fields}


def deciding(*plugins: Any) -> Pipeline:
    decision = Decision("all", Node(Operator.AND), (Candidate(RERANK),), plugins=plugins)
    return Pipeline(TWO, Policy(decisions=(decision,)), now=lambda: 9.0)


def test_a_response_is_decided_like_a_chat() -> None:
    """Its input is text, so a virtual name chooses; a persona becomes its instructions."""
    verdict = sent("/v1/responses", responses(), deciding(SystemPrompt("Be brief.")))
    assert verdict.pool == "rerank"
    assert json.loads(verdict.body or b"") == {
        "model": "vendor/rerank",
        "input": "hi",
        "instructions": "Be brief.",
    }
    verdict = sent("/v1/responses", responses(instructions="Own."), deciding(SystemPrompt("Be brief.")))
    assert json.loads(verdict.body or b"")["instructions"] == "Be brief.\n\nOwn."


@pytest.mark.parametrize("stream", [False, True])
def test_a_canned_response_has_its_shape(stream: bool) -> None:  # a parameter of the test
    """As JSON, and as the events of a stream."""
    reply = route("/v1/responses", responses(stream=stream), deciding(FastResponse("No.")))
    assert isinstance(reply, Reply)
    if stream:
        assert reply.body.startswith(b"event: response.created")
        assert b"event: response.completed" in reply.body
    else:
        assert json.loads(reply.body)["output"][0]["content"][0]["text"] == "No."


@pytest.mark.parametrize(
    "fields",
    [
        {"instructions": "EVIL"},
        {"input": "EVIL"},
        {"input": [{"role": "user", "content": "EVIL"}]},
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": "EVIL"}]}]},
        {"input": [{"type": "function_call_output", "output": "EVIL"}]},
        {"input": [{"type": "function_call", "arguments": '{"a": "EVIL"}'}]},
        {"input": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "EVIL"}]}]},
        {"prompt": {"id": "p", "variables": {"a": "EVIL"}}},
    ],
)
def test_guards_read_every_text_of_a_response(fields: dict[str, Any]) -> None:
    """Refused as an ordinary answer, which is what this guard was told to do."""
    check = msgspec.structs.replace(BLOCK, include_system=True)
    reply = route(
        "/v1/responses", {"model": "chat", **responses(model="chat"), **fields}, guarded(jailbreak=check)
    )
    assert isinstance(reply, Reply)
    assert json.loads(reply.body)["output"][0]["content"][0]["text"] == "no"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"model": "chat"}, "input"),
        ({"model": "chat", "input": ""}, "input"),
        ({"model": "chat", "input": []}, "input"),
        ({"model": "", "input": "x"}, "model"),
        ({"model": "chat", "input": 5}, "input"),
    ],
)
def test_a_response_needs_model_and_input(body: dict[str, Any], says: str) -> None:
    """The message names the field."""
    status, message = refused("/v1/responses", body)
    assert (status, says in message) == (400, True)


class Watching:
    """A placer that keeps what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[Body] = []

    async def place(self, wanted: Wanted) -> None:
        """Leave it to the data plane."""
        self.bodies.append(wanted.body)


def placed(path: str, body: dict[str, Any]) -> Body:
    placer: Any = Watching()
    sent(path, body, Pipeline(TWO, placer=placer))
    found: Body = placer.bodies[0]
    return found


def test_a_conversations_next_turn_begins_with_its_last() -> None:
    """What placement takes for the prompt of a response: instructions, tools, then the turns."""
    turns = [{"role": "user", "content": "a" * 600}, {"role": "assistant", "content": "b" * 600}]
    first = rendered(placed("/v1/responses", {"model": "chat", "instructions": "x", "input": turns}))
    more = [*turns, {"role": "user", "content": "c"}]
    second = rendered(placed("/v1/responses", {"model": "chat", "instructions": "x", "input": more}))
    assert second.startswith(first.rstrip(b"]"))
    assert first.startswith(b'["x",[')


def test_what_is_no_prompt_is_not_taken_for_one() -> None:
    """In an engine's own API names mean something else; what identifies a session stays."""
    body = {"model": "chat", "prompt": [[1]], "messages": [], "tools": 5, "session": "s"}
    assert set(placed("/v1/other", body).fields) == {"model", "session"}
