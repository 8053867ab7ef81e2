"""Uploaded pictures are kept in the media folder as long as there is room."""

from pathlib import Path

import pytest
from app.rules.editing.image_integrity import BadPicture

from app.rules.editing import picture_store
from app.rules.editing.picture_store import keep_picture
from tests.rules.makers import JPEG, PNG


def test_a_full_folder_takes_no_further_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_store, "MAX_FILES", 1)
    kept = keep_picture(tmp_path, "a.png", PNG)
    with pytest.raises(BadPicture, match="remove some"):
        keep_picture(tmp_path, "b.jpg", JPEG)

    assert keep_picture(tmp_path, "a.png", PNG) == kept
    assert [file.name for file in tmp_path.iterdir()] == [kept]
