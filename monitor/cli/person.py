"""Who decides what a command stores."""

import getpass

import click

by_option = click.option(
    "--by", default=getpass.getuser, show_default="the user", help="Who decides it."
)
