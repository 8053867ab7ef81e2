"""What ends the playground early."""


class PlaygroundError(Exception):
    """It can't go on; the text tells the person at the terminal why."""
