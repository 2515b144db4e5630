"""Personal data in a text: where it is, of what kind, and why we think so.

Recognisers know forms and check digits and read the whole text in linear time; the token classifier knows
names. `merge` agrees the two. Findings carry offsets and evidence, never the text.
"""

from pointsman.pii.finding import MODEL, Finding, Label
from pointsman.pii.masking import masked
from pointsman.pii.merge import Entity, merge
from pointsman.pii.recognise import recognise
from pointsman.pii.thresholds import THRESHOLDS, confident

__all__ = ["MODEL", "THRESHOLDS", "Entity", "Finding", "Label", "confident", "masked", "merge", "recognise"]
