"""What the document says of the encoder, as far as `runtime` carries it out."""

import asyncio

import pytest

from pointsman.config import parse
from pointsman.core.errors import ConfigError
from pointsman.encoder import openvino_engine
from pointsman.encoder.values import Scan
from pointsman.runtime import build

DOCUMENT = """
version: v0.3
providers:
  defaults: {default_model: small}
  models: [{name: small, backend_refs: [{endpoint: "127.0.0.1:9"}]}]
"""
SMALL_SCANS = "gateway: {encoder: {scan_tokens: 256}}"
OPENVINO = "gateway: {encoder: {engine: openvino}}"


def scanned(more: str) -> Scan:
    """What a router with these settings sees in a text of a thousand words."""
    runtime = build(parse(DOCUMENT + more, {}), {})
    try:
        return asyncio.run(runtime.encoder.scan("word " * 1000))
    finally:
        runtime.close()


def test_the_document_bounds_what_a_scan_reads() -> None:
    """A text of more than `scan_tokens` is read in parts; by default 1000 words are read whole."""
    bounded = scanned(SMALL_SCANS)
    assert bounded.sampled
    assert bounded.tokens <= 256
    whole = scanned("")
    assert not whole.sampled
    assert whole.tokens >= 1000


def test_an_engine_that_cannot_run_is_an_error_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """The document names the engine, so the error names the key, the line to type, and the way back."""
    monkeypatch.setattr(openvino_engine, "import_module", _absent)
    with pytest.raises(ConfigError) as refused:
        build(parse(DOCUMENT + OPENVINO, {}), {})
    (problem,) = refused.value.problems
    assert problem.path == "gateway.encoder.engine"
    assert "pip install 'pointsman[openvino]'" in problem.message
    assert problem.remedy == "or leave it at onnxruntime"


def _absent(name: str) -> None:
    raise ModuleNotFoundError(name)
