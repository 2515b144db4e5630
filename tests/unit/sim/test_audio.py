"""The routes that take a form with audio."""

from typing import Any

import openai
import pytest
from sim_lab import Client, drive, events

from pointsman.sim import RunningSim

SAID = "It works, as they say."
BOUNDARY = "x1y2z3"
PATH = "/v1/audio/transcriptions"


def _form(**fields: str) -> tuple[bytes, dict[str, str]]:
    parts = [
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    body = "".join([*parts, file]).encode() + b"\0" * 70_000 + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def test_the_openai_client_reads_transcriptions() -> None:
    """The real client uploads a file and reads the fixed text."""

    async def scenario(sim: RunningSim, _http: Client) -> Any:
        async with openai.AsyncOpenAI(base_url=f"{sim.url}/v1", api_key="none", max_retries=0) as client:
            file = ("a.wav", b"\0" * 100_000)
            one = await client.audio.transcriptions.create(model="tiny", file=file)
            return one.text, one.usage.seconds

    assert drive(scenario, transcription=SAID) == (SAID, 4)


@pytest.mark.parametrize("path", [PATH, "/v1/audio/translations"])
@pytest.mark.parametrize("form", ["json", "text", "verbose_json"])
def test_all_formats_say_the_same(form: str, path: str) -> None:
    """The text comes alone, in a document, or in one with segments."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        body, headers = _form(model="tiny", response_format=form)
        return await http.post(path, body, headers)

    reply = drive(scenario, transcription=SAID)
    assert reply.status == 200
    assert (reply.text if form == "text" else reply.json()["text"]) == SAID


def test_a_streamed_transcription() -> None:
    """With `stream` the text comes in chunks, then the usage if asked for."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        body, headers = _form(stream="true", stream_include_usage="true")
        return (await http.post(PATH, body, headers)).text

    text = drive(scenario, transcription=SAID)
    *chunks, last = events(text)
    assert "".join(each["choices"][0]["delta"]["content"] for each in chunks) == SAID
    assert chunks[0]["object"] == "transcription.chunk"
    assert last["usage"]["completion_tokens"] == len(chunks)
    assert text.endswith("data: [DONE]\n\n")


def test_refusals() -> None:
    """No form, no file, an unknown format and an unknown model are refused; too large a file is a 413."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        bad = [
            (b"{}", {}),
            (f"--{BOUNDARY}--\r\n".encode(), {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}),
            _form(response_format="srt"),
            _form(model="no"),
        ]
        return [(await http.post(PATH, body, headers)).status for body, headers in bad]

    async def large(_sim: RunningSim, http: Client) -> Any:
        return (await http.post(PATH, *_form())).status

    assert drive(scenario) == [400, 400, 400, 404]
    assert drive(large, max_body_bytes=10_000) == 413
