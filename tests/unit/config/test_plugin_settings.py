"""Settings of plugins that contradict themselves keep the document from running, with a way out."""

import pytest
import yaml

from pointsman.config import parse
from pointsman.core.errors import ConfigError


@pytest.mark.parametrize(
    ("plugin", "key"),
    [
        ("{type: request_params, configuration: {blocked_params: [seed, model]}}", "blocked_params[1]"),
        ("{type: tools, configuration: {block_tools: [a]}}", "block_tools"),
        ("{type: tools, configuration: {mode: none, allow_tools: [a]}}", "allow_tools"),
        ("{type: tools, configuration: {strip_tool_history: true}}", "strip_tool_history"),
        ("{type: context_compression, configuration: {mode: hard}}", "mode"),
        (
            "{type: context_compression, configuration: {budget: {trigger_tokens: many}}}",
            "budget.trigger_tokens",
        ),
        ("{type: context_compression, configuration: {budget: {target_tokens: 0}}}", "budget.target_tokens"),
        (
            "{type: context_compression, configuration: {request_controls: {allowed: [bypass, all]}}}",
            "request_controls.allowed[1]",
        ),
    ],
)
def test_each_contradiction_names_its_key(plugin: str, key: str) -> None:
    """The problem is at the key that cannot be meant, and says what could be."""
    document = {
        "version": "v0.3",
        "routing": {"decisions": [{"name": "d", "plugins": [yaml.safe_load(plugin)]}]},
    }
    with pytest.raises(ConfigError) as raised:
        parse(yaml.safe_dump(document), {})
    found = {problem.path: problem.remedy for problem in raised.value.problems}
    assert found[f"routing.decisions[0].plugins[0].configuration.{key}"]


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ("[{name: a}]", "rules[0]"),
        ("[{name: a, requests_per_unit: 1}, {name: a, tokens_per_unit: 1}]", "rules[1].name"),
    ],
)
def test_rate_limits_limit_something_under_their_own_name(rules: str, key: str) -> None:
    """Two rules of one name would share their counts; a rule without numbers would do nothing."""
    provider = f"{{type: local-limiter, rules: {rules}}}"
    with pytest.raises(ConfigError) as raised:
        parse(f"version: v0.3\nglobal: {{services: {{ratelimit: {{providers: [{provider}]}}}}}}", {})
    paths = [problem.path for problem in raised.value.problems]
    assert paths == [f"global.services.ratelimit.providers[0].{key}"]
