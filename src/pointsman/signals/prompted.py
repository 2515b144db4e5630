"""Classifiers that are prompted models: ``type: llm``, asked over OpenAI's chat API.

``model`` names one of ``global.model_catalog.external``. A call ends at ``llm_timeout_seconds`` or at what
signals may take, whichever is less; at most ``CONCURRENT`` calls run, one more fails at once as busy. The
same text asked twice is asked twice: nothing is kept, since answers may differ.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import aiohttp
import msgspec

from pointsman.config.document import Settings
from pointsman.config.model_catalog import ExternalModel
from pointsman.config.signals import ClassifierSignal, Signals
from pointsman.config.translate import nearest
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.signals.prompted_answer import messages, probabilities

LLM: Final = "llm"
CONCURRENT: Final = 32
"""Calls at once to all external models of a routing."""
MAX_ANSWER_BYTES: Final = 1024 * 1024
MAX_TOKENS: Final = 256
_CHAT_PATH: Final = "/v1/chat/completions"


class ModelBusy(RuntimeError):
    """Too many calls run already."""


class ModelFailed(RuntimeError):
    """An external model that did not answer as it should."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where an external model answers, and how it is asked."""

    url: str
    model: str
    timeout_s: float | None = None
    headers: Mapping[str, str] = {}
    max_tokens: int = MAX_TOKENS
    temperature: float = 0.0

    @classmethod
    def of(cls, written: ExternalModel) -> "Endpoint":
        """As the document says."""
        at = written.llm_endpoint
        port = f":{at.port}" if at.port else ""
        key = written.access_key.get_secret_value() if written.access_key else ""
        return cls(
            f"{at.protocol}://{at.address}{port}{_CHAT_PATH}",
            written.llm_model_name or written.name,
            written.llm_timeout_seconds,
            {"authorization": f"Bearer {key}"} if key else {},
            written.max_tokens or MAX_TOKENS,
            written.temperature or 0.0,
        )


class Chat(Protocol):
    """Something that answers a conversation."""

    async def __call__(self, endpoint: Endpoint, messages: Sequence[Mapping[str, str]]) -> str:
        """The text of the answer; raises when there is none."""


async def chat(endpoint: Endpoint, messages: Sequence[Mapping[str, str]]) -> str:
    """Ask over HTTP. Raises ModelFailed for an answer that is none, and what aiohttp raises."""
    body = {
        "model": endpoint.model,
        "messages": [*messages],
        "max_tokens": endpoint.max_tokens,
        "temperature": endpoint.temperature,
    }
    timeout = aiohttp.ClientTimeout(total=endpoint.timeout_s)
    # A connection a call: next to a model's answer it costs nothing, and there is nothing to close later.
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(endpoint.url, json=body, headers=endpoint.headers, allow_redirects=False) as response,
    ):
        if response.status != 200:
            raise ModelFailed(f"status {response.status}")
        return _content(await _read(response.content))


async def _read(stream: aiohttp.StreamReader) -> bytes:
    pieces: list[bytes] = []
    length = 0
    async for piece in stream.iter_any():
        length += len(piece)
        if length > MAX_ANSWER_BYTES:
            raise ModelFailed("the answer is too long")
        pieces.append(piece)
    return b"".join(pieces)


def _content(raw: bytes) -> str:
    try:
        content: Any = json.loads(raw)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError) as error:
        raise ModelFailed("the answer is no chat completion") from error
    if not isinstance(content, str):
        raise ModelFailed("the answer has no text")
    return content


class Prompt(msgspec.Struct, frozen=True):
    """One prompted classifier."""

    endpoint: Endpoint
    labels: tuple[str, ...]
    instructions: str = ""


class PromptedClassifiers:
    """Prompted classifiers by name."""

    def __init__(
        self, prompts: Mapping[str, Prompt], *, ask: Chat = chat, concurrent: int = CONCURRENT
    ) -> None:
        self._prompts = prompts
        self._ask = ask
        self._free = asyncio.Semaphore(concurrent)
        self.plugged = {name: prompt.labels for name, prompt in prompts.items()}

    async def classify(self, name: str, text: str) -> Mapping[str, float]:
        """The probability of each label.

        Raises ModelBusy when too many calls run, NoLabel for an answer without one, and what the call raises.
        """
        prompt = self._prompts[name]
        if self._free.locked():
            raise ModelBusy(name)
        async with self._free:
            async with asyncio.timeout(prompt.endpoint.timeout_s):
                answer = await self._ask(prompt.endpoint, messages(prompt.instructions, prompt.labels, text))
        return probabilities(answer, prompt.labels)


def build(
    signals: Signals, names: Sequence[str], settings: Settings, *, where: str, prefix: str = ""
) -> PromptedClassifiers:
    """The prompted classifiers among ``names``, each with ``prefix`` before its name.

    Raises ConfigError for models that are not declared or have no address, and for less than two labels.
    """
    models = {
        model.name: (index, model) for index, model in enumerate(settings.global_.model_catalog.external)
    }
    rules = {
        index: rule
        for index, rule in enumerate(signals.classifiers)
        if rule.type == LLM and rule.name in names
    }
    problems = [
        problem
        for index, rule in rules.items()
        for problem in _faults(f"{where}.signals.classifiers[{index}]", rule, models)
    ]
    if problems:
        raise ConfigError(problems)
    return PromptedClassifiers(
        {
            prefix + rule.name: Prompt(Endpoint.of(models[rule.model][1]), rule.labels, rule.instructions)
            for rule in rules.values()
        }
    )


def _faults(
    at: str, rule: ClassifierSignal, models: Mapping[str, tuple[int, ExternalModel]]
) -> Iterator[Problem]:
    if rule.model not in models:
        near = nearest(rule.model, models) if rule.model else None
        remedy = f"did you mean {near}?" if near else "declare it under global.model_catalog.external"
        yield Problem(Severity.ERROR, f"{at}.model", f"there is no external model {rule.model!r}", remedy)
    elif not models[rule.model][1].llm_endpoint.address:
        path = f"global.model_catalog.external[{models[rule.model][0]}].llm_endpoint.address"
        yield Problem(Severity.ERROR, path, "a prompted classifier needs it", "write the host of the model")
    if len(set(rule.labels)) < 2:
        message = (
            f"a prompted classifier tells at least two labels apart, {rule.name!r} has {len(rule.labels)}"
        )
        yield Problem(Severity.ERROR, f"{at}.labels", message, "list the labels it may answer")
