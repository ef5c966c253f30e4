"""The sheet on which a payment is taken, and which turns into its state and its receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from uuid import uuid4

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from console.background import Background
from console.domain.errors import ConsoleError
from console.domain.money import Money
from console.domain.payments import PaymentState, PaymentWay, Question
from console.services import bank_accounts, payments, receipts
from console.services.bank_accounts import BankAccount, HandedOver
from console.services.changes import EVERYTHING
from console.services.member_page import MemberPage
from console.services.payments import (
    AlreadyOpen,
    AskFirst,
    PaymentForm,
    PaymentStatus,
    PaymentWish,
    PhoneMandateWish,
)
from console.views import theme
from console.views.payment_form import PaymentFormView
from console.views.payment_state import PaymentStateView, open_in_browser
from console.views.refunds import RefundSheet
from console.views.sheet import Sheet
from console.views.theme import GRID
from console.views.widgets import Button, Icon, Words, act, column, label, row

LOOK_MILLISECONDS = 1_000
_NO_GATEWAY = "No payment gateway is set up here, so nobody would carry it out."
_REMOTE = (PaymentWay.STORED, PaymentWay.PAGE, PaymentWay.LINK, PaymentWay.BANK)


class PaymentSheet(Sheet):
    """Takes one payment; or, given one that was taken already, shows how it stands."""

    again_wanted = Signal(object)
    """The same amounts are to be paid another way: account numbers and amounts."""

    def __init__(
        self,
        over: QWidget,
        background: Background,
        *,
        member_id: int,
        member_name: str,
        call_id: str | None = None,
        is_business: bool = False,
        masked: bool = False,
        account_number: str = "",
        shares: Mapping[str, Money] | None = None,
        payment_id: str = "",
        open_url: Callable[[str], None] = open_in_browser,
    ) -> None:
        super().__init__(over, f"Payment of {member_name}", wide=760)
        self.background = background
        self._member_id, self._call_id = member_id, call_id
        self._member_name, self._is_business, self._masked = member_name, is_business, masked
        self._account_number, self._shares = account_number, dict(shares or {})
        self._open_url = open_url
        # Made now and not at the press: however often that happens, it is one payment.
        self.payment_id = payment_id or str(uuid4())
        self.is_begun = bool(payment_id)
        self._looking = False
        self._beginning = False
        self._answered: frozenset[Question] = frozenset()
        self._answered_for: tuple[tuple[str, Money], ...] = ()
        self._mandate: PhoneMandateWish | None = None
        self._bank_key: tuple[str, BankAccount] | None = None
        self._other = ""
        desk = background.desk
        self.form = PaymentFormView(
            desk, member_name=member_name, is_business=is_business, masked=masked
        )
        self.form.hide()
        self.state = PaymentStateView(desk, open_url)
        self.state.hide()
        self._make_questions()
        self._make_read_back()
        for part in (self.form, self.state, self.questions):
            self.body.addWidget(part)
        self._make_foot()
        self.form.changed.connect(self._on_form_changed)
        self.form.payment_wanted.connect(self.show_payment)
        self.state.print_wanted.connect(self._on_print)
        self.state.email_wanted.connect(self._on_email)
        self.state.read_out_wanted.connect(self._on_read_out)
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_MILLISECONDS)
        self._clock.timeout.connect(self._look)
        background.changed.connect(self._on_changed)
        self._dress()
        if self.is_begun:
            self.show_payment(self.payment_id)
        else:
            background.ask(payments.prepare, member_id, call_id).then(self, self.show_form)

    @classmethod
    def of_page(
        cls,
        over: QWidget,
        background: Background,
        page: MemberPage,
        call_id: str | None,
        account_number: str,
        shares: Mapping[str, Money] | None = None,
        *,
        open_url: Callable[[str], None] = open_in_browser,
    ) -> PaymentSheet:
        """Begin a payment of the member whose page is open."""
        return cls(
            over,
            background,
            member_id=page.member_id,
            member_name=page.display_name,
            call_id=call_id,
            is_business=page.is_business,
            masked=page.masked,
            account_number=account_number,
            shares=shares,
            open_url=open_url,
        )

    # What is shown

    def show_form(self, form: PaymentForm) -> None:
        """Offer what can be paid, and how."""
        if self.is_begun:
            return
        # Whoever has a drawer and no call has the member before them.
        at_counter = bool(form.drawer_id) and self._call_id is None
        self.form.show_form(
            form,
            self._shut(form, at_counter=at_counter),
            account_number=self._account_number,
            shares=self._shares,
            at_counter=at_counter,
        )
        self.form.show()
        self._dress()

    def show_payment(self, payment_id: str) -> None:
        """Turn to a payment that was begun already, here or at another desk."""
        self.is_begun, self.payment_id = True, payment_id
        self.clear_problem()
        self._dress()
        self.background.ask(payments.status, payment_id).then(self, self.show_status)

    def show_status(self, status: PaymentStatus) -> None:
        """Show how the payment stands now."""
        self._looking = self._beginning = False
        before = self.state.status
        if before is not None and before.state.is_final and status.state.is_open:
            return  # an answer that was overtaken on its way
        self.is_begun = True
        self.clear_problem()
        self.form.bank.forget()
        self._clear_questions()
        self.state.show_status(status)
        if before is None and not self.state.email_to.text():
            self.state.email_to.setText(self.form.receipt_to.text())
        self._dress()
        settled = status.state.is_final or status.state is PaymentState.REVIEW
        if settled:
            self._clock.stop()
        elif not self._clock.isActive():
            self._clock.start()
            self._look()
        if before is None or before.state is not status.state or not before.page_url:
            self._bring_the_keys(status)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong, or ask what must be asked first; nothing typed is lost."""
        self._beginning = False
        if isinstance(problem, AskFirst):
            self._show_questions(problem.asked)
            return
        self._other = problem.payment_id if isinstance(problem, AlreadyOpen) else ""
        super().show_problem(problem)
        self._dress()

    def done(self, result: int) -> None:
        # Whatever becomes of the sheet, a bank account that was typed goes with it.
        self.form.bank.forget()
        super().done(result)

    # How it is put together

    def _make_questions(self) -> None:
        self.questions = QWidget()
        self._asked = QVBoxLayout(self.questions)
        self._asked.setContentsMargins(0, 0, 0, 0)
        self._asked.setSpacing(GRID)
        self.yes_buttons: dict[Question, Button] = {}
        self.questions.hide()

    def _make_read_back(self) -> None:
        self.read_back_box = QFrame()
        theme.role(self.read_back_box, "quote")
        self.read_back = Words("", "title", wrap=True).selectable()
        self.read_back.setAccessibleName("Sentence to read back")
        said = column(label("Read back"), self.read_back, gap=4)
        said.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID + 2)
        self.read_back_box.setLayout(said)
        self.missing = Words("", "text", "muted", wrap=True)
        # Both stay in sight over the buttons, however long the form is.
        page = self.layout()
        assert isinstance(page, QVBoxLayout)  # noqa: S101  # every sheet is laid out like that
        for part in (self.missing, self.read_back_box):
            part.hide()
            page.insertWidget(page.indexOf(self.problem), part)

    def _make_foot(self) -> None:
        self.take = act(self, "Take the payment now", self._on_take, key="Ctrl+Return",
                        icon="check")  # fmt: skip
        self.close_button = self.add_cancel()
        self.show_other = self.add_button(Button("Show that payment", icon="eye"))
        self.call_off = self.add_button(Button("Call it off", icon="cross"))
        self.shut_page = self.add_button(Button("Shut the page", icon="lock"))
        self.give_back = self.add_button(Button("Give it back…", icon="undo"))
        self.give_back.setToolTip("A refund, a void, or a cheque or debit that came back.")
        self.again = self.add_button(Button("Try another way", "primary", icon="redo"))
        self.take_button = self.add_button(Button(self.take, "primary"))
        self.show_other.clicked.connect(lambda: self.show_payment(self._other))
        self.call_off.clicked.connect(self._on_call_off)
        self.shut_page.clicked.connect(self._on_shut_page)
        self.again.clicked.connect(self._on_again)
        self.give_back.clicked.connect(self._on_give_back)

    def _shut(self, form: PaymentForm, *, at_counter: bool) -> dict[PaymentWay, str]:
        """Say for each way that cannot be taken here and now why not."""
        shut = dict(form.refusals)
        if at_counter:
            shut.pop(PaymentWay.PAGE, None)
        desk = self.background.desk
        if desk.carries and desk.gateway is None:
            shut |= dict.fromkeys(_REMOTE, _NO_GATEWAY)
        if PaymentWay.BANK not in shut and (why := bank_accounts.why_not(desk)):
            shut[PaymentWay.BANK] = why
        return shut

    def _fit(self) -> None:
        super()._fit()
        over = self.parentWidget()
        inner = self.minimumWidth() - 6 * GRID
        more = sum(
            part.heightForWidth(inner) + 2 * GRID
            for part in (self.missing, self.read_back_box)
            if not part.isHidden()
        )
        if more and over is not None:
            self.resize(self.width(), min(self.height() + more, over.height() - 2 * GRID))
            self._place(over)

    # What happens

    def _dress(self) -> None:
        status = self.state.status if self.is_begun else None
        self.form.setVisible(not self.is_begun and bool(self.form.lines))
        self.state.setVisible(status is not None)
        missing = "" if self.is_begun else self.form.missing()
        ready = not self.is_begun and bool(self.form.lines) and not missing
        asking = bool(self.yes_buttons)
        self.missing.setText(missing if self.form.lines else "")
        self.missing.setVisible(bool(self.missing.text()))
        if ready:
            self.read_back.setText(self.form.read_back())
        self.read_back_box.setVisible(ready)
        total = self.form.total_typed
        self.take.setText(f"Take {total} now" if total > Money(0) else "Take the payment now")
        self.take.setEnabled(ready and not asking and not self._beginning)
        self.take_button.setVisible(not self.is_begun)
        self.show_other.setVisible(bool(self._other) and not self.is_begun)
        self.call_off.setVisible(status is not None and status.may_cancel)
        self.shut_page.setVisible(status is not None and status.may_shut)
        failed = status is not None and status.state in (
            PaymentState.DECLINED, PaymentState.ABANDONED,
        )  # fmt: skip
        self.again.setVisible(failed)
        stands = status is not None and not status.returned
        self.give_back.setVisible(
            stands and status is not None and status.state is PaymentState.CHARGED
        )
        self.close_button.setText("Close" if self.is_begun else "Cancel")

    def _bring_the_keys(self, status: PaymentStatus) -> None:
        if status.page_url and status.state.is_open:
            self.state.open_page.setFocus()
        elif self.again.isVisible():
            self.again.setFocus()
        elif status.state is PaymentState.CHARGED:
            self.state.print_button.setFocus()
        else:
            self.close_button.setFocus()

    def _on_form_changed(self) -> None:
        self._clear_questions()
        self._mandate = None
        self._other = ""
        self.clear_problem()
        self._dress()

    def _on_take(self) -> None:
        if self._beginning or self.is_begun:
            return
        self.clear_problem()
        try:
            wish = self.form.wish(self.payment_id, self._member_id, self._call_id, self._mandate)
            account = self.form.bank.account() if wish.way is PaymentWay.BANK else None
        except ConsoleError as problem:
            self.show_problem(problem)
            return
        self._beginning = True
        if account is not None and self._mandate is None:
            key = self._key_for(account)
            self.background.ask(bank_accounts.hand_over, key, account).then(
                self, self._on_handed_over, busy=[self.take_button]
            )
            return
        self._begin(wish)

    def _key_for(self, account: BankAccount) -> str:
        # One key means one account at the gateway: what was mistyped goes there under another.
        if self._bank_key is None or self._bank_key[1] != account:
            self._bank_key = str(uuid4()), account
        return self._bank_key[0]

    def _on_handed_over(self, handed: HandedOver) -> None:
        self._beginning = False
        recording, notice = self.form.bank.proof()
        self._mandate = PhoneMandateWish(
            self.form.bank.script.text(), handed.token, handed.words, recording, notice
        )
        self._on_take()

    def _begin(self, wish: PaymentWish) -> None:
        self._beginning = True
        answered = self._answered if self._answered_for == wish.shares else frozenset()
        asked = replace(wish, answered=answered)
        self.background.ask(payments.begin, asked).then(
            self, self.show_status, busy=[self.take_button]
        )

    # Questions

    def _show_questions(self, asked: Mapping[Question, str]) -> None:
        self._clear_questions(keep_answers=True)
        for question, words in asked.items():
            yes = Button("Yes, take it", icon="check")
            yes.setAccessibleName(f"Yes: {words}")
            yes.clicked.connect(partial(self._on_yes, question))
            self.yes_buttons[question] = yes
            said = Words(words, "bold", wrap=True)
            line = row(Icon("help", "warn"), said, yes, gap=12)
            line.setStretch(1, 1)
            box = QWidget()
            box.setLayout(line)
            self._asked.addWidget(box)
        self.questions.show()
        self._dress()
        next(iter(self.yes_buttons.values())).setFocus()

    def _on_yes(self, question: Question) -> None:
        shares = self.form.shares()
        if self._answered_for != shares:
            self._answered, self._answered_for = frozenset(), shares
        self._answered |= {question}
        button = self.yes_buttons.pop(question)
        button.setEnabled(False)
        button.setText("Yes")
        if self.yes_buttons:
            next(iter(self.yes_buttons.values())).setFocus()
            return
        self._clear_questions(keep_answers=True)
        self._dress()
        self._on_take()

    def _clear_questions(self, *, keep_answers: bool = False) -> None:
        while (item := self._asked.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self.yes_buttons = {}
        self.questions.hide()
        if not keep_answers:
            self._answered, self._answered_for = frozenset(), ()

    # Afterwards

    def _look(self) -> None:
        """Carry it a step further where this desk is its own courier, and see how it stands."""
        if self._looking or not self.is_begun:
            return
        self._looking = True
        self.background.ask(payments.carry, self.payment_id).then(
            self, self.show_status, failed=self._on_not_seen, quiet=True
        )

    def _on_not_seen(self, _problem: ConsoleError) -> None:
        # The banner says that the database is away; what stands here is what was last known.
        self._looking = False

    def _on_changed(self, changed: frozenset[str]) -> None:
        if not self.is_begun:
            return
        own = f"member:{self._member_id}" in changed
        if "Payment" in changed or own or EVERYTHING in changed:
            self.background.ask(payments.status, self.payment_id).then(
                self, self.show_status, failed=self._on_not_seen, quiet=True
            )

    def _on_call_off(self) -> None:
        self.background.ask(payments.cancel, self.payment_id).then(
            self, self.show_status, busy=[self.call_off]
        )

    def _on_shut_page(self) -> None:
        self.background.ask(payments.shut_page, self.payment_id).then(
            self, self.show_status, busy=[self.shut_page]
        )

    def _on_again(self) -> None:
        status = self.state.status
        if status is not None:
            shares = {share.account_number: share.amount for share in status.shares}
            self.accept()
            self.again_wanted.emit(shares)

    def _on_give_back(self) -> None:
        over = self.parentWidget() or self
        self.accept()
        RefundSheet(over, self.background, self.payment_id).open()

    def _on_print(self) -> None:
        self.background.ask(receipts.paper, self.payment_id).then(
            self, self._show_paper, busy=[self.state.print_button]
        )

    def _show_paper(self, pdf: bytes) -> None:
        number = self.state.status.receipt_number if self.state.status else ""
        over = self.parentWidget() or self
        from console.views.printing import PrintSheet  # what prints is not wanted at start

        PrintSheet(over, self.background, f"Receipt {number}", pdf, f"receipt-{number}.pdf").open()

    def _on_email(self, to: str) -> None:
        self.clear_problem()
        self.background.ask(receipts.send, str(uuid4()), self.payment_id, to).then(
            self,
            lambda _: self.state.say_sent(f"The receipt goes to {to}."),
            busy=[self.state.email_button],
        )

    def _on_read_out(self) -> None:
        self.background.ask(receipts.read_out, self.payment_id).then(
            self, self.state.show_read_out, busy=[self.state.read_out_button]
        )
