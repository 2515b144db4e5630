"""Small ONNX classifiers, written byte by byte: the package does not need the library that writes them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import BertProcessing

WORDS = ("[UNK]", "[CLS]", "[SEP]", "good", "bad", "plain")
SCORES = np.array([[0, 0], [0, 0], [0, 0], [9, -9], [-9, 9], [0, 0]], np.float32)
"""What each word adds to the scores of two labels, which are the mean over all words."""

FLOAT, INT64 = 1, 7
ALL_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def write_classifier(
    folder: Path,
    *,
    inputs: Sequence[str] = ALL_INPUTS,
    output: str = "logits",
    scores: np.ndarray = SCORES,
    sequence: int | str = "sequence",
    kind: int = INT64,
) -> Path:
    """A folder with a tokenizer of six words and a graph that looks their scores up."""
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    tokenizer.save(str(folder / "tokenizer.json"))
    graph = b"".join(
        [
            _field(1, _node("Gather", ["table", inputs[0]], "rows")),
            _field(1, _node("ReduceMean", ["rows"], output, _ints("axes", [1]), _int("keepdims", 0))),
            _field(2, b"toy"),
            _field(5, _tensor("table", scores)),
            *(_field(11, _value(name, kind, ["batch", sequence])) for name in inputs),
            _field(12, _value(output, FLOAT, ["batch", scores.shape[1]])),
        ]
    )
    opset = _field(1, b"") + _number(2, 13)
    (folder / "model.onnx").write_bytes(_number(1, 8) + _field(7, graph) + _field(8, opset))
    return folder


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _node(kind: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    named = b"".join(_field(1, name.encode()) for name in inputs)
    return (
        named
        + _field(2, output.encode())
        + _field(4, kind.encode())
        + b"".join(_field(5, each) for each in attributes)
    )


def _int(name: str, value: int) -> bytes:
    return _field(1, name.encode()) + _number(3, value) + _number(20, 2)


def _ints(name: str, values: Sequence[int]) -> bytes:
    return _field(1, name.encode()) + b"".join(_number(8, value) for value in values) + _number(20, 7)


def _tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(_number(1, size) for size in values.shape)
    return dims + _number(2, FLOAT) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(
        _field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode())) for size in shape
    )
    tensor = _number(1, kind) + _field(2, dims)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))
