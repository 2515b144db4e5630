import msgspec
import pytest

from pointsman.core.errors import EndpointNotFound, MethodNotAllowed, Overloaded, RequestError
from pointsman.core.request import Head
from pointsman.dialects import openai_completions, openai_embeddings
from pointsman.dialects.endpoints import endpoint_for
from pointsman.dialects.errors import error_reply
from pointsman.dialects.openai_models import ListedModel, models_reply
from pointsman.dialects.routing_headers import header_safe

MODELS = (ListedModel("MoM", virtual=True), ListedModel("lora", virtual=False, parent="base"))


@pytest.mark.parametrize(
    ("prompt", "text"),
    [('"a"', "a"), ('["a","b"]', "a\nb"), ("[1,2]", ""), ("[[1],[2]]", "")],
)
def test_every_prompt_form_is_read(prompt: str, text: str) -> None:
    """Strings give text, token ids give none, and neither is refused."""
    request = openai_completions.understand(f'{{"model":"m","prompt":{prompt}}}'.encode())
    assert request.text == text


def test_a_prompt_of_another_type_is_refused() -> None:
    """A number is no prompt."""
    with pytest.raises(RequestError) as caught:
        openai_completions.understand(b'{"model":"m","prompt":5}')
    assert caught.value.param == "prompt"


@pytest.mark.parametrize("body", [b'{"model":"m"}', b'{"input":"x"}', b'{"model":"","input":"x"}'])
def test_embeddings_need_model_and_input(body: bytes) -> None:
    """An embeddings request without its two required fields is the caller's error."""
    with pytest.raises(RequestError):
        openai_embeddings.understand(body)


def head(method: str, path: str) -> Head:
    return Head(method, path, {})


def test_a_query_does_not_change_the_endpoint() -> None:
    """Routing looks at the path alone."""
    assert endpoint_for(head("POST", "/v1/chat/completions?a=b")).path == "/v1/chat/completions"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/chat/completions/", "/v1/chat/complet%69ons", "/nope", "/v1/../config"]
)
def test_an_unknown_path_is_404(path: str) -> None:
    """The message lists the paths there are."""
    with pytest.raises(EndpointNotFound, match="/v1/chat/completions"):
        endpoint_for(head("POST", path))


def test_a_wrong_method_is_405() -> None:
    """The path exists, the method does not."""
    with pytest.raises(MethodNotAllowed, match="use POST"):
        endpoint_for(head("GET", "/v1/chat/completions"))


def test_models_are_listed_with_their_resolution() -> None:
    """Virtual and real names appear, adapters with their parent."""
    data = msgspec.json.decode(models_reply("/v1/models", MODELS, 5).body)["data"]
    assert [(entry["id"], entry["routing"]["resolution"]) for entry in data] == [
        ("MoM", "virtual"),
        ("lora", "passthrough"),
    ]
    assert data[1]["parent"] == "base"


def test_one_model_can_be_retrieved() -> None:
    """``GET /v1/models/{id}`` gives one entry, and 404 for a name that is not there."""
    assert msgspec.json.decode(models_reply("/v1/models/lora", MODELS, 5).body)["id"] == "lora"
    with pytest.raises(EndpointNotFound):
        models_reply("/v1/models/nope", MODELS, 5)


def test_errors_have_openais_shape_and_our_headers() -> None:
    """Message, type, param and code in the body; schema, path and retry-after in the headers."""
    reply = error_reply(Overloaded("slow down", retry_after=3))
    error = msgspec.json.decode(reply.body)["error"]
    assert error == {"message": "slow down", "type": "rate_limit_error", "param": None, "code": 429}
    assert reply.headers["retry-after"] == "3"
    assert reply.headers["x-vsr-response-path"] == "rate_limited"


@pytest.mark.parametrize(
    ("name", "safe"), [("math", "math"), ("数学", "%E6%95%B0%E5%AD%A6"), ("a\r\nb", "a%0D%0Ab")]
)
def test_names_are_header_safe(name: str, safe: str) -> None:
    """A name can neither break a header nor be refused by one."""
    assert header_safe(name) == safe
