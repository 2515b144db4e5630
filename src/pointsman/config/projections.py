"""``routing.projections``: values computed from several signals, usable as conditions."""

from typing import Literal

from pydantic import Field

from pointsman.config.base import Name, Names, Number, Part


class Bounds(Part):
    """A numeric interval; a bound that is not set does not limit."""

    gt: Number | None = Field(None, description="Holds above this value.")
    gte: Number | None = Field(None, description="Holds from this value on.")
    lt: Number | None = Field(None, description="Holds below this value.")
    lte: Number | None = Field(None, description="Holds up to this value.")


class Partition(Part):
    """A group of signals of which only the strongest survives."""

    name: Name = Field(description="Name of the group.")
    semantics: Literal["exclusive", "softmax_exclusive"] = Field(
        "exclusive", description="Whether raw or softmax-normalised scores are compared."
    )
    temperature: Number | None = Field(
        None, gt=0.0, description="Softmax temperature; lower is more decided."
    )
    members: Names = Field((), description="Names of the signals that compete.")
    default: str = Field("", description="Member that is taken as matched when none is.")


class ScoreInput(Part):
    """One signal's share in a score."""

    type: Name = Field(description="Signal family, projection or kb_metric.")
    name: str = Field("", description="Name of the signal; not used by kb_metric.")
    kb: str = Field("", description="Knowledge base of a kb_metric.")
    metric: str = Field("", description="Metric of that knowledge base.")
    weight: Number = Field(1.0, description="Factor of this input; negative values count against.")
    value_source: Literal["", "score", "binary", "confidence", "raw"] = Field(
        "", description="What is weighted: the signal's confidence, its score, or whether it matched."
    )
    match: Number | None = Field(None, description="Value counted when the signal matches.")
    miss: Number | None = Field(None, description="Value counted when it does not.")


class Score(Part):
    """A weighted sum of signals."""

    name: Name = Field(description="Name that mappings and other scores refer to.")
    method: Literal["weighted_sum"] = Field("weighted_sum", description="How inputs combine.")
    inputs: tuple[ScoreInput, ...] = Field((), description="What is summed.")


class Calibration(Part):
    """How distance from a band's edge becomes a confidence."""

    method: Literal["sigmoid_distance"] = Field("sigmoid_distance", description="Shape of the curve.")
    slope: Number = Field(
        12.0, gt=0.0, description="Steepness of the curve; 12 is sure about 0.2 from an edge."
    )


class MappingOutput(Bounds):
    """A named band of a score."""

    name: Name = Field(description="Name that conditions of type projection refer to.")


class ScoreMapping(Part):
    """A score cut into named bands."""

    name: Name = Field(description="Name of the mapping.")
    source: Name = Field(description="Name of the score that is cut.")
    method: Literal["threshold_bands", "multi_emit"] = Field(
        "threshold_bands", description="Whether one band matches or all whose bounds hold."
    )
    calibration: Calibration | None = Field(None, description="How confident a band is near its edges.")
    outputs: tuple[MappingOutput, ...] = Field((), description="The bands.")


class Projections(Part):
    """Everything computed from signals."""

    partitions: tuple[Partition, ...] = Field((), description="Groups of which one member survives.")
    scores: tuple[Score, ...] = Field((), description="Weighted sums of signals.")
    mappings: tuple[ScoreMapping, ...] = Field((), description="Scores cut into named bands.")
