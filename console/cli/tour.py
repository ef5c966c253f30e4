"""`tour`: drive the real window through its jobs, by clicks and keys, and take pictures."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap

    from console.app import Console, Furnishing
    from console.cli.clerk import Clerk
    from console.cli.training import StandIns
    from console.views.theme import Theme


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that shows the console at work."""
    parser = commands.add_parser("tour", help="take pictures of the console doing its jobs")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("tour"))
    parser.add_argument("--width", type=int, default=1366)
    parser.add_argument("--height", type=int, default=768)
    parser.set_defaults(run=_tour)


@dataclass(frozen=True)
class Step:
    """One step of the tour: what was done, what was seen, and how long it took."""

    number: int
    title: str
    seen: str
    milliseconds: int
    picture: str


@dataclass
class Tour:
    """Walks through the jobs and keeps what it saw."""

    clerk: Clerk
    console: Console
    look: Theme
    where: StandIns
    out: Path
    furnish: Callable[[], Furnishing]
    steps: list[Step] = field(default_factory=list)

    def step(
        self, title: str, do: Callable[[], object], see: str, desks: Sequence[Clerk] = ()
    ) -> None:
        """Do something, wait until `see` can be read, and take a picture.

        With several desks it is read at the last one, and the picture shows them side by side.
        """
        began = time.monotonic()
        do()
        seen = (desks or [self.clerk])[-1].sees(see)
        took = round((time.monotonic() - began) * 1000)
        self.clerk.rests(0.35)
        number = len(self.steps) + 1
        name = f"{number:02}-{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')}.png"
        if desks:
            _side_by_side([desk.picture() for desk in desks]).save(str(self.out / name))
        else:
            self.clerk.takes_picture(self.out / name)
        self.steps.append(Step(number, title, " ".join(seen.split())[:300], took, name))
        print(f"{number:2}  {title} ({took} ms)", file=sys.stderr)

    def dress(self, *, dark: bool, scale: int) -> None:
        """Change the look, as the menu at the foot of the rail does."""
        self.look.set_dark(dark)
        self.look.set_scale(scale)


def _side_by_side(pictures: Sequence[QPixmap]) -> QPixmap:
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QPainter, QPixmap

    gap = 16
    wide = sum(one.width() + gap for one in pictures) - gap
    both = QPixmap(wide, max(one.height() for one in pictures))
    both.fill(Qt.GlobalColor.darkGray)
    painter = QPainter(both)
    left = 0
    for one in pictures:
        painter.drawPixmap(left, 0, one)
        left += one.width() + gap
    painter.end()
    return both


def walk(tour: Tour) -> None:
    """Take every step; raises NotSeen at the first that fails."""
    _sign_in_and_look_up(tour)
    _solve_a_refusal(tour)
    _close_the_loop(tour)
    _mend_the_email(tour)
    _take_payments(tour)
    _sit_at_two_desks(tour)
    _spend_the_clerks_day(tour)
    _spend_the_supervisors_day(tour)
    _look_at_the_places(tour)
    _change_the_look(tour)


def _sign_in_and_look_up(tour: Tour) -> None:
    clerk = tour.clerk
    tour.step("Sign in", lambda: None, "Riley Osterholm")
    tour.step(
        "An empty desk",
        lambda: clerk.presses("Riley Osterholm, Representative"),
        "Who is calling?",
    )
    tour.step("Look up a member", lambda: _search(clerk, "de long"), "Rosalind DeLong")
    tour.step("A slip is forgiven", lambda: _search(clerk, "rosalind delnog"), "Rosalind DeLong")
    tour.step("The member page", lambda: clerk.keys("Return"), "Why it was refused")


def _search(clerk: Clerk, text: str) -> None:
    clerk.keys("Ctrl+K")
    clerk.keys("Ctrl+A", "Del")
    clerk.types(text)


