"""Figures as a page shows them. Pure."""

from babel.numbers import format_decimal, format_percent


class Figures:
    """Formats figures for one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def number(self, value: float) -> str:
        """Return a number with separators, `12,345`."""
        return format_decimal(value, locale=self._language)

    def percent(self, share: float) -> str:
        """Return a share of 0 to 1 in per cent, `12.5%`."""
        return format_percent(share, format="#,##0.#%", locale=self._language)

    def change(self, now: float, before: float) -> str | None:
        """Return the change in per cent with its sign; None if there was nothing before."""
        if before == 0:
            return None
        return format_percent(
            (now - before) / before, format="+#,##0.#%;-#,##0.#%", locale=self._language
        )
