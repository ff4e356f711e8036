"""The vectors are of the shape that their schema says, and the schema lets nothing else pass."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parent
SCHEMA: dict[str, Any] = json.loads((FOLDER / "schema" / "vectors.json").read_text())
FILES = sorted(file.stem for file in FOLDER.glob("*.json"))


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMA | {"$ref": f"#/$defs/{name}"})


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_of_its_shape(name: str) -> None:
    document = json.loads((FOLDER / f"{name}.json").read_text())
    assert [error.message for error in validator(name).iter_errors(document)] == []


@pytest.mark.parametrize("name", FILES)
def test_what_is_of_another_shape_is_found(name: str) -> None:
    """A name too many, and each one too few, on the top and in the first entry of every list there."""
    document = json.loads((FOLDER / f"{name}.json").read_text())
    document = {
        key: value[:1] if isinstance(value, list) and len(value) > 50 else value for key, value in document.items()
    }
    check = validator(name)
    for path in [()] + [(key, 0) for key, value in document.items() if isinstance(value, list) and value]:
        for lost in [None, *find(document, path)]:
            wrong = copy.deepcopy(document)
            place = find(wrong, path)
            if not isinstance(place, dict):
                continue
            if lost is None:
                place["unheard of"] = 1
            else:
                del place[lost]
            assert not check.is_valid(wrong), (path, lost)


def find(document: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        document = document[part]
    return document
