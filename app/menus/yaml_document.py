"""Reads and writes a menu as a YAML document, in which it has the members of `document.Menu`."""

from typing import Final

import yaml
from pydantic import ValidationError

from app.api_errors import InvalidRequest, Problem
from app.menus.document import Menu
from app.rules.definition.validation_errors import problems_in
from app.rules.importing.document import as_yaml
from app.rules.importing.limits import BadDocument
from app.rules.importing.safe_yaml import read_yaml

MAX_BYTES: Final = 1024 * 1024


def read(content: bytes) -> Menu:
    """Return the menu of a document. Raises InvalidRequest."""
    if len(content) > MAX_BYTES:
        raise _invalid(f"has {len(content):,} bytes: at most {MAX_BYTES:,} are read")
    try:
        return Menu.model_validate(read_yaml(content))
    except ValidationError as error:
        raise InvalidRequest(
            problems_in(error.errors(include_url=False, include_input=False), "body")
        ) from None
    except BadDocument as error:
        raise _invalid(str(error)) from None
    except yaml.YAMLError as error:
        raise _invalid(f"is not valid YAML: {' '.join(str(error).split())}") from None
    except (ValueError, LookupError, AttributeError, RecursionError) as error:
        raise _invalid(f"can't be read: {error}") from None


def write(menu: Menu) -> bytes:
    """Return the document of a menu."""
    return as_yaml(menu.model_dump(mode="json"))


def _invalid(message: str) -> InvalidRequest:
    return InvalidRequest([Problem(loc=["body"], msg=message, type="document")])
