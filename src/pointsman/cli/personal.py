"""How the model's word on personal data is joined with the recognisers'."""

from collections.abc import Sequence

from pointsman.pii import Entity, Finding, merge, recognise


def personal_data(text: str, entities: Sequence[Entity]) -> tuple[Finding, ...]:
    """What recognisers and the model find together, of whatever score."""
    return merge(text, recognise(text), entities)
