"""The default engine: the shipped int8 graph in onnxruntime."""

from typing import cast

import numpy as np

from pointsman.encoder.engine import Floats, Numbers
from pointsman.encoder.errors import EncoderError, ModelFilesError
from pointsman.encoder.session import open_session

OUTPUT = "hidden"


class OrtEngine:
    """Runs a graph of `input_ids` and `attention_mask` that yields `hidden`.

    The graph leaves the mask out of its attention when nothing is padded, so a text alone pays nothing
    for the ability to run in a batch. Its int8 form quantises activations over the whole input: the same
    text in a batch differs from itself alone in the second digit of its vectors, not in its meaning.
    """

    def __init__(
        self, graph: bytes, *, dimension: int, precision: str = "int8", precise: bool | None = None
    ) -> None:
        self._session = open_session(graph, precise=precise)
        self._precision = precision
        shapes = {output.name: output.shape for output in self._session.get_outputs()}
        inputs = {source.name for source in self._session.get_inputs()}
        if shapes.get(OUTPUT, [None])[-1] != dimension or inputs != {"input_ids", "attention_mask"}:
            raise ModelFilesError(
                f"the graph maps {sorted(inputs)} to {shapes}, wanted input_ids and attention_mask to "
                f"{OUTPUT} of width {dimension}"
            )

    @property
    def precision(self) -> str:
        """What the manifest says of the graph."""
        return self._precision

    def hidden(self, numbers: Numbers, mask: Numbers) -> Floats:
        """See `Engine.hidden`."""
        try:
            outputs = self._session.run([OUTPUT], {"input_ids": numbers, "attention_mask": mask})
        except Exception as error:
            raise EncoderError(f"the encoder pass failed: {error}") from error
        return cast("Floats", np.asarray(outputs[0]))
