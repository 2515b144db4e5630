"""Why a signal failed, as one of a few words."""

import pytest

from pointsman.observe.reasons import signal_error_reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("no answer within 3600 ms", "timeout"),
        ("deadline 4000 ms exceeded", "timeout"),
        ("TimeoutError", "timeout"),
        ("EncoderBusy", "overloaded"),
        ("ModelBusy", "overloaded"),
        ("not computed: prompt_guard.enabled is false", "not_computed"),
        ("ModelFailed", "failed"),
    ],
)
def test_errors_of_signals_have_a_class(error: str, reason: str) -> None:
    """What evaluators say when they are late, have too much to do, or fail, is counted as such."""
    assert signal_error_reason(error) == reason
