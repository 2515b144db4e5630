"""The clients' header."""

import pytest

from pointsman.cache.controls import DIRECTIVES, Controls, controls_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", Controls()),
        ("no-cache", Controls(read=False)),
        ("No-Store", Controls(write=False)),
        ("bypass", Controls(read=False, write=False)),
        ("max-age=60, ttl=5", Controls(max_age_s=60.0, ttl_s=5.0)),
        ('max-age="60"', Controls(max_age_s=60.0)),
        ("max-age", Controls(max_age_s=0.0)),
        ("max-age=-1", Controls(max_age_s=0.0)),
        ("ttl=1e9", Controls(ttl_s=0.0)),
        ("something, else=1", Controls()),
    ],
)
def test_each_directive_means_one_thing(value: str, expected: Controls) -> None:
    """Case and spaces do not matter; a number nobody can read is the most careful one."""
    assert controls_of(value, DIRECTIVES) == expected


def test_what_is_not_allowed_means_nothing() -> None:
    """A directive outside the document's list is as if it were not there."""
    assert controls_of("bypass, max-age=1", ("max-age",)) == Controls(max_age_s=1.0)
