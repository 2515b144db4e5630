"""POST /v1/audio/transcriptions and /translations: a form with a file, always the same text back."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from pointsman.sim import errors, tokens
from pointsman.sim.data_events import DataEvents
from pointsman.sim.engine import Job
from pointsman.sim.models import Models
from pointsman.sim.plan import Outcome, Plan

PATHS = ("/v1/audio/transcriptions", "/v1/audio/translations")
FORMATS = ("json", "text", "verbose_json")
_BYTES_A_SECOND = 32_000  # 16-bit mono at 16 kHz: what a recording of unknown format is taken for
_AUDIO = "<|audio|>"  # stands for a second of sound in the prompt


@dataclass(frozen=True)
class TranscriptionShape(DataEvents):
    """Transcriptions as vLLM writes them."""

    request_id: str
    model: str
    form: str
    seconds: int
    created: int = field(default_factory=lambda: int(time.time()))

    def opening(self, choices: int) -> list[Any]:  # noqa: ARG002  (this API has no opening events)
        """Nothing: text starts with the first token."""
        return []

    def delta(self, choice: int, text: str, outcome: Outcome | None) -> Any:  # noqa: ARG002  (one choice)
        """A text event."""
        return {**self._head(), "choices": [{"delta": {"content": text}, "finish_reason": outcome}]}

    def usage_event(self, usage: dict[str, Any]) -> Any:
        """An event without choices."""
        return {**self._head(), "choices": [], "usage": usage}

    def document(self, texts: Sequence[str], outcome: Outcome, usage: dict[str, Any]) -> Any:  # noqa: ARG002  (none)
        """The text, alone or in a document."""
        if self.form == "text":
            return texts[0]
        if self.form == "verbose_json":
            return {
                "text": texts[0],
                "language": "en",
                "duration": str(float(self.seconds)),
                "segments": [{"id": 0, "start": 0.0, "end": float(self.seconds), "text": texts[0]}],
                "words": None,
            }
        return {"text": texts[0], "usage": {"type": "duration", "seconds": self.seconds}}

    def _head(self) -> dict[str, Any]:
        return {
            "id": f"trsc-{self.request_id}",
            "object": "transcription.chunk",
            "created": self.created,
            "model": self.model,
        }


async def plan(request: web.Request, request_id: str, models: Models) -> Plan:
    """Read the form and compose the answer. Raises ApiError (400, 404)."""
    if request.content_type != "multipart/form-data":
        await request.read()
        raise errors.invalid("Unsupported Media Type: a transcription is asked for by multipart/form-data")
    try:
        form = await request.post()
    except ValueError as error:
        raise errors.invalid(f"the form cannot be read: {error}") from None
    recording = form.get("file")
    if not isinstance(recording, web.FileField):
        raise errors.invalid("Field required: file", "file")
    wanted = _field(form.get("response_format")) or "json"
    if wanted not in FORMATS:
        raise errors.invalid(f"response_format is one of {', '.join(FORMATS)}", "response_format")
    model = models.resolve(_field(form.get("model")))
    size = recording.file.seek(0, 2)
    seconds = max(1, -(-size // _BYTES_A_SECOND))
    pieces = tokens.split(models.settings.transcription)
    streaming = (_field(form.get("stream")) or "").lower() in {"1", "true"}
    return Plan(
        job=Job(model, [_AUDIO] * min(seconds, models.settings.max_model_len), len(pieces)),
        shape=TranscriptionShape(request_id, model, wanted, seconds),
        answers=[pieces],
        outcome="stop",
        stream=streaming,
        include_usage=(_field(form.get("stream_include_usage")) or "").lower() in {"1", "true"},
    )


def _field(value: Any) -> str | None:
    return value if isinstance(value, str) else None
