"""What every part of the document is made of: frozen models and the small types their fields share."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
)

from pointsman.config.credentials import mask_tree


class Part(BaseModel):
    """A mapping of the document: immutable, closed to unknown keys, and silent about values in its errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )


_DURATION_TERM = re.compile(r"(\d+(?:\.\d+)?)(ms|us|s|m|h|d)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KkMm]?)")


def _number(value: Any) -> Any:
    """``value`` unless it is true or false, which Python would take for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("is no number: write digits")  # noqa: TRY004 pydantic reports ValueError, not TypeError
    return value


def _seconds(value: Any) -> Any:
    """Seconds from ``300s``, ``1m30s`` or ``250ms``; numbers are seconds already."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    terms = _DURATION_TERM.findall(text)
    if not terms or "".join(number + unit for number, unit in terms) != text:
        try:
            return float(text)
        except ValueError:
            raise ValueError(
                "is no duration: write a number with a unit, such as 300s, 1m30s or 250ms"
            ) from None
    return math.fsum(float(number) * _SECONDS[unit] for number, unit in terms)


def _tokens(value: Any) -> Any:
    """A token count from ``32K`` or ``1M`` (thousands and millions)."""
    if not isinstance(value, str):
        return value
    found = _COUNT.fullmatch(value.strip())
    if not found:
        raise ValueError("is no token count: write a number such as 8000, 32K or 1M")
    number, unit = found.groups()
    return round(float(number) * {"": 1, "K": 1_000, "M": 1_000_000}[unit.upper()])


Whole = Annotated[int, BeforeValidator(_number)]
"""A whole number, and not true or false."""
Number = Annotated[float, BeforeValidator(_number)]
"""A number, and not true or false."""
Unit = Annotated[Number, Field(ge=0.0, le=1.0)]
"""A share, probability or similarity threshold, 0..1."""
Cosine = Annotated[Number, Field(ge=-1.0, le=1.0)]
"""A cosine or a difference of two of them, -1..1."""
Weight = Annotated[Number, Field(ge=0.0)]
"""A relative weight: only its ratio to its siblings matters."""
Port = Annotated[Whole, Field(ge=1, le=65535)]
"""A TCP port."""
Count = Annotated[Whole, Field(ge=0, le=2**53)]
"""A whole number, zero included."""
Positive = Annotated[Whole, Field(ge=1, le=2**53)]
"""A whole number of at least one."""
Name = Annotated[str, Field(min_length=1, max_length=256)]
"""Something other parts of the document, metrics or headers refer to."""
Names = tuple[Name, ...]
"""A list of names."""
Texts = tuple[Annotated[str, Field(min_length=1)], ...]
"""A list of words, sentences or patterns."""
Free = Annotated[Mapping[str, Any], PlainSerializer(mask_tree, return_type=dict[str, Any], when_used="json")]
"""Data without a schema of ours; what its keys call credentials is masked in JSON."""
Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(ge=0.0),
    WithJsonSchema({"type": ["string", "number"], "examples": ["300s", "1m30s", "250ms", 30]}),
]
"""A duration in seconds; the document may write ``300s``, ``1m30s`` or ``250ms``."""
Tokens = Annotated[
    int,
    BeforeValidator(_tokens),
    Field(ge=0, le=2**53),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["32K", "1M", 8000]}),
]
"""A number of tokens; the document may write ``32K`` or ``1M``."""
Effort = Literal["minimal", "low", "medium", "high"]
"""How long a model should think, for families that grade it."""
Secret = SecretStr
"""A credential: shown as asterisks wherever it is printed or dumped."""
