"""From a key press in the search box to painted hits, in the real window."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
from PySide6.QtCore import QEvent, QEventLoop, QObject
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from console.app import NOBODY
from console.background import Background
from console.clients.portal import Portal
from console.models.base import Records
from console.services.desk import Desk
from console.settings import Settings
from console.views.theme import Theme
from console.views.window import Window
from tests.bench.look_up import coop, print_times
from tests.bench.searches import draw

PATIENCE_SECONDS = 5.0


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    parser = argparse.ArgumentParser(prog="python -m tests.bench.keys")
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=150)
    parser.add_argument("--seed", type=int, default=27_182)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--data", type=Path, default=Path("bench-data"))
    asked = parser.parse_args(argv)
    engines = ["sqlite", "postgresql"] if asked.engine == "both" else [asked.engine]
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    look = Theme()
    look.apply(app)
    for engine in engines:
        with coop(engine, asked.data, asked.members) as records:
            _measure(engine, records, look, asked)
    return 0


class _Eye(QObject):
    """Sees when the list of hits was painted last."""

    def __init__(self) -> None:
        super().__init__()
        self.painted = 0.0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.painted = time.perf_counter()
        return False


def _measure(engine: str, records: Records, look: Theme, asked: argparse.Namespace) -> None:
    searches = draw(records, asked.searches, asked.seed)
    portal = Portal("http://127.0.0.1:9", "", "bench")
    desk = Desk(records, portal, replace(NOBODY, login="bench", name="Bench"), Settings())
    background = Background(desk)
    window = Window(background, desk.settings, look)
    window.show()
    box, eye = window.search, _Eye()
    for part in (box.popup.list.viewport(), box.popup):
        part.installEventFilter(eye)
    turns: list[float] = []
    painted: list[float] = []
    _type(window, "smith", eye, turns)  # the first hits of the day warm fonts and caches
    box.field.clear()
    gc.collect()
    gc.disable()  # as under the Sweeper, which collects between keystrokes
    turns.clear()
    for one in searches:
        text = "".join(letter for letter in one.text if 32 <= ord(letter) < 127)
        painted += _type(window, text, eye, turns)
        box.field.clear()
    gc.enable()
    print_times(f"{engine}: key press to painted hits", painted)
    print_times(f"{engine}: the window was busy with one turn of its loop", turns, "turns")
    long = [turn for turn in turns if turn > 16]
    print(f"{engine}: turns longer than 16 ms: {len(long)}")
    memory = psutil.Process().memory_info().rss / 1e6
    print(f"{engine}: the window and its process hold {memory:.0f} MB")
    window.close()
    window.deleteLater()
    background.close()
    portal.close()


def _type(window: Window, text: str, eye: _Eye, turns: list[float]) -> list[float]:
    box = window.search
    took = []
    for end in range(1, len(text) + 1):
        began = time.perf_counter()
        QTest.keyClick(box.field, text[end - 1])
        turns.append((time.perf_counter() - began) * 1000)
        wanted = text[:end].strip()
        arrived = 0.0
        while not (arrived and (eye.painted > arrived or not box.popup.hits.rowCount())):
            before = time.perf_counter()
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 1)
            after = time.perf_counter()
            if after - before > 0.0002:  # the others found nothing to do
                turns.append((after - before) * 1000)
            if not arrived and box._answered == wanted:
                arrived = before
            if not wanted or after - began > PATIENCE_SECONDS:
                break
        took.append((time.perf_counter() - began) * 1000)
    return took


if __name__ == "__main__":
    sys.exit(main())