def _solve_a_refusal(tour: Tour) -> None:
    clerk = tour.clerk
    tour.step(
        "The caller is verified", lambda: clerk.keys("Alt+1", "Alt+2", "Alt+5"), "Caller verified"
    )
    tour.step("What to read out", lambda: clerk.keys("F6", "Ctrl+Shift+S"), "no space")
    tour.step("The portal's own word", lambda: clerk.keys("Ctrl+J"), "would")
    tour.step("Correct the file", lambda: clerk.keys("Ctrl+E"), "Correct the name on file")
    tour.step(
        "Before and after",
        lambda: clerk.fills("New last or business name", "De Long"),
        "De Long",
    )


def _close_the_loop(tour: Tour) -> None:
    clerk = tour.clerk
    tour.step("On file, published, checked", lambda: clerk.keys("Ctrl+Return"), "would accept")
    tour.step("Back on the page", lambda: clerk.presses("Done"), "De Long")
    tour.step("How to reach them", lambda: clerk.keys("Ctrl+Shift+E"), "Second phone")
    clerk.fills("Second phone", "620 555 0188")
    tour.step("A detail changed", lambda: clerk.keys("Ctrl+Return"), "The second phone is changed")


def _mend_the_email(tour: Tour) -> None:
    clerk = tour.clerk
    tour.step("The call is wrapped up", lambda: clerk.keys("F10"), "Result")
    clerk.keys("Ctrl+Return")
    clerk.sees("Begin a call")
    tour.step(
        "Somebody whose e-mail came back",
        lambda: _open(clerk, "otto baumgartner"),
        "The part after the @ does not exist",
    )
    clerk.keys("Alt+1", "Alt+2", "Alt+5")
    clerk.sees("Did they mean otto.baumgartner@gmail.com?")
    tour.step("The address is mended", lambda: clerk.keys("Ctrl+D"), "Correct and send")
    tour.step("Sent once", lambda: clerk.keys("Return"), "Send again in")
    tour.step("The password rule", lambda: clerk.keys("Ctrl+B"), "one capital letter")
    tour.step(
        "A password is checked and not kept",
        lambda: clerk.fills("Password to check", "Kettle7!"),
        "8 to 15 characters",
    )
    clerk.presses("Close")


def _take_payments(tour: Tour) -> None:
    """Spend the representative's day: a card on the gateway's page, from press to receipt."""
    clerk = tour.clerk
    clerk.keys("F10")
    clerk.keys("Ctrl+Return")
    clerk.sees("Begin a call")
    _open(clerk, "agnes moen")
    clerk.sees("8 Depot St")
    clerk.rests(0.3)
    clerk.keys("Alt+1", "Alt+2", "Alt+5")
    clerk.sees("Caller verified")
    tour.step("Take a payment", lambda: clerk.keys("F4"), "Paid by")
    tour.step("Read it back", lambda: clerk.keys("Alt+D"), "Read back")
    tour.step("The gateway's page is open", lambda: clerk.keys("Ctrl+Return"), "page is open")
    tour.step(
        "Paid: the receipt comes by itself",
        lambda: _pay_on_the_page(tour, "Agnes Moen"),
        "Receipt",
    )
    clerk.presses("Close")
    tour.step("The ledger", lambda: clerk.keys("Ctrl+Shift+L"), "Balance")
    clerk.presses("Close")
    clerk.keys("F10")
    clerk.keys("Ctrl+Return")
    clerk.sees("Begin a call")


def _pay_on_the_page(tour: Tour, name: str) -> None:
    """Do what the representative does in the browser while the caller speaks."""
    from console.cli.clerk import NotSeen
    from console.clients.stand_in import pay_on
    from console.views.payment_state import PaymentStateView

    window = tour.console.window
    sheet = None if window is None else window.findChild(PaymentStateView)
    if sheet is None or sheet.status is None:
        raise NotSeen("no payment waits on a page")
    pay_on(sheet.status.page_url, name=name)


