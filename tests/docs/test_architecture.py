"""docs/architecture.md and CONTRIBUTING.md name what there is, and every folder."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tui

TUI = Path(tui.__file__).parent
ROOT = TUI.parent
PAGES = ["docs/architecture.md", "CONTRIBUTING.md"]

EXAMPLES = {"themes/sunset.toml", "tools/bundled/coin.py"}
"""What somebody who follows CONTRIBUTING.md would add."""

TICKED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?:\.?[\w-]+/)*(?:[\w.-]+\.(?:py|toml|tcss|md)|[\w-]+/)")
NAME = re.compile(r"_?[A-Za-z]\w*(?:\.\w+)*(?:\(\))?")


def lines(page: str) -> list[str]:
    """Return the lines of a page that are not blocks of code."""
    text = (ROOT / page).read_text("utf-8")
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.S | re.M).splitlines()


def found(path: str) -> Path | None:
    """Return what a page means by `path`: of the root, of tui, or a test anywhere."""
    if re.fullmatch(r"test_\w+\.py", path):
        return next((ROOT / "tests").rglob(path), None)
    return next((p for p in (ROOT / path, TUI / path) if p.exists()), None)


def paths(line: str) -> Iterator[str]:
    for ticked in TICKED.findall(line):
        if PATH.fullmatch(ticked):
            yield ticked


@cache
def names(file: Path) -> set[str]:
    """Return what a module defines: functions, classes, and `Class.method`."""
    defined: set[str] = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                defined.add(node.name)
            case ast.ClassDef():
                defined.add(node.name)
                defined |= {f"{node.name}.{m}" for m in members(node)}
            case ast.Assign(targets=[ast.Name(id)]) | ast.AnnAssign(ast.Name(id)):
                defined.add(id)
            case _:
                pass
    return defined


def members(found: ast.ClassDef) -> Iterator[str]:
    for node in found.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.AnnAssign(ast.Name(id)):
                yield id
            case _:
                pass


@cache
def all_names() -> set[str]:
    return {name for file in TUI.rglob("*.py") for name in names(file)}


@pytest.mark.parametrize("page", PAGES)
def test_each_path_that_a_page_names_is_there(page: str) -> None:
    named = [path for line in lines(page) for path in paths(line)]

    assert len(named) > 10
    assert {path for path in named if not found(path)} <= EXAMPLES


def test_each_link_between_the_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)\)", page.read_text("utf-8"))
        if ":" not in link
    ]

    assert len(links) > 10
    assert [(p.name, link) for p, link in links if not (p.parent / link).exists()] == []


def test_each_name_in_a_row_with_a_file_is_defined_in_that_file() -> None:
    """A row of a walk: thread, file, names."""
    checked, missing = 0, []
    for line in lines("docs/architecture.md"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 3 or not re.fullmatch(r"`[\w/]+\.py`", cells[1]):
            continue
        file = found(cells[1].strip("`"))
        assert file, line
        for name in TICKED.findall(cells[2]):
            if NAME.fullmatch(name) and ("." in name or name.islower()):
                checked += 1
                missing += [(cells[1], name)] if name not in names(file) else []
    assert missing == []
    assert checked > 50


def test_each_class_and_method_that_the_page_names_is_defined_somewhere() -> None:
    ticked = {t for line in lines("docs/architecture.md") for t in TICKED.findall(line)}
    classes = {t for t in ticked if re.fullmatch(r"[A-Z]\w*[a-z]\w*(\.\w+)?", t)}

    assert {name for name in classes if not PATH.fullmatch(name)} - all_names() == {
        "Submitted"  # `Composer.Submitted`
    }


def test_each_folder_of_the_package_is_in_the_tree() -> None:
    named = {path for line in lines("docs/architecture.md") for path in paths(line)}
    folders = {p.parent.relative_to(TUI) for p in TUI.rglob("__init__.py")}
    shown = {f"{folder}/" for folder in folders - {Path()}}

    assert len(shown) > 20
    assert {
        folder for folder in shown if {folder, f"tui/{folder}"}.isdisjoint(named)
    } == set()
