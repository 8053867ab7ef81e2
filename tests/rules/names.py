"""Names of tests whose values are texts that a terminal does not show."""


def code_points(value: object) -> str:
    """Return a value in ASCII without a backslash, with code points in their place: `U+200B`.

    pytest escapes a backslash each time the same process collects, and `make mutants` collects more
    than once: it would find no test under the name that it has for it.
    """
    text = str(value).replace("\\", "/")
    return "".join(
        one if one.isascii() and one.isprintable() else f"U+{ord(one):04X}" for one in text
    )
