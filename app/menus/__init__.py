"""Custom menus: draft, check, difference, publishing, versions, and taps on their buttons."""
