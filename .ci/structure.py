"""Checks what import contracts cannot express; `make check` runs it.

- No module imports itself through other modules. Imports for type checkers count, as
  they tie modules together in the same way.
- SQL is only in `tui.eventlog` and `tui.conversation`.
- No folder of `tui` has too many modules, and no file is longer than `LINES`, unless
  its docstring gives the reason: "The file is long because ...".
- No test file is imported: code shared by tests is in tests/support.
- A wheel has all of `tui`: pyproject.toml lists each package.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
LINES = 400
REASON = re.compile(r"\b(file|module)\s+is\s+long\b")
FILES = {"tui/app": 12}
"""Most modules that a folder may have."""
TEST_FILES = {file.stem for file in (ROOT / "tests").rglob("test_*.py")} | {"conftest"}
SQL_HOMES = ("tui/eventlog", "tui/conversation")
SQL = re.compile(
    r"\s*(SELECT .*\bFROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM"
    r"|CREATE (TABLE|INDEX|VIEW|TEMP)|PRAGMA \w+)\b",
    re.DOTALL,
)


def circles(imports: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield each set of modules that import each other, directly or not.

    Tarjan, "Depth-first search and linear graph algorithms", 1972.
    """
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []

    def visit(module: str) -> Iterator[list[str]]:
        number[module] = lowest[module] = len(number)
        path.append(module)
        for other in sorted(imports[module]):
            if other not in number:
                yield from visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in path:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            found = path[path.index(module) :]
            del path[path.index(module) :]
            if len(found) > 1:
                yield sorted(found)

    for module in sorted(imports):
        if module not in number:
            yield from visit(module)


def import_problems() -> Iterator[str]:
    """Yield a line for each circle of imports."""
    graph = grimp.build_graph("tui", cache_dir=None)
    imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    for circle in circles(imports):
        yield f"These modules import each other: {', '.join(circle)}."


def sql_problems(file: Path, tree: ast.Module) -> Iterator[str]:
    """Yield a line for each piece of SQL outside of its folders."""
    if file.as_posix().startswith(SQL_HOMES):
        return
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and SQL.match(text):
            yield f"{file}:{node.lineno}: SQL belongs in {' or '.join(SQL_HOMES)}."


def size_problems(file: Path, source: str, tree: ast.Module) -> Iterator[str]:
    """Yield a line if a file is long without a reason."""
    lines = source.count("\n")
    reasoned = REASON.search(ast.get_docstring(tree) or "")
    if lines > LINES and not reasoned:
        yield f"{file}: {lines} lines, and its docstring does not say why."


def test_problems(file: Path, tree: ast.Module) -> Iterator[str]:
    """Yield a line for each import of a test file or a conftest."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            paths = [node.module or "", *(name.name for name in node.names)]
        elif isinstance(node, ast.Import):
            paths = [name.name for name in node.names]
        else:
            continue
        parts = {part for path in paths for part in path.split(".")}
        for module in sorted(parts & TEST_FILES):
            yield f"{file}:{node.lineno}: share it in tests/support, not {module}."


def package_problems() -> Iterator[str]:
    """Yield a line for each package that pyproject.toml leaves out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    listed = set(project["tool"]["setuptools"]["packages"])
    for file in sorted((ROOT / "tui").rglob("__init__.py")):
        package = ".".join(file.parent.relative_to(ROOT).parts)
        if package not in listed:
            yield f"pyproject.toml: packages lacks {package}."


def problems() -> Iterator[str]:
    """Yield a line for each problem."""
    yield from import_problems()
    yield from package_problems()
    for folder, most in FILES.items():
        count = len(list((ROOT / folder).glob("*.py")))
        if count > most:
            yield f"{folder}: {count} modules; move some to folders ({most} at most)."
    for path in sorted((ROOT / "tui").rglob("*.py")):
        source = path.read_text("utf-8")
        file, tree = path.relative_to(ROOT), ast.parse(source)
        yield from sql_problems(file, tree)
        yield from size_problems(file, source, tree)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        yield from test_problems(path.relative_to(ROOT), tree)


def main() -> int:
    """Print the problems; return the exit code."""
    found = list(problems())
    print(
        "\n".join(found)
        or "No import cycle, misplaced SQL, crowded folder, imported test or package "
        "left out."
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
