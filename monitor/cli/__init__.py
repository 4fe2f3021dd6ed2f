"""The command line: one module a command group; heavy imports happen when a command runs."""
