"""``pointsman``: the command group. Commands load when they are called, so that ``--help`` is instant."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import click

from pointsman import __version__
from pointsman.core.errors import ConfigError, StartError

_COMMANDS = {
    "serve": ("pointsman.cli.serve", "Run Envoy and the router together"),
    "router": ("pointsman.cli.router", "Run it with the flags of the production stack's router"),
    "ext-proc": ("pointsman.cli.ext_proc", "Run the router alone, for somebody else's Envoy"),
    "envoy": ("pointsman.cli.envoy", "Print the Envoy configuration of a document"),
    "demo": ("pointsman.cli.demo", "Two simulated engines, Envoy, the router, one request"),
    "explain": ("pointsman.cli.explain", "Show what would be decided about a text, and why"),
    "classify": ("pointsman.cli.classify", "Show what a text is: domain, jailbreak, personal data"),
    "eval": ("pointsman.cli.eval", "Say how often requests are decided as expected"),
    "check": ("pointsman.cli.check", "Say what is wrong with a document"),
    "migrate": ("pointsman.cli.migrate", "Rewrite a document from before v0.3"),
    "select-train": ("pointsman.cli.select_train", "Learn from outcomes which model does well on what"),
    "schema": ("pointsman.cli.schema", "Print the document's JSON Schema"),
    "sim": ("pointsman.cli.sim", "Run a simulated vLLM engine"),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pointsman")
def pointsman() -> None:
    """Set the points for every LLM request: which model answers it, which replica serves it.

    \b
    Start here:
      pointsman demo
      pointsman explain "What is the derivative of x^3?"
      pointsman check my-config.yaml
      pointsman serve -c my-config.yaml
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line."""
    return shown_errors(lambda: pointsman.main(args=arguments, standalone_mode=False))


def shown_errors(command: Callable[[], Any]) -> Any:
    """What a command returns; errors an operator can mend are printed without a traceback."""
    try:
        return command()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (ConfigError, StartError) as error:
        click.echo(f"pointsman: {error}", err=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
