"""``modelmon completion``: let a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

PROGRAM = "modelmon"
VARIABLE = "_MODELMON_COMPLETE"
"""What the shell sets when it asks the program what may come next: click's own way."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script by which a shell completes commands, options and files.

    bash: modelmon completion bash > /etc/bash_completion.d/modelmon; zsh: into a file _modelmon in a folder of
    $fpath; fish: into ~/.config/fish/completions/modelmon.fish.
    """
    of_shell = get_completion_class(shell)
    assert of_shell is not None  # noqa: S101  # click has these three
    script = of_shell(ctx.find_root().command, {}, PROGRAM, VARIABLE)
    # Not source(): for bash it asks which version is installed here, and the script may be for elsewhere.
    click.echo(script.source_template % script.source_vars())
