"""The base class of the JSON models of `/api`."""

from pydantic import BaseModel, ConfigDict


class ApiModel(BaseModel):
    """A JSON model; the docstring below a field is its description in the OpenAPI document."""

    model_config = ConfigDict(use_attribute_docstrings=True)
