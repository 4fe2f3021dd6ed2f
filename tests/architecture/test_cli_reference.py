"""docs/reference/cli.md is what the commands say of themselves; `make golden` rewrites it."""

import inspect

import click

from monitor.cli.main import ExitCode, root

HEAD = """# Command line

Written by `make golden` from the commands themselves.

Data go to standard output, messages to standard error; `--output json` gives machines the same data.
Progress is shown on a terminal and not in a pipe.

| exit code | meaning |
|---|---|
{codes}
"""

MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FINDINGS: "a finding is as grave as `--fail-on` says, a health check failed, or "
    "`recheck` found a difference",
    ExitCode.USAGE: "wrong usage",
    ExitCode.CONFIGURATION: "wrong configuration, or a baseline is missing or cannot be registered",
    ExitCode.SOURCE: "the log or the labels cannot be reached",
    ExitCode.STORE: "the database cannot be used, or does not hold what was written",
}


def commands(group, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def entry(path, command):
    context = click.Context(command, info_name=" ".join(("modelmon", *path)))
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {' '.join(path)}", "", f"`{usage}`", "", inspect.cleandoc(command.help), ""]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        for option in options:
            _, told = option.get_help_record(context)
            lines.append(f"| `{', '.join(option.opts)}` | {told} |")
        lines.append("")
    return "\n".join(lines)


def reference():
    codes = "\n".join(f"| {code.value} | {MEANINGS[code]} |" for code in ExitCode)
    body = "\n".join(entry(path, command) for path, command in commands(root))
    return HEAD.format(codes=codes) + "\n" + body.rstrip() + "\n"


def test_the_reference_is_what_the_commands_say(golden):
    golden("../../docs/reference/cli.md", reference())


def test_every_option_says_what_it_is_for():
    for path, command in commands(root):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{' '.join(path)} {parameter.opts}"
