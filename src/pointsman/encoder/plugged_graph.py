"""A whole classifier of the user's own: an ONNX graph and its tokenizer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from pointsman.encoder.engine import Floats
from pointsman.encoder.errors import EncoderError, ModelFilesError
from pointsman.encoder.perceptron import softmax
from pointsman.encoder.plug_errors import PlugRefused
from pointsman.encoder.plug_labels import agreed, described
from pointsman.encoder.session import open_session
from pointsman.encoder.tokenizer import Reading, cut

IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"
OUTPUT = "logits"
INTEGERS = {"tensor(int64)": "int64", "tensor(int32)": "int32"}
LONGEST = 512
"""Word pieces of one pass at most; a tokenizer.json that truncates earlier is obeyed."""

_TRIAL = "A text nobody asks about."


class PluggedGraph:
    """Reads one text a pass, on one thread; safe to use from several.

    Texts reach the tokenizer as they are. Of a long one both ends are read, as the encoder does.
    """

    def __init__(self, graph: Path, *, labels: Sequence[str]) -> None:
        """Open a graph with the `tokenizer.json` beside it, and `config.json` for labels where it exists.

        Runs it twice, once as long as can be, so that a misfit shows now. Raises PlugRefused.
        """
        self.labels = agreed(described(graph.parent / "config.json"), labels, path=graph)
        self._graph = graph
        self._tokenizer, self._longest = _tokenizer(graph.parent / "tokenizer.json")
        try:
            # By path, because weights above 2 GB lie in files of their own beside the graph.
            self._session = open_session(graph)
        except ModelFilesError as error:
            raise PlugRefused(f"{graph}: {error}", "export a classifier for onnxruntime") from error
        self._kinds = _inputs(graph, self._session)
        self._output = _output(graph, self._session)
        self._try()

    def probabilities(self, reading: Reading) -> Floats:
        """Give the labels' probabilities, shape (labels,); raises EncoderError when the pass fails."""
        pieces = self._pieces(reading)
        rows = {IDS: pieces.ids, MASK: pieces.attention_mask, TYPES: pieces.type_ids}
        return softmax(self._scores(rows)[0])

    def _pieces(self, reading: Reading) -> Encoding:
        room = self._longest - self._tokenizer.num_special_tokens_to_add(is_pair=False)
        parts = [reading.head, reading.tail] if reading.tail else [reading.head]
        # The batch call releases the interpreter lock; the single-text one does not.
        encoded = self._tokenizer.encode_batch_fast(parts, add_special_tokens=False)
        text = encoded[0]
        if reading.tail or len(text) > room:
            # Merged alone it is a copy: both ends may come from one encoding, and cutting is in place.
            text, last = Encoding.merge([encoded[0]]), Encoding.merge([encoded[-1]])
            text.truncate(room - room // 2)
            last.truncate(room // 2, direction="left")
            text = Encoding.merge([text, last])
        return self._tokenizer.post_process(text)

    def _scores(self, rows: dict[str, list[int]]) -> Floats:
        fed: dict[str, NDArray[Any]] = {
            name: np.asarray([rows[name]], dtype=kind) for name, kind in self._kinds.items()
        }
        try:
            with np.errstate(over="ignore"):
                return np.asarray(self._session.run([self._output], fed)[0], dtype=np.float32)
        except Exception as error:
            raise EncoderError(f"the pass of {self._graph} failed: {error}") from error

    def _try(self) -> None:
        """Run a plain text, and the longest row of the tokenizer's last piece."""
        last = max(self._tokenizer.get_vocab().values())
        plain = self._pieces(cut(_TRIAL))
        long = {IDS: [last] * self._longest, MASK: [1] * self._longest, TYPES: [0] * self._longest}
        short = {IDS: plain.ids, MASK: plain.attention_mask, TYPES: plain.type_ids}
        for rows in (short, long):
            try:
                scores = self._scores(rows)
            except EncoderError as error:
                raise PlugRefused(
                    f"{error} (tried with {len(rows[IDS])} word pieces up to number {max(rows[IDS])})",
                    "export it with free batch and sequence axes and the tokenizer.json it was trained with; "
                    f"a model that reads less than {self._longest} pieces needs that truncation in there",
                ) from error
            if scores.shape != (1, len(self.labels)):
                raise PlugRefused(
                    f"{self._graph} yields scores of the shape {scores.shape}, wanted "
                    f"{(1, len(self.labels))} for the labels {', '.join(self.labels)}",
                    "list one label for each output, in order",
                    key="labels",
                )
            if not np.isfinite(scores).all():
                raise PlugRefused(f"{self._graph} yields scores that are not finite", "export it anew")


def _tokenizer(path: Path) -> tuple[Tokenizer, int]:
    """Open a tokenizer; gives the most word pieces of one pass too, its markers included."""
    if not path.is_file():
        raise PlugRefused(f"there is no {path}", "put the tokenizer.json of the model beside its graph")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise PlugRefused(f"{path} is no tokenizer: {error}", "export it as tokenizer.json") from error
    longest = min(LONGEST, (tokenizer.truncation or {}).get("max_length", LONGEST))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    # "[SEP]" typed by a user is text, not a marker.
    tokenizer.encode_special_tokens = True
    if longest - tokenizer.num_special_tokens_to_add(is_pair=False) < 2 or not tokenizer.get_vocab_size():
        raise PlugRefused(f"{path} leaves no room for text", "raise its truncation.max_length")
    return tokenizer, longest


def _inputs(graph: Path, session: Any) -> dict[str, str]:
    """Give the kind of number of each input."""
    kinds = {source.name: source.type for source in session.get_inputs()}
    if IDS not in kinds or not kinds.keys() <= {IDS, MASK, TYPES} or not set(kinds.values()) <= set(INTEGERS):
        listed = ", ".join(f"{name} {kind}" for name, kind in kinds.items()) or "none"
        raise PlugRefused(
            f"{graph} has the inputs {listed}",
            f"export it with {IDS} and, where the model has them, {MASK} and {TYPES}, as integers",
        )
    return {name: INTEGERS[kind] for name, kind in kinds.items()}


def _output(graph: Path, session: Any) -> str:
    """Give the name of the output that holds the scores."""
    outputs = {output.name: output.type for output in session.get_outputs()}
    name = OUTPUT if OUTPUT in outputs else next(iter(outputs), "")
    if (name != OUTPUT and len(outputs) != 1) or outputs[name] not in {
        "tensor(float)",
        "tensor(float16)",
        "tensor(double)",
    }:
        listed = ", ".join(f"{each} {kind}" for each, kind in outputs.items())
        raise PlugRefused(f"{graph} has the outputs {listed}", f"export it with an output {OUTPUT} of floats")
    return name
