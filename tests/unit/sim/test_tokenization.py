from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sim_lab import Client, drive

from pointsman.sim import RunningSim, tokens

TEXT = st.text(st.characters(codec="utf-8"))


@given(TEXT)
def test_ids_lead_back_to_the_text(text: str) -> None:
    """Tokenising and detokenising is the identity."""
    assert tokens.text_of(tokens.ids(text)) == text


@given(TEXT)
def test_pieces_concatenate_to_the_text(text: str) -> None:
    """Splitting loses nothing and gives no empty piece."""
    pieces = tokens.split(text)
    assert "".join(pieces) == text
    assert all(pieces)


@given(st.lists(st.integers(min_value=0, max_value=2**63)))
def test_any_ids_give_some_text(token_ids: list[int]) -> None:
    """Ids that this tokeniser never made become replacement characters, not errors."""
    tokens.text_of(token_ids).encode()


def test_the_routes_have_vllms_shape() -> None:
    """/tokenize takes a prompt or messages, /detokenize gives the prompt back."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        body = {"prompt": "hello world", "return_token_strs": True}
        made = (await http.post("/tokenize", body)).json()
        back = (await http.post("/detokenize", {"tokens": made["tokens"]})).json()
        messages = {"messages": [{"role": "user", "content": "hello"}]}
        rendered = (await http.post("/tokenize", messages)).json()
        nothing = await http.post("/tokenize", {})
        return made, back, rendered, nothing.status

    made, back, rendered, nothing = drive(scenario)
    assert made["count"] == len(made["tokens"]) == len(made["token_strs"])
    assert made["max_model_len"] == 131_072
    assert back == {"prompt": "hello world"}
    assert "hello" in tokens.text_of(rendered["tokens"])
    assert nothing == 400
