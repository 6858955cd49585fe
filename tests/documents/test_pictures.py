"""The pictures of the documentation: the files are those that the script draws from the code."""

from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest
from support.scripts import load_script

_SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "pictures.py"
_NAMES = ("blob.svg", "layers.svg", "way.svg")
_SVG = "{http://www.w3.org/2000/svg}"

pytestmark = pytest.mark.skipif(not _SCRIPT.is_file(), reason="the documentation is not there")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Return the script; the folder `docs` is not a package."""
    return load_script(_SCRIPT)


def test_the_folder_holds_the_pictures_of_the_script(script: ModuleType) -> None:
    """No picture is missing, and none is left from an earlier script."""
    assert sorted(script.pictures()) == sorted(_NAMES)
    assert sorted(path.name for path in script.FOLDER.iterdir()) == sorted(_NAMES)


@pytest.mark.parametrize("name", _NAMES)
def test_a_picture_is_up_to_date(script: ModuleType, name: str) -> None:
    """The file has the bytes that the script draws from the installed package."""
    made = script.pictures()[name].encode("utf-8")
    assert (script.FOLDER / name).read_bytes() == made, "run: python docs/pictures.py"


def test_the_script_writes_the_files(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run makes the folder and all files, with the same bytes as those in the checkout."""
    folder = script.FOLDER
    monkeypatch.setattr(script, "FOLDER", tmp_path / "pictures")
    assert script.main() == 0
    written = {path.name: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
    assert written == {name: (folder / name).read_bytes() for name in _NAMES}


@pytest.mark.parametrize("name", _NAMES)
def test_a_picture_is_well_formed_and_has_a_title_and_a_description(name: str) -> None:
    """A screen reader finds one image with both texts, and all names in it are unique."""
    root = ET.fromstring((_SCRIPT.with_suffix("") / name).read_text("utf-8"))  # noqa: S314 (our own file)
    assert root.tag == f"{_SVG}svg"
    assert root.get("role") == "img"
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    title, description = root.findall(f"{_SVG}title") + root.findall(f"{_SVG}desc")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert all(element.text and element.text.strip() for element in (title, description))


@pytest.mark.parametrize("name", _NAMES)
def test_a_picture_is_legible_in_light_and_dark(name: str) -> None:
    """The text has the colour of the scheme, there is no background, and no font is named."""
    text = (_SCRIPT.with_suffix("") / name).read_text("utf-8")
    assert "text { fill: currentColor }" in text
    assert "@media (prefers-color-scheme: dark)" in text
    assert set(_values(text, "font-family: ")) == {"monospace"}
    root = ET.fromstring(text)  # noqa: S314 (our own file)
    width = root.get("width")
    assert all(box.get("width") != width for box in root.iter(f"{_SVG}rect"))


def _values(text: str, start: str) -> list[str]:
    """Return what follows each `start` in a style, to the end of the declaration."""
    return [part.split(" }")[0].split(";")[0] for part in text.split(start)[1:]]


@pytest.mark.parametrize("name", _NAMES)
def test_every_box_and_text_is_within_the_picture(name: str) -> None:
    """Nothing is clipped at an edge: boxes by their size, texts by their first character."""
    root = ET.parse(_SCRIPT.with_suffix("") / name).getroot()  # noqa: S314 (our own file)
    width, height = (int(root.attrib[size]) for size in ("width", "height"))
    for box in root.iter(f"{_SVG}rect"):
        x, y, across, down = (int(box.attrib[side]) for side in ("x", "y", "width", "height"))
        assert 0 <= x <= x + across <= width
        assert 0 <= y <= y + down <= height
    for text in root.iter(f"{_SVG}text"):
        assert 0 <= int(text.attrib["x"]) < width
        assert 0 < int(text.attrib["y"]) < height


def test_a_step_without_a_caption_is_reported(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new step in the code cannot be left out of the picture."""
    captions = dict(script._SOURCE_STEPS)
    del captions["source.check_size"]
    monkeypatch.setattr(script, "_SOURCE_STEPS", captions)
    with pytest.raises(LookupError, match=r"source\.check_size has no caption"):
        script.draw_way()


def test_the_layers_are_those_of_the_imports(script: ModuleType) -> None:
    """An import that a longer way leads to as well is left out, and no other."""
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"c"}}
    assert script._without_detours(graph) == {"a": {"b"}, "b": {"c"}, "c": set(), "d": {"c"}}
    layers = script.read_layers()
    assert layers["envelope"] == {"algorithms", "context", "errors", "keys"}
    assert layers["errors"] == set()
