from pathlib import Path

from pointsman.config import Settings
from pointsman.transports.envoy.plan import Host
from pointsman.transports.envoy.planning import plan_from


def test_health_and_metrics_are_asked_of_the_management_api() -> None:
    """Where it really listens, by an address one can connect to; never unless the document says so."""
    written = {"operations_on_listeners": True}
    asked = Settings.model_validate({"version": "v0.3", "gateway": written})
    assert plan_from(Settings(version="v0.3"), Path("/run")).operations is None
    assert plan_from(asked, Path("/run")).operations == Host(address="127.0.0.1", port=8080)
    elsewhere = plan_from(asked, Path("/run"), api=("0.0.0.0", 9)).operations
    assert elsewhere == Host(address="127.0.0.1", port=9)
