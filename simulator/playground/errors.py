"""The error that ends the playground."""


class PlaygroundError(Exception):
    """The playground can't go on; str() says why, for the person at the terminal."""
