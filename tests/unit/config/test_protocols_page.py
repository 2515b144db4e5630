"""The example of docs/protocols.md does what the page says."""

import re
from pathlib import Path

from pointsman.config import parse
from pointsman.config.implemented import examine
from pointsman.fleet.static import catalog_from
from pointsman.transports.envoy.planning import plan_from

PAGE = Path(__file__).parents[3] / "docs" / "protocols.md"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_example_speaks_each_models_api() -> None:
    """It loads, every key of it works, and path, key and pool are those the page promises."""
    (example,) = _BLOCK.findall(PAGE.read_text())
    settings = parse(f"version: v0.3\n{example}", {"ANTHROPIC_API_KEY": "k"})
    assert not examine(settings)
    targets = catalog_from(settings, {"ANTHROPIC_API_KEY": "k"}).targets
    claude, qwen = targets["claude"], targets["qwen"]
    assert (claude.speaks_messages, claude.headers, claude.base_path) == (True, {"x-api-key": "k"}, "/v1")
    assert (qwen.speaks_messages, qwen.headers) == (False, {})
    pools = {pool.name: pool for pool in plan_from(settings, Path("/run")).pools}
    (host,) = pools["claude"].endpoints
    assert (host.address, host.tls_sni) == ("api.anthropic.com", "api.anthropic.com")