def _sit_at_two_desks(tour: Tour) -> None:
    """Let a supervisor sit down beside the representative, and each see what the other does."""
    from console import app
    from console.cli.clerk import Clerk

    size = tour.console.window.size() if tour.console.window else None
    console = app.Console(
        tour.console.settings,
        tour.furnish,
        plan=tour.console.plan,
        look=tour.look,
        remember=False,
        size=(1024, size.height() if size else 768),
    )
    riley = Clerk(lambda: tour.console.window)
    sam = Clerk(lambda: console.window or console.sign_in)
    desks = (riley, sam)
    try:
        if tour.console.window is not None:
            tour.console.window.resize(1024, tour.console.window.height())
        console.open()
        sam.presses("Sam Thorfeld, Supervisor")
        sam.sees("Who is calling?")
        _open(riley, "declan obrien")
        riley.sees("What happened")
        tour.step(
            "Two desks, one member",
            lambda: _open(sam, "declan obrien"),
            "Riley Osterholm is looking at this member",
            desks,
        )
        tour.step(
            "One corrects, the other sees it coming",
            lambda: riley.keys("Ctrl+E"),
            "Riley Osterholm is changing the name",
            desks,
        )
        riley.fills("New last or business name", "O'Bryen")
        riley.chooses("What proves it", "A deed")
        riley.keys("Ctrl+Return")
        riley.sees("would accept")
        tour.step("And sees it done", lambda: riley.presses("Done"), "O'Bryen", desks)
    finally:
        console.close()
        if tour.console.window is not None and size is not None:
            tour.console.window.resize(size)


@contextmanager
def _somebody_else(tour: Tour, name: str) -> Iterator[Clerk]:
    """Let a colleague sign in at a desk of their own."""
    from console import app
    from console.cli.clerk import Clerk

    window = tour.console.window
    console = app.Console(
        tour.console.settings, tour.furnish, plan=tour.console.plan, look=tour.look,
        remember=False, size=(window.width(), window.height()) if window else (1366, 768),
    )  # fmt: skip
    somebody = Clerk(lambda: console.window or console.sign_in)
    try:
        console.open()
        somebody.presses(name)
        somebody.sees("Who is calling?")
        yield somebody
    finally:
        console.close()


def _spend_the_clerks_day(tour: Tour) -> None:
    """Open the drawer, take cash over the counter, count and close."""
    with _somebody_else(tour, "Casey Lindgard, Clerk") as casey:
        desk = (casey,)
        casey.presses("Payments")
        casey.presses("Drawer")
        casey.sees("Open your drawer")
        casey.keys("F4")
        casey.sees("Count what is in the drawer")
        tour.step("The clerk counts the float", lambda: casey.types("2"), "$200.00", desk)
        tour.step("The drawer is open", lambda: casey.keys("Ctrl+Return"), "Count and close", desk)
        _open(casey, "gunnar halvorsen")
        casey.sees("55 Sandhill Trl")
        casey.rests(0.3)
        casey.keys("F4")
        casey.sees("Paid by")
        casey.keys("Alt+O")
        casey.types("40")
        casey.presses("Cash")
        casey.fills("Cash handed over", "50")
        tour.step("Cash over the counter", lambda: casey.rests(0.2), "Read back", desk)
        tour.step("And the change", lambda: casey.keys("Ctrl+Return"), "Hand out $10.00", desk)
        casey.presses("Close")
        casey.presses("Payments")
        casey.presses("Drawer")
        casey.keys("F4")
        casey.sees("Count first")
        casey.types("2")
        casey.keys("Return", "Return")
        casey.types("2")
        tour.step("The drawer is counted", lambda: casey.rests(0.2), "$240.00", desk)
        tour.step("And closed", lambda: casey.keys("Ctrl+Return"), "Counted as expected", desk)


