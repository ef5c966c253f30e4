"""The wheel that is handed out holds everything the console needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The built wheel, unpacked into a folder of its own."""
    built = tmp_path_factory.mktemp("wheel")
    run = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run(
        [*run, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", built, ROOT], check=True
    )
    (wheel,) = built.glob("coop_console-*.whl")
    target = built / "installed"
    subprocess.run([*run, "install", "--no-deps", "--target", target, wheel], check=True)
    return target


def test_the_wheel_brings_every_resource(installed):
    tracked = subprocess.run(
        ["git", "ls-files", "resources"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    wanted = {Path(line).relative_to("resources") for line in tracked if line}
    there = installed / "console" / "_resources"
    missing = [str(path) for path in wanted if not (there / path).is_file()]
    assert missing == []


def test_the_installed_command_works_away_from_the_source(installed, tmp_path):
    ran = subprocess.run(
        [sys.executable, installed / "bin" / "coop-console", "explain-names", "De Long", "DeLong"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "DeLong" in ran.stdout
