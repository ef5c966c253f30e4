"""The box in which a colleague says who asks for something, and how they are known."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox

from console.domain.contact import Asked
from console.views.widgets import Field


class AskedField(Field):
    """Asks who wants it; a caller is offered only once they are verified, and chosen then."""

    chosen = Signal()

    def __init__(self, ways: Iterable[Asked], *, call_verified: bool, hint: str = "") -> None:
        self.box = QComboBox()
        self.box.setAccessibleName("Who asks for it")
        super().__init__("Who asks for it", self.box, hint)
        self.box.addItem("Choose who asks for it…", None)
        for asked in ways:
            if asked is not Asked.CALLER_VERIFIED or call_verified:
                self.box.addItem(asked.words, asked)
        if call_verified:
            self.box.setCurrentIndex(max(0, self.box.findData(Asked.CALLER_VERIFIED)))
        self.box.currentIndexChanged.connect(lambda _: self.chosen.emit())

    @property
    def asked(self) -> Asked | None:
        """Who asks, or nothing while that is not said."""
        chosen = self.box.currentData()
        return Asked(chosen) if chosen else None
