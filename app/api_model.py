"""The base class of the JSON models of `/api`."""

import ast
import inspect
import sys
from functools import cache
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic_core import CoreSchema


class ApiModel(BaseModel):
    """A JSON model; the docstring below a field is its description in the OpenAPI document.

    pydantic can read such docstrings itself, while it makes a class: that is a sixth of the time in
    which the service starts. Here they are read when the document is asked for.
    """

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the JSON schema with the descriptions."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        _describe(cls)
        for name, field in cls.model_fields.items():
            for shown in {name, field.validation_alias, field.serialization_alias}:
                if field.description is not None and shown in properties:
                    properties[shown]["description"] = field.description
        return schema


def describe_fields() -> None:
    """Give all fields their descriptions: FastAPI reads those of query parameters from them."""
    left: list[type[ApiModel]] = [ApiModel]
    while left:
        model = left.pop()
        left += model.__subclasses__()
        _describe(model)


def _describe(model: type[ApiModel]) -> None:
    for name, field in model.model_fields.items():
        if field.description is None:
            field.description = _docstring(model, name)


def _docstring(model: type[ApiModel], name: str) -> str | None:
    """Return the docstring below a field, where it was defined last."""
    for base in model.__mro__:
        if name in inspect.get_annotations(base) and issubclass(base, ApiModel):
            return _docstrings(base.__module__).get((base.__name__, name))
    return None


@cache
def _docstrings(module: str) -> dict[tuple[str, str], str]:
    """Return the docstrings below the fields of a module's classes, by class and field."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except OSError:  # without its source
        return {}
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for statement, below in zip(node.body, node.body[1:], strict=False):
            match statement, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=field)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[node.name, field] = inspect.cleandoc(text)
    return found
