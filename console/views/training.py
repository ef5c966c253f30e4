"""Training: stories to practise on, the two web pages they need, and a portal that misbehaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QGridLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from console.background import Background
from console.services.desk import Desk
from console.views.screen import Screen
from console.views.sheet import confirm
from console.views.theme import GRID
from console.views.widgets import (
    Button,
    Card,
    EmptyPlace,
    Icon,
    Section,
    Words,
    act,
    muted,
    row,
    title,
)


@dataclass(frozen=True)
class Story:
    """A caller to practise on."""

    title: str
    caller: str
    """Who calls."""
    says: str
    """What the caller says, in their own words."""
    learn: str
    """What is to be learnt by it."""
    member_id: int | None = None
    account_number: str = ""
    icon: str = "speak"


@dataclass(frozen=True)
class Switch:
    """One way the stand-in portal can be made to misbehave."""

    key: str
    word: str
    more: str
    on: bool = False


@dataclass(frozen=True)
class TrainingPlan:
    """What app.py hands to the training place: plain values, and one thing to call.

    `turn` runs in the background as a use case: `turn(desk, switch key, on)`.
    """

    stories: tuple[Story, ...] = ()
    pages_url: str = ""
    mailbox_url: str = ""
    switches: tuple[Switch, ...] = ()
    turn: Callable[[Desk, str, bool], None] | None = None
    may_begin_afresh: bool = False
    """Whether somebody waits outside to make the training co-op anew."""


class TrainingScreen(Screen):
    """Stories, the member's side of the portal, the mailbox, and trouble on request."""

    open_member = Signal(int, str)
    begin_afresh = Signal()

    def __init__(self, background: Background, plan: TrainingPlan) -> None:
        super().__init__(background)
        self.setAccessibleName("Training")
        self.plan = plan
        self.register = act(
            self, "Open the member’s registration page", self._on_register, icon="external",
            more="The portal’s page where a member registers, in your web browser.",
        )  # fmt: skip
        self.mailbox = act(
            self, "Open the training mailbox", self._on_mailbox, icon="inbox",
            more="Every e-mail of the training co-op arrives here.",
        )  # fmt: skip
        self.afresh = act(
            self, "Begin the training co-op afresh", self._on_afresh, icon="undo",
            more="Forgets what was done in it; the callers are as on the first day.",
        )  # fmt: skip
        self.afresh.setEnabled(plan.may_begin_afresh)
        self.afresh_button = Button(self.afresh, "plain")
        self.afresh_button.setVisible(plan.may_begin_afresh)
        self.register.setEnabled(bool(plan.pages_url))
        self.mailbox.setEnabled(bool(plan.mailbox_url))
        self.page.insertLayout(
            0,
            row(
                title("Training"),
                0,
                self.afresh_button,
                Button(self.mailbox),
                Button(self.register),
            ),
        )
        self.page.insertWidget(
            1,
            muted(
                "Play the member in the browser and the representative here. Everything is made "
                "up, and nothing leaves this machine.",
                wrap=True,
            ),
        )
        self.switches: dict[str, QCheckBox] = {}
        self.cards: list[StoryCard] = []
        inside = QWidget()
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(0, 0, GRID, 0)
        whole.setSpacing(3 * GRID)
        whole.addWidget(self._stories())
        if plan.switches:
            whole.addWidget(self._trouble())
        whole.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inside)
        self.page.addWidget(area, 1)

    def show_switch(self, key: str, on: bool) -> None:
        """Show how a switch stands."""
        box = self.switches[key]
        box.blockSignals(True)
        box.setChecked(on)
        box.blockSignals(False)

    def _stories(self) -> Section:
        section = Section("Callers", note="Begin a call with F9, then look the caller up.")
        if not self.plan.stories:
            section.body.addWidget(
                EmptyPlace(
                    "training",
                    "There are no stories in this training co-op.",
                    more="Make a new one with “main.py demo”, then open the console again.",
                )
            )
            return section
        grid = QGridLayout()
        grid.setSpacing(2 * GRID)
        for place, story in enumerate(self.plan.stories):
            card = StoryCard(story)
            card.opened.connect(self.open_member)
            self.cards.append(card)
            grid.addWidget(card, place // 2, place % 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        section.body.addLayout(grid)
        return section

    def _trouble(self) -> Section:
        section = Section("Make the portal misbehave", note="to see what the console does then")
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GRID)
        grid.setVerticalSpacing(GRID)
        for place, switch in enumerate(self.plan.switches):
            box = QCheckBox(switch.word)
            box.setChecked(switch.on)
            box.setToolTip(switch.more)
            box.setAccessibleDescription(switch.more)
            box.toggled.connect(lambda on, key=switch.key: self._on_switch(key, on))
            self.switches[switch.key] = box
            grid.addWidget(box, place // 2, 2 * (place % 2))
            grid.addWidget(muted(switch.more, wrap=True), place // 2, 2 * (place % 2) + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        section.body.addLayout(grid)
        return section

    def _on_switch(self, key: str, on: bool) -> None:
        self.clear_problem()
        if self.plan.turn is not None:
            self.background.ask(self.plan.turn, key, on).then(self, lambda _: None)

    def _on_afresh(self) -> None:
        confirm(
            self,
            "Begin the training co-op afresh?",
            "What was done in it is forgotten: corrections, calls and notes. The callers are as "
            "on the first day. The console closes and opens again by itself.",
            "Begin afresh",
            self.begin_afresh.emit,
            danger=True,
        )

    def _on_register(self) -> None:
        QDesktopServices.openUrl(QUrl(self.plan.pages_url))

    def _on_mailbox(self) -> None:
        QDesktopServices.openUrl(QUrl(self.plan.mailbox_url))


class StoryCard(Card):
    """One caller: what they say, and what to do about it."""

    opened = Signal(int, str)

    def __init__(self, story: Story) -> None:
        super().__init__(gap=GRID)
        self.story = story
        self.setAccessibleName(story.title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        said = Words(f"“{story.says}”", wrap=True)
        self.body.addLayout(row(Icon(story.icon, "accent"), Words(story.title, "bold"), 0))
        self.body.addWidget(muted(story.caller))
        self.body.addWidget(said)
        self.body.addWidget(muted(story.learn, wrap=True))
        self.body.addStretch(1)
        self.open_button = Button("Open the member", icon="arrow-right")
        self.open_button.setAccessibleName(f"Open the member: {story.title}")
        self.open_button.setVisible(story.member_id is not None)
        self.open_button.clicked.connect(self._on_open)
        self.body.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignLeft)

    def _on_open(self) -> None:
        if self.story.member_id is not None:
            self.opened.emit(self.story.member_id, self.story.account_number)
