"""The rules of the house, checked like any other behaviour."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "console"
MODULES = sorted(path for path in CONSOLE.rglob("*.py") if "migrations" not in path.parts)
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "manager", "controller"}


def test_imports_point_down():
    assert lint_imports(no_cache=True) == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_every_module_says_what_it_is_for(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    first = (ast.get_docstring(tree) or "").split("\n")[0]
    assert first.endswith((".", "?", "!")), "begin with one sentence saying what it is for"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_no_module_is_named_after_nothing(module):
    assert module.stem not in FORBIDDEN_NAMES, "a name that says nothing gathers everything"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_every_public_docstring_opens_with_one_sentence(module):
    """The first line stands alone in help and in the map, so it must be a whole sentence."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            text = ast.get_docstring(node)
            if text and not node.name.startswith("_"):
                assert text.split("\n")[0].endswith((".", "?", "!", ":")), node.name


def test_looks_are_set_in_one_place_only():
    """Style sheets and message boxes scattered about are how a program comes to look so."""
    strays = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if re.search(r"\.setStyleSheet\(|QMessageBox", path.read_text(encoding="utf-8"))
        and path.stem != "theme"
    ]
    assert strays == []


def test_the_top_level_is_what_it_was_agreed_to_be():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode != 0:
        pytest.skip("not run: this copy of the project is not a git checkout")
    tops = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    assert tops <= {
        "console", "resources", "tests", "docs", ".ci", ".gitignore", "main.py",
        "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
    }  # fmt: skip


def test_no_file_names_a_machine():
    """Paths and hosts of somebody's machine have no place in what others install."""
    machine = re.compile(r"/(?:work|root|home/[a-z]+)/|file:///opt")
    read = {".py", ".md", ".yaml", ".toml", ".txt", ".html", ".css", ".qss", ""}
    kept = [ROOT / name for name in ("README.md", "Makefile", "CHANGELOG.md", "CONTRIBUTING.md")]
    kept += [
        path for room in ("console", "docs", "resources") for path in ROOT.glob(f"{room}/**/*")
    ]
    strays = [
        str(path.relative_to(ROOT))
        for path in kept
        if path.is_file() and path.suffix in read
        if machine.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert strays == []


def test_a_look_up_does_not_wait_for_qt():
    """The command line must not import the window for a question in a shell."""
    script = (
        "import sys; from console.cli import main\n"
        "status = main(['explain-names', '--json', 'De Long', 'DeLong'])\n"
        "loaded = {'PySide6', 'sqlalchemy', 'flask', 'reportlab'} & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded else status)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