def _spend_the_supervisors_day(tour: Tour) -> None:
    """Give money back, look at what must be looked at, and lay the day beside the gateway's."""
    with _somebody_else(tour, "Sam Thorfeld, Supervisor") as sam:
        desk = (sam,)
        sam.presses("Payments")
        tour.step("All payments", lambda: sam.presses("All payments"), "Agnes Moen", desk)
        sam.opens_row("Agnes Moen")
        sam.presses("Give it back…")
        sam.sees("Amount to give back")
        sam.fills("Amount to give back", "42.10")
        sam.fills("Reason", "Paid more than was meant")
        tour.step("Part of it is given back", lambda: sam.rests(0.2), "$42.10", desk)
        tour.step("And is there again", lambda: sam.keys("Ctrl+Return"), "Given back", desk)
        sam.presses("Close")
        tour.step("What a person must look at", lambda: sam.presses("Review"), "Nothing", desk)
        sam.presses("Reconciliation")
        sam.sees("Each day against the gateway")
        tour.step("The day beside the gateway's list", lambda: sam.keys("Ctrl+R"), "agree", desk)


def _open(clerk: Clerk, text: str) -> None:
    _search(clerk, text)
    clerk.rests(0.5)
    clerk.keys("Return")


def _look_at_the_places(tour: Tour) -> None:
    clerk = tour.clerk
    tour.step("Registrations", lambda: clerk.presses("Registrations"), "What happened")
    tour.step("Training", lambda: clerk.presses("Training"), "One name or two words")
    tour.step("Diagnostics", lambda: clerk.presses("Diagnostics"), "Portal")
    tour.step("All commands", lambda: clerk.keys("Ctrl+P"), "Look up a member")
    clerk.keys("Escape")
    clerk.presses("Members")


def _change_the_look(tour: Tour) -> None:
    clerk = tour.clerk
    tour.step("Dark", lambda: tour.dress(dark=True, scale=100), "Members")
    tour.step("Dark: a refusal", lambda: _open(clerk, "prairie rose"), "Prairie Rose Farms LLC")
    tour.step("Dark: registrations", lambda: clerk.presses("Registrations"), "What happened")
    clerk.presses("Members")
    tour.step("Text at 150 %", lambda: tour.dress(dark=False, scale=150), "Prairie Rose Farms LLC")
    tour.dress(dark=False, scale=100)


def _tour(asked: argparse.Namespace) -> int:
    # The pictures must not depend on whose desktop they are taken on.
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from console import app
    from console.background import Sweeper
    from console.cli import training
    from console.cli.clerk import Clerk, NotSeen
    from console.views.theme import Theme

    asked.out.mkdir(parents=True, exist_ok=True)
    for stale in asked.out.glob("[0-9][0-9]-*.png"):
        stale.unlink()
    failed = ""
    with tempfile.TemporaryDirectory(prefix="coop-console-tour-") as folder:
        place = Path(folder)
        with training.stand_ins_when_ready(place) as where:
            settings = training.settings(where, place)
            sweeper = Sweeper(app.application())
            look = Theme()
            console = app.Console(
                settings,
                lambda: app.office(settings),
                plan=training.plan(where),
                look=look,
                remember=False,
                size=(asked.width, asked.height),
            )
            furnish = partial(app.office, settings)
            tour = Tour(Clerk(), console, look, where, asked.out, furnish)
            console.open()
            try:
                walk(tour)
            except NotSeen as problem:
                failed = str(problem)
                tour.clerk.takes_picture(asked.out / "failed.png")
            finally:
                sweeper.stop()
                console.close()
    told = {"ok": not failed, "failed": failed, "steps": [asdict(step) for step in tour.steps]}
    (asked.out / "tour.json").write_text(
        json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    print(json.dumps({"ok": not failed, "steps": len(tour.steps), "out": str(asked.out)}))
    if failed:
        print(f"The tour stopped: {failed}", file=sys.stderr)
    return 1 if failed else 0
