"""The root of the command line: options for all, commands by name, errors to exit codes."""

import sys
from collections.abc import Sequence
from enum import IntEnum
from importlib import import_module
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from monitor.domain.errors import (
    BaselineError,
    ConfigError,
    ModelmonError,
    RefusedError,
    RegistryError,
    ReportError,
    SourceError,
    StoreError,
    WitnessError,
    WorkerCrashedError,
    WorkerMemoryError,
)

COMMANDS = {
    "alerts": ("monitor.cli.alerts:alerts", "Show what somebody is called for, and since when."),
    "approve": (
        "monitor.cli.requests:approve",
        "Say yes to a request: a version, a release, a waiver.",
    ),
    "audit": ("monitor.cli.audit:audit", "Sign, verify, replay, export and recover the audit log."),
    "authority": (
        "monitor.cli.authority:authority",
        "Show which version was allowed to act at a time, and who approved it.",
    ),
    "baseline": ("monitor.cli.baseline:baseline", "Register, list and show baselines."),
    "cases": ("monitor.cli.cases:cases", "Show and close what somebody must answer for."),
    "completion": (
        "monitor.cli.completion:completion",
        "Let bash, zsh or fish complete commands and options.",
    ),
    "config": ("monitor.cli.config:config", "Check, show and describe configuration files."),
    "convert": (
        "monitor.cli.convert:convert",
        "Convert JSON request and response logs to parquet.",
    ),
    "dashboards": (
        "monitor.cli.dashboards:dashboards",
        "List the Grafana dashboards, or write them and the rules.",
    ),
    "db": ("monitor.cli.db:db", "Create, upgrade, check, back up and restore the database."),
    "demo": ("monitor.cli.demo:demo", "Run the main job on the real logs of the repository."),
    "doctor": ("monitor.cli.doctor:doctor", "Look at everything that the daemon needs."),
    "explain": ("monitor.cli.explain:explain", "Show what a stored result rests on."),
    "export": ("monitor.cli.export:export", "Write stored results for other programs."),
    "gate": ("monitor.cli.gate:gate", "Ask whether a version may act, and keep to the answer."),
    "healthcheck": ("monitor.cli.healthcheck:healthcheck", "Ask a running daemon how it is."),
    "hold": ("monitor.cli.standing:hold", "Take a version's authority away until it is released."),
    "init": ("monitor.cli.init:init", "Write a model's first configuration from a parquet log."),
    "metrics": ("monitor.cli.metrics:metrics", "Tell which metrics there are."),
    "mute": ("monitor.cli.alerts:mute", "Call nobody for a finding until a time."),
    "plan": (
        "monitor.cli.plan:plan",
        "Tell what an edited policy would change, before it is live.",
    ),
    "policy": (
        "monitor.cli.policy:policy",
        "Show which policies are in force, and propose looser ones.",
    ),
    "quarantine": (
        "monitor.cli.quarantine:quarantine",
        "List files that could not be used, try them again, drop them.",
    ),
    "recheck": ("monitor.cli.recheck:recheck", "Compute stored results again; report differences."),
    "registry": (
        "monitor.cli.registry:registry",
        "Look at models in MLflow, and tell it what waits.",
    ),
    "reject": ("monitor.cli.requests:reject", "Say no to a request."),
    "release": ("monitor.cli.standing:release", "Ask that a version gets its authority back."),
    "report": ("monitor.cli.report:report", "Write the report that is signed, and verify it."),
    "requests": ("monitor.cli.requests:requests", "Show what was asked for, and who said what."),
    "retire": ("monitor.cli.standing:retire", "Take a version's authority away for good."),
    "rules": ("monitor.cli.rules:rules", "Print recording and alerting rules for Prometheus."),
    "run": ("monitor.cli.run:run", "Run the windows that are due, or a period, once."),
    "serve": ("monitor.cli.serve:serve", "Run the daemon."),
    "standing": ("monitor.cli.standing:standing", "Show what each version may do."),
    "stop": (
        "monitor.cli.standing:stop",
        "Take a version's authority away until it is approved anew.",
    ),
    "submit": ("monitor.cli.requests:submit", "Ask that a version may act."),
    "token": ("monitor.cli.token:token", "Create, list and revoke tokens for HTTP."),
    "unmute": ("monitor.cli.alerts:unmute", "End the mute of a finding before its time."),
    "waive": ("monitor.cli.waivers:waive", "Ask that a limit have no consequence for a while."),
    "waivers": ("monitor.cli.waivers:waivers", "Show waivers, and end one before its time."),
    "withdraw": ("monitor.cli.requests:withdraw", "Take back what you have asked for."),
}
"""Command to where it is defined and its line in the help: nothing is imported to print help."""


class ExitCode(IntEnum):
    """What the process says when it ends."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    CONFIGURATION = 3
    SOURCE = 4
    STORE = 5


_CODES: dict[type[ModelmonError], ExitCode] = {
    ConfigError: ExitCode.CONFIGURATION,
    BaselineError: ExitCode.CONFIGURATION,
    SourceError: ExitCode.SOURCE,
    RegistryError: ExitCode.SOURCE,
    WitnessError: ExitCode.SOURCE,
    WorkerCrashedError: ExitCode.SOURCE,
    WorkerMemoryError: ExitCode.SOURCE,
    StoreError: ExitCode.STORE,
    ReportError: ExitCode.USAGE,
    RefusedError: ExitCode.USAGE,
}


class LazyGroup(click.Group):
    """A group that imports a command only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101  # the table above is ours
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return what may come next, commands from the table: a key is pressed, and nothing to wait for."""
        named = [
            CompletionItem(name, help=about)
            for name, (_, about) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"modelmon {version('modelmon')}")
        ctx.exit()


@click.command(cls=LazyGroup, name="modelmon")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("config/modelmon.yaml"),
    show_default=True,
    envvar="MODELMON_CONFIG",
    help="The daemon's settings; the models are in the folder that they name.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def root(ctx: click.Context, config_file: Path) -> None:
    """Watch deployed models for drift and disparity.

    Exit codes: 0 ok, 1 findings (with --fail-on), differences (recheck) or a failure (doctor), 2 usage,
    3 configuration or baseline, 4 source, 5 store.
    """
    ctx.obj = config_file


def _code_of(error: ModelmonError) -> ExitCode:
    known = (_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
    return next(known, ExitCode.FINDINGS)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; errors are told on standard error."""
    try:
        code = root.main(list(arguments), prog_name="modelmon", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        print("modelmon: aborted", file=sys.stderr)
        return ExitCode.USAGE
    except ModelmonError as error:
        # Whatever most commands write is not loaded for those that write nothing but help.
        from monitor.cli.output import say

        say(f"modelmon: {error}")
        return _code_of(error)
    return code if isinstance(code, int) else ExitCode.OK
