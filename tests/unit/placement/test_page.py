"""The page's section on placement: its examples load, and each runs the policy it names."""

import re
from pathlib import Path

import pytest

from pointsman.config import examine, parse
from pointsman.config.placed import placed
from pointsman.config.placement import NATIVE
from pointsman.fleet.roster import Roster
from pointsman.placement.build import build_placer
from pointsman.placement.memory import Memory
from pointsman.placement.table import FACTORIES
from pointsman.transports.envoy.planning import pools_from

PAGE = (Path(__file__).parents[3] / "docs" / "fleet.md").read_text()
SECTION = PAGE.partition("## Which replica serves a request\n")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"```yaml\n(version: v0.3\n.*?)```", SECTION, re.DOTALL)
MODEL = "{ name: small, backend_refs: [{ endpoint: '10.0.0.7:8000' }, { endpoint: '10.0.0.8:8000' }] }"


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_runs_the_policy_it_names(text: str) -> None:
    """Each document is valid, asks for nothing in vain, and has its endpoints chosen here."""
    settings = parse(text, {})
    assert not examine(settings)
    placer = build_placer(settings, Roster(), Memory())
    assert placer is not None
    assert placer.policy.name == settings.fleet.policy
    assert all(pool.placed for pool in pools_from(settings))


def test_the_table_names_every_policy() -> None:
    """No policy is missing from the page."""
    rows = "".join(line for line in SECTION.splitlines() if line.startswith("|"))
    assert all(f"`{name}`" in rows for name in (*FACTORIES, *NATIVE))


@pytest.mark.parametrize(
    ("model", "policy", "here"),
    [
        (MODEL, "prefixaware", True),
        (MODEL, "roundrobin", False),
        (MODEL.replace("' }]", "', weight: 3 }]"), "prefixaware", False),
        (MODEL.replace("]", "], reliability: { lb_policy: round_robin }"), "session", False),
        (MODEL.replace("10.0.0.7", "engine.example"), "prefixaware", False),
    ],
)
def test_where_envoy_balances_alone(model: str, policy: str, here: bool) -> None:  # a case's outcome
    """Native policies, unequal weights, a model's own policy and host names are the data plane's to balance."""
    settings = parse(f"version: v0.3\nproviders: {{ models: [{model}] }}\nfleet: {{ policy: {policy} }}", {})
    [found] = settings.providers.models
    assert placed(settings, found) is here
    assert [pool.placed for pool in pools_from(settings)] == [here]
    assert (build_placer(settings, Roster(), Memory()) is not None) is here
