"""The forms for a further code and for a list of codes, and what a person can do wrong there."""

from typing import Final
from uuid import uuid4

from pydantic import BaseModel, Field, ValidationError

from app.console.messages import N_
from app.qrcodes.list_csv import MAX_BYTES, BadList, read_list
from app.qrcodes.list_store import NewList
from app.qrcodes.scene import BadScene, check_scene
from app.qrcodes.schemas import QrCodeIn

MAX_TYPED: Final = 2000
SCENE: Final = N_("1 to 64 letters, digits, _ and -, or nothing.")
PREFIX: Final = N_("At most 52 letters, digits, _ and -, or nothing.")
ACCOUNT: Final = N_("Set the AppSecret of the Official Account first.")
SCENE_TAKEN: Final = N_("The account has a code of this scene: choose another one.")
TOO_MANY: Final = N_("The account has as many codes of this kind as it may have.")
# Words of the API's own checks are English alone, so each field has one sentence of its own here.
PROBLEMS: Final = {
    "name": N_("A name has 1 to 100 characters."),
    "appid": ACCOUNT,
    "kind": N_("Choose one of the kinds."),
    "scene": SCENE,
}


LIST_FIELDS: Final = {"appid": "list_appid", "kind": "list_kind", "scene": "scene_prefix"}
LIST_PROBLEMS: Final = {**PROBLEMS, "scene": PREFIX}
# Characters that are drawn behind a prefix.
DRAWN: Final = 12


class Wrong(ValueError):
    """What was typed can't be used. problems: a sentence by the name of the field."""

    def __init__(self, problems: dict[str, str], detail: str = "") -> None:
        super().__init__(problems)
        self.problems = problems
        self.detail = detail


class CodeForm(BaseModel):
    """A new code as typed."""

    name: str = Field(default="", max_length=MAX_TYPED)
    appid: str = Field(default="", max_length=MAX_TYPED)
    kind: str = Field(default="temporary", max_length=MAX_TYPED)
    scene: str = Field(default="", max_length=MAX_TYPED)

    def as_code(self) -> QrCodeIn:
        """Return the code. Raises Wrong."""
        try:
            return QrCodeIn.model_validate(
                {
                    "name": self.name.strip(),
                    "appid": self.appid,
                    "kind": self.kind,
                    "scene": self.scene.strip() or None,
                }
            )
        except ValidationError as error:
            wrong = {str(problem["loc"][0]) for problem in error.errors(include_input=False)}
            raise Wrong({name: PROBLEMS[name] for name in wrong}) from None


class ListForm(BaseModel):
    """A list of codes as typed. key: of the page, so that a repeated click makes one list."""

    names: str = Field(default="", max_length=MAX_BYTES)
    list_appid: str = Field(default="", max_length=MAX_TYPED)
    list_kind: str = Field(default="temporary", max_length=MAX_TYPED)
    scene_prefix: str = Field(default="", max_length=MAX_TYPED)
    key: str = Field(default_factory=lambda: str(uuid4()), pattern=r"^[0-9a-f-]{36}$")

    def as_list(self) -> NewList:
        """Return the list. Raises Wrong, whose detail names the line."""
        prefix = self.scene_prefix.strip()
        typed = {"name": "x", "appid": self.list_appid, "kind": self.list_kind}
        try:
            common = QrCodeIn.model_validate({**typed, "scene": prefix + "1" * DRAWN})
            check_scene(prefix)
        except ValidationError as error:
            wrong = {str(problem["loc"][0]) for problem in error.errors(include_input=False)}
            raise Wrong({LIST_FIELDS[name]: LIST_PROBLEMS[name] for name in wrong}) from None
        except BadScene:
            raise Wrong({"scene_prefix": PREFIX}) from None
        try:
            codes = read_list(self.names.encode("utf-8", "replace"))
        except BadList as error:
            raise Wrong(
                {"names": N_("Write a name, and perhaps a comma and a scene, on each line.")},
                str(error),
            ) from None
        return NewList(common.appid or "", common.kind, codes, prefix, self.key)
