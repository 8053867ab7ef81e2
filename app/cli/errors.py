"""The exception of commands."""


class CommandFailed(Exception):
    """A command can't go on. Its text is the line for the operator."""
