"""The tour is the whole program in one go: it must walk through and show what it says."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tour_walks_through_every_job_and_keeps_its_pictures(tmp_path):
    ran = subprocess.run(
        [sys.executable, "main.py", "tour", "--out", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    told = json.loads((tmp_path / "tour.json").read_text(encoding="utf-8"))
    assert told["failed"] == ""
    assert ran.returncode == 0, ran.stderr
    assert "has been deleted" not in ran.stderr, "work outlived its console and said so"
    assert len(told["steps"]) >= 25
    for step in told["steps"]:
        assert step["seen"]
        assert (tmp_path / step["picture"]).read_bytes().startswith(b"\x89PNG")


def test_a_console_without_a_display_offers_the_tour(tmp_path, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COOP_CONSOLE_DATA", str(tmp_path))
    ran = subprocess.run(
        [sys.executable, "main.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if sys.platform.startswith("linux"):
        assert ran.returncode == 1
        assert "main.py tour" in ran.stderr
