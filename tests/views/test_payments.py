"""Taking a payment on screen: what is refused and why, what is asked, and what becomes of it."""

from dataclasses import replace
from uuid import uuid4

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMainWindow

from console.background import Background
from console.clients.portal import Portal
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay, Question
from console.domain.staff import Role
from console.models.accounts import Account
from console.models.calls import Call
from console.models.methods import MethodToken
from console.models.payments import Payment, PhoneAuthorization
from console.sandbox.gateway import Kind
from console.services import calls, charging, payments
from console.services.payment_list import Standing
from console.settings import Settings
from console.views.ledger import LedgerSheet
from console.views.members import MemberScreen
from console.views.payment_sheet import PaymentSheet
from console.views.payment_state import NOT_KNOWN
from console.views.payments import PaymentsScreen
from console.views.printing import PrintSheet
from console.views.refunds import RefundSheet
from console.views.window import Window
from tests.gateways import client, pay_on, till  # noqa: F401  # fixtures
from tests.office import ANA, SAM, SUE, trail
from tests.payments.office import NUMBERS, found

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
CHARGES = "/v1/payment_intents"
ACCOUNT = "000123456789"


@pytest.fixture
def office(records, portal, clock, client):  # noqa: F811
    """Pat's desk, which is its own courier, with Rose verified on the line."""
    made = found(records, clock, client)
    settings = Settings(
        coop_name="Cedar Fork Electric Cooperative", coop_phone="6205550100",
        portal_url=portal.url, portal_token=portal.token,
    )  # fmt: skip
    known = Portal(portal.url, portal.token, "desk 3", deadline=10)
    made.desk = replace(made.desk, portal=known, settings=settings, gateway=client, teller=client)
    yield made
    known.close()


@pytest.fixture
def at_desk(qtbot, office):
    """Opens Rose's page at somebody's desk, with whatever call they are in."""
    backgrounds, windows = [], []

    def open_page(desk=office.desk):
        background = Background(desk)
        background.desk.records.on_change(background.changed.emit)
        backgrounds.append(background)
        window = QMainWindow()
        window.resize(1158, 668)
        windows.append(window)
        qtbot.addWidget(window)
        screen = MemberScreen(background, office.member_id)
        screen.opened_urls = []
        screen.open_url = screen.opened_urls.append
        window.setCentralWidget(screen)
        with qtbot.waitActive(window):
            window.show()
        screen.load()
        qtbot.waitUntil(lambda: screen.page_shown is not None)
        screen.show_call(calls.current(desk))
        qtbot.waitUntil(lambda: background.idle)
        return screen

    yield open_page
    for background in backgrounds:
        qtbot.waitUntil(lambda background=background: background.idle, timeout=10_000)
        background.close()


@pytest.fixture
def page(at_desk):
    return at_desk()


def opened(qtbot, page) -> PaymentSheet:
    """Open the sheet by its key, as a representative does."""
    window = page.window()
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
    QTest.keyClick(window, Qt.Key.Key_F4)
    (sheet,) = (one for one in window.findChildren(PaymentSheet) if one.isVisible())
    qtbot.waitUntil(lambda: bool(sheet.form.lines), timeout=15_000)
    sheet.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is sheet)
    return sheet


def chooses(qtbot, sheet, way, method_id=None):
    place = next(
        n
        for n, one in enumerate(sheet.form.choices)
        if one.way is way and method_id in (None, one.method_id)
    )
    qtbot.mouseClick(sheet.form.way_buttons[place], LEFT)


def types(line, text):
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def takes(sheet):
    QTest.keyClick(sheet, Qt.Key.Key_Return, CONTROL)


def words(widget):
    QApplication.processEvents()
    return " | ".join(
        label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()
    )


def ended(qtbot, sheet, state=PaymentState.CHARGED):
    qtbot.waitUntil(
        lambda: sheet.state.status is not None and sheet.state.status.state is state,
        timeout=10_000,
    )
    return sheet.state.status


def on_file(office):
    return payments.of_member(office.desk, office.member_id)


def why_shut(sheet):
    return {one.way: one.shut for one in sheet.form.choices if one.shut}


# What may be taken, and why not


def test_one_key_opens_it_with_the_chosen_account_first_and_what_it_owes(qtbot, page):
    page.accounts.choose(NUMBERS[1])
    sheet = opened(qtbot, page)
    first, *others = sheet.form.lines
    assert first.account.owed.number == NUMBERS[1]
    assert first.is_chosen
    assert not any(one.is_chosen for one in others)
    assert first.amount.text() == "142.10"
    assert first.amount.hasFocus()
    assert sheet.read_back.text() == ("Pay $142.10 for account 1023402 by Visa ending in 4242.")
    assert sheet.take_button.text() == "Take $142.10 now"


def test_the_button_beside_the_account_opens_it_too(qtbot, page):
    button = next(
        one for one in page.accounts.detail.findChildren(type(page.payments.ledger_button))
        if one.text() == "Take a payment"
    )  # fmt: skip
    qtbot.mouseClick(button, LEFT)
    assert page.window().findChildren(PaymentSheet)


def test_without_a_call_and_a_drawer_every_way_is_shut_and_says_why(qtbot, office, at_desk):
    sheet = opened(qtbot, at_desk(replace(office.desk, colleague=SAM)))
    said = words(sheet)
    assert "Begin the call first: money is taken from a verified caller." in said
    assert "A clerk with an open drawer takes cash and cheques." in said
    assert set(why_shut(sheet)) == set(PaymentWay)
    assert not any(button.isEnabled() for button in sheet.form.way_buttons)
    assert not sheet.take_button.isEnabled()
    assert "142.10" not in said
    assert "rose@example.org" not in said
    assert sheet.form.receipt_to.text() == ""
    takes(sheet)
    assert on_file(office) == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"verified_at": None}, "Verify the caller first: then a payment can be taken."),
        ({"member_began": False}, "Money is only taken in a call that the member began."),
    ],
)
def test_a_caller_not_verified_and_a_call_we_made_are_refused(
    qtbot, office, at_desk, change, sentence
):
    with office.records.begin() as db:
        call = db.get_one(Call, office.call_id)
        for name, value in change.items():
            setattr(call, name, value)
    sheet = opened(qtbot, at_desk())
    assert sentence in words(sheet)
    shut = why_shut(sheet)
    assert set(shut) == {PaymentWay.STORED, PaymentWay.PAGE, PaymentWay.LINK, PaymentWay.BANK}
    # The drawer is open: who stands at the counter can pay in cash all the same.
    assert sheet.form.chosen.way is PaymentWay.CASH


def test_a_desk_without_a_gateway_or_a_teller_says_so(qtbot, office, at_desk):
    sheet = opened(qtbot, at_desk(replace(office.desk, gateway=None, teller=None)))
    assert "No payment gateway is set up here" in why_shut(sheet)[PaymentWay.PAGE]
    sheet.reject()
    sheet = opened(qtbot, at_desk(replace(office.desk, teller=None)))
    assert "not set up here" in why_shut(sheet)[PaymentWay.BANK]
    assert PaymentWay.PAGE not in why_shut(sheet)


def test_at_the_counter_a_card_is_taken_without_a_call(qtbot, office, at_desk):
    with office.records.begin() as db:
        db.get_one(Call, office.call_id).ended_at = office.desk.now()
    clerk = replace(office.desk.colleague, role=Role.CLERK)
    sheet = opened(qtbot, at_desk(replace(office.desk, colleague=clerk)))
    shut = why_shut(sheet)
    assert PaymentWay.PAGE not in shut
    assert {PaymentWay.STORED, PaymentWay.LINK, PaymentWay.BANK} <= set(shut)
    chooses(qtbot, sheet, PaymentWay.PAGE)
    takes(sheet)
    qtbot.waitUntil(sheet.state.open_page.isVisible, timeout=10_000)
    assert sheet.state.status.origin is Origin.COUNTER


def test_an_auditor_takes_nothing(qtbot, office, at_desk):
    page = at_desk(replace(office.desk, colleague=ANA))
    QTest.keyClick(page.window(), Qt.Key.Key_F4)
    assert not page.window().findChildren(PaymentSheet)


def test_an_amount_that_is_none_and_one_above_the_limit_are_said_and_not_taken(qtbot, page):
    sheet = opened(qtbot, page)
    line = sheet.form.lines[0]
    types(line.amount, "8,4.1x")
    assert "is not an amount of money" in words(sheet)
    assert not sheet.take_button.isEnabled()
    assert not sheet.read_back_box.isVisible()
    types(line.amount, "9999999.00")
    assert "is more than the" in words(sheet)
    types(line.amount, "0")
    assert "Type an amount above zero" in words(sheet)
    types(line.amount, "84.10")
    assert sheet.take_button.isEnabled()


def test_presets_by_key_and_by_press(qtbot, office, at_desk):
    with office.records.begin() as db:
        db.get_one(Account, NUMBERS[0]).past_due = Money(3010)
    sheet = opened(qtbot, at_desk())
    line = sheet.form.lines[0]
    QTest.keyClick(sheet, Qt.Key.Key_P, ALT)
    assert line.amount.text() == "30.10"
    QTest.keyClick(sheet, Qt.Key.Key_D, ALT)
    assert line.amount.text() == "142.10"
    QTest.keyClick(sheet, Qt.Key.Key_O, ALT)
    assert line.amount.hasFocus()
    assert line.amount.selectedText() == "142.10"
    qtbot.mouseClick(line.presets[0][0], LEFT)
    assert line.amount.text() == "30.10"
    assert line.presets[0][0].isChecked()


# One press


def test_a_stored_card_is_charged_and_the_sheet_becomes_the_receipt(qtbot, office, page, till):  # noqa: F811
    sheet = opened(qtbot, page)
    types(sheet.form.lines[0].amount, "84.10")
    qtbot.mouseClick(sheet.form.receipt, LEFT)
    assert sheet.form.receipt_to.text() == "rose@example.org"
    takes(sheet)
    told = ended(qtbot, sheet)
    said = words(sheet)
    assert sheet.state.amount.text() == "$84.10"
    assert sheet.state.badge.text() == "Paid"
    assert told.receipt_number in said
    qtbot.waitUntil(lambda: "owes $58.00 now" in words(sheet))
    assert "The receipt goes to rose@example.org." in said
    assert not sheet.form.isVisible()
    assert not sheet.take_button.isVisible()
    assert till.tally()["cents"] == 8410
    qtbot.waitUntil(lambda: page.accounts.detail.balance.sum.text() == "$58.00")


def test_pressing_twice_is_one_payment(qtbot, office, page, till):  # noqa: F811
    sheet = opened(qtbot, page)
    takes(sheet)
    takes(sheet)
    sheet._beginning = False  # as if the first press had been forgotten by the screen
    sheet._on_take()
    ended(qtbot, sheet)
    takes(sheet)
    qtbot.waitUntil(lambda: sheet.background.idle)
    assert len(on_file(office)) == 1
    assert (till.tally()["charges"], till.tally()["cents"]) == (1, 14210)


def test_several_accounts_are_split_added_up_and_read_back(qtbot, office, page):
    sheet = opened(qtbot, page)
    for line, amount in zip(sheet.form.lines[:2], ("50.00", "34.10"), strict=True):
        types(line.amount, amount)
    assert sheet.form.total.text() == "In all $84.10"
    assert sheet.read_back.text() == (
        "Pay $84.10 by Visa ending in 4242: $50.00 for account 1023401 and $34.10 for account "
        "1023402."
    )
    takes(sheet)
    told = ended(qtbot, sheet)
    assert [(one.account_number, one.balance) for one in told.shares] == [
        (NUMBERS[0], Money(9210)),
        (NUMBERS[1], Money(10800)),
    ]


def test_what_is_unusual_is_asked_on_the_sheet_and_yes_takes_it(qtbot, office, page):
    sheet = opened(qtbot, page)
    types(sheet.form.lines[0].amount, "200.00")
    takes(sheet)
    qtbot.waitUntil(lambda: bool(sheet.yes_buttons))
    assert "$200.00 is $57.90 more than account 1023401 owes." in words(sheet)
    assert not sheet.take_button.isEnabled()
    assert on_file(office) == ()
    qtbot.mouseClick(sheet.yes_buttons[Question.ABOVE_BALANCE], LEFT)
    assert ended(qtbot, sheet).shares[0].balance == Money(-5790)


def test_every_question_must_be_answered_and_another_amount_asks_anew(qtbot, office, page):
    office.press(shares=((NUMBERS[0], Money(20000)),))
    charging.make_round(office.courier)
    sheet = opened(qtbot, page)
    types(sheet.form.lines[0].amount, "200.00")
    takes(sheet)
    qtbot.waitUntil(lambda: len(sheet.yes_buttons) == 2)
    qtbot.mouseClick(sheet.yes_buttons[Question.SAME_LATELY], LEFT)
    assert not sheet.take_button.isEnabled()
    assert len(on_file(office)) == 1
    types(sheet.form.lines[0].amount, "10.00")
    assert not sheet.yes_buttons
    assert sheet.take_button.isEnabled()
    types(sheet.form.lines[0].amount, "200.00")
    takes(sheet)
    qtbot.waitUntil(lambda: len(sheet.yes_buttons) == 2)
    for question in list(sheet.yes_buttons):
        qtbot.mouseClick(sheet.yes_buttons[question], LEFT)
    ended(qtbot, sheet)
    assert len(on_file(office)) == 2


def test_a_decline_says_why_and_another_way_begins_with_the_same_amounts(qtbot, office, page):
    sheet = opened(qtbot, page)
    types(sheet.form.lines[0].amount, "84.10")
    chooses(qtbot, sheet, PaymentWay.STORED, office.methods["declined"])
    takes(sheet)
    declined = ended(qtbot, sheet, PaymentState.DECLINED)
    assert "insufficient funds" in words(sheet)
    qtbot.mouseClick(sheet.again, LEFT)
    qtbot.waitUntil(lambda: len(page.window().findChildren(PaymentSheet)) >= 1)
    other = page.window().findChildren(PaymentSheet)[-1]
    qtbot.waitUntil(lambda: bool(other.form.lines))
    assert other.payment_id != declined.id
    assert other.form.lines[0].amount.text() == "84.10"
    other.activateWindow()
    chooses(qtbot, other, PaymentWay.STORED, office.methods["visa"])
    other.take.trigger()
    ended(qtbot, other)


# Pages and links


def test_the_card_page_opens_in_the_browser_and_what_is_paid_there_arrives(qtbot, office, page):
    sheet = opened(qtbot, page)
    chooses(qtbot, sheet, PaymentWay.PAGE)
    assert "by card on the gateway’s page" in sheet.read_back.text()
    takes(sheet)
    qtbot.waitUntil(sheet.state.open_page.isVisible, timeout=10_000)
    assert "Nothing was paid on it yet." in words(sheet)
    qtbot.mouseClick(sheet.state.open_page, LEFT)
    (url,) = page.opened_urls
    qtbot.mouseClick(sheet.state.copy_link, LEFT)
    assert QApplication.clipboard().text() == url
    assert pay_on(url).ok
    office.desk.now.advance(seconds=5)
    assert ended(qtbot, sheet).method_words == "Visa ending in 4242"
    assert not sheet.state.open_page.isVisible()


def test_a_page_can_be_shut_again(qtbot, office, page):
    sheet = opened(qtbot, page)
    chooses(qtbot, sheet, PaymentWay.PAGE)
    takes(sheet)
    qtbot.waitUntil(sheet.shut_page.isVisible, timeout=10_000)
    qtbot.mouseClick(sheet.shut_page, LEFT)
    office.desk.now.advance(seconds=5)
    ended(qtbot, sheet, PaymentState.DECLINED)
    assert "No money has moved." in words(sheet)


def test_a_pay_link_goes_to_the_address_that_is_read_back(qtbot, office, page):
    sheet = opened(qtbot, page)
    chooses(qtbot, sheet, PaymentWay.LINK)
    assert sheet.form.link_to.text() == "rose@example.org"
    types(sheet.form.link_to, "rose@")
    assert not sheet.take_button.isEnabled()
    types(sheet.form.link_to, "rose.d@example.org")
    assert sheet.read_back.text().endswith("by a pay link to rose.d@example.org.")
    takes(sheet)
    qtbot.waitUntil(sheet.state.copy_link.isVisible, timeout=10_000)
    assert "The pay link for rose.d@example.org is open." in words(sheet)
    sheet.reject()
    qtbot.waitUntil(page.payments.open_box.isVisible)
    notice, show = page.payments.open_lines[0]
    assert notice.text() == "$142.10 waits on the gateway’s page, asked 10:42 by Pat Lindqvist."
    qtbot.mouseClick(show, LEFT)
    again = page.window().findChildren(PaymentSheet)[-1]
    qtbot.waitUntil(again.state.copy_link.isVisible)


# Cash and cheques


def test_cash_says_the_change_and_hands_it_out_on_the_receipt(qtbot, office, page):
    sheet = opened(qtbot, page)
    types(sheet.form.lines[0].amount, "84.10")
    chooses(qtbot, sheet, PaymentWay.CASH)
    assert "Type how much cash was handed over." in words(sheet)
    types(sheet.form.tendered, "80")
    assert "$4.10 is missing" in words(sheet)
    assert not sheet.take_button.isEnabled()
    types(sheet.form.tendered, "100.00")
    assert sheet.form.change.text() == "Change $15.90"
    takes(sheet)
    ended(qtbot, sheet)
    assert sheet.state.change.text() == "Hand out $15.90 change"


def test_a_cheque_wants_its_number_and_never_a_card_number(qtbot, office, page):
    sheet = opened(qtbot, page)
    chooses(qtbot, sheet, PaymentWay.CHEQUE)
    assert "Type the number of the cheque." in words(sheet)
    types(sheet.form.cheque, "4242424242424242")
    assert "holds a card number" in words(sheet)
    assert not sheet.take_button.isEnabled()
    types(sheet.form.cheque, "1042")
    takes(sheet)
    assert ended(qtbot, sheet).method_words == "Cheque 1042"


# A bank account told on the phone


def fill_bank(qtbot, sheet):
    chooses(qtbot, sheet, PaymentWay.BANK)
    types(sheet.form.bank.routing, "110000000")
    types(sheet.form.bank.number, ACCOUNT)


def test_a_bank_account_is_debited_only_after_a_yes_and_its_proof(qtbot, office, page, tmp_path):
    sheet = opened(qtbot, page)
    types(sheet.form.lines[0].amount, "84.10")
    bank = sheet.form.bank
    chooses(qtbot, sheet, PaymentWay.BANK)
    assert not bank.said_yes.isEnabled()
    types(bank.routing, "110000001")
    assert "No US bank has this routing number" in words(sheet)
    fill_bank(qtbot, sheet)
    assert "000  123  456  789" in words(sheet)
    script = bank.script.text()
    for part in ("$84.10", "ACH debit", "Rose DeLong", "ending in 6789", "(620) 555-0100",
                 "November 23, 2026", "To revoke this"):  # fmt: skip
        assert part in script
    assert ACCOUNT not in script
    assert "Read the authorization out" in words(sheet)
    bank.said_yes.click()
    assert "one of the two" in words(sheet)
    assert not sheet.take_button.isEnabled()
    types(bank.recording, "4242 4242 4242 4242")
    assert "holds a card number" in words(sheet)
    assert not sheet.take_button.isEnabled()
    types(bank.recording, "call 4711")
    assert sheet.take_button.isEnabled()
    assert sheet.read_back.text() == (
        "Pay $84.10 for account 1023401 from the checking account ending in 6789."
    )
    types(sheet.form.lines[0].amount, "94.10")
    assert not bank.said_yes.isChecked(), "another amount must be read out anew"
    bank.said_yes.click()
    takes(sheet)
    told = ended(qtbot, sheet)
    assert told.amount == Money(9410)
    assert "6789" in told.method_words
    with office.records.read() as db:
        kept = db.get_one(PhoneAuthorization, told.id)
        assert (kept.recording, "$94.10" in kept.script) == ("call 4711", True)
        assert db.get_one(MethodToken, told.id).token
    assert bank.number.text() == bank.routing.text() == bank.digits.text() == ""
    bank.number.undo()
    assert bank.number.text() == ""
    office.records.close()
    kept_anywhere = [
        file for file in tmp_path.glob("**/office.db*") if ACCOUNT.encode() in file.read_bytes()
    ]
    assert kept_anywhere == []


def test_a_gateway_that_does_not_answer_takes_nothing_and_is_tried_again(
    qtbot, office, page, till  # noqa: F811
):  # fmt: skip
    sheet = opened(qtbot, page)
    fill_bank(qtbot, sheet)
    sheet.form.bank.said_yes.click()
    types(sheet.form.bank.notice_to, "rose@example.org")
    till.misbehave(Kind.SERVER_ERROR, "/v1/payment_methods", "POST", times=1)
    takes(sheet)
    qtbot.waitUntil(sheet.problem.isVisible)
    assert "nothing was taken" in sheet.problem.text()
    assert on_file(office) == ()
    assert sheet.form.bank.number.text() == ACCOUNT
    types(sheet.form.bank.number, "000123456780")
    sheet.form.bank.said_yes.click()
    takes(sheet)
    assert "6780" in ended(qtbot, sheet).method_words


def test_a_card_number_is_no_bank_account(qtbot, page):
    sheet = opened(qtbot, page)
    fill_bank(qtbot, sheet)
    types(sheet.form.bank.number, "4242 4242 4242 4242")
    assert "A card is typed on the gateway’s own page only" in words(sheet)
    assert not sheet.take_button.isEnabled()


def test_nothing_on_the_sheet_asks_for_a_card(qtbot, page):
    sheet = opened(qtbot, page)
    asked = " ".join(one.accessibleName() for one in sheet.findChildren(QLineEdit)).lower()
    assert "card" not in asked
    assert "expir" not in asked
    assert "cvc" not in asked


# What is not known, and what others do


def test_what_is_not_known_says_not_to_take_it_again_and_can_be_closed(
    qtbot, office, page, till  # noqa: F811
):  # fmt: skip
    till.misbehave(Kind.CUT_AFTER, CHARGES, "POST", times=1)
    sheet = opened(qtbot, page)
    takes(sheet)
    ended(qtbot, sheet, PaymentState.UNKNOWN)
    assert NOT_KNOWN in words(sheet)
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(page.payments.open_box.isVisible)
    assert page.payments.open_lines[0][0].text() == (
        "$142.10 not known yet, asked 10:42 by Pat Lindqvist."
    )
    sheet = opened(qtbot, page)
    line = sheet.form.lines[0]
    assert not line.amount.isEnabled()
    assert "Do not take it again." in line.shut.text()
    qtbot.mouseClick(line.show_open, LEFT)
    ended(qtbot, sheet, PaymentState.UNKNOWN)
    office.desk.now.advance(minutes=2)
    ended(qtbot, sheet)
    assert till.tally()["charges"] == 1
    qtbot.waitUntil(lambda: not page.payments.open_box.isVisible())


def test_what_another_desk_settles_arrives_by_itself(qtbot, office, at_desk):
    begun = office.press()
    page = at_desk(replace(office.desk, gateway=None))
    qtbot.waitUntil(page.payments.open_box.isVisible)
    sheet = page.show_payment(begun.id)
    ended(qtbot, sheet, PaymentState.INTENT)
    assert "No money has moved." in words(sheet)
    charging.make_round(office.courier)
    ended(qtbot, sheet)
    qtbot.waitUntil(lambda: not page.payments.open_box.isVisible())


def test_what_was_not_sent_yet_can_be_called_off(qtbot, office, at_desk):
    begun = office.press()
    page = at_desk(replace(office.desk, gateway=None))
    sheet = page.show_payment(begun.id)
    qtbot.waitUntil(sheet.call_off.isVisible)
    qtbot.mouseClick(sheet.call_off, LEFT)
    ended(qtbot, sheet, PaymentState.ABANDONED)
    assert charging.make_round(office.courier).carried == 0


def test_somebody_else_was_quicker(qtbot, office, page):
    sheet = opened(qtbot, page)
    begun = office.press()
    takes(sheet)
    qtbot.waitUntil(sheet.show_other.isVisible)
    assert "Do not take it again." in sheet.problem.text()
    qtbot.mouseClick(sheet.show_other, LEFT)
    assert ended(qtbot, sheet).id == begun.id
    assert len(on_file(office)) == 1


# The receipt


def test_a_receipt_is_read_out_e_mailed_and_printed(qtbot, office, page):
    sheet = opened(qtbot, page)
    takes(sheet)
    told = ended(qtbot, sheet)
    qtbot.mouseClick(sheet.state.read_out_button, LEFT)
    qtbot.waitUntil(sheet.state.quote.isVisible)
    assert told.receipt_number in sheet.state.spoken.text()
    assert sheet.state.email_to.text() == "rose@example.org"
    qtbot.mouseClick(sheet.state.email_button, LEFT)
    qtbot.waitUntil(sheet.state.sent.isVisible)
    qtbot.mouseClick(sheet.state.print_button, LEFT)
    qtbot.waitUntil(lambda: bool(page.window().findChildren(PrintSheet)), timeout=10_000)
    assert {"receipt:read_out", "receipt:printed"} <= set(trail(office.desk))


def test_what_was_paid_can_be_given_back_from_its_receipt(qtbot, office, page):
    sheet = opened(qtbot, page)
    takes(sheet)
    told = ended(qtbot, sheet)
    qtbot.mouseClick(sheet.give_back, LEFT)
    (refund,) = page.window().findChildren(RefundSheet)
    assert refund.payment_id == told.id
    qtbot.waitUntil(lambda: not refund.form.isHidden())


# The ledger and the Payments place


def test_the_ledger_shows_the_balance_after_each_line_and_copies_as_csv(qtbot, office, page):
    for cents in (1000, 2000):
        office.press(shares=((NUMBERS[0], Money(cents)),))
        charging.make_round(office.courier)
    qtbot.waitUntil(page.payments.ledger.isEnabled)
    QTest.keyClick(page.window(), Qt.Key.Key_L, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    (sheet,) = page.window().findChildren(LedgerSheet)
    qtbot.waitUntil(lambda: sheet.table.rows_model.rowCount() == 2)
    newest, before = sheet.table.rows_model.rows
    assert (newest.amount, newest.balance) == (Money(-2000), Money(11210))
    assert before.balance == Money(13210)
    qtbot.mouseClick(sheet.copy_button, LEFT)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "day,kind,words,amount,balance"
    assert lines[1].endswith(",-20.00,112.10")
    office.press(shares=((NUMBERS[0], Money(3000)),))
    charging.make_round(office.courier)
    qtbot.waitUntil(lambda: sheet.table.rows_model.rowCount() == 3)


def test_open_payments_come_and_go_by_themselves(qtbot, office, at_desk):
    background = at_desk().background
    place = PaymentsScreen(background)
    qtbot.addWidget(place)
    place.resize(1000, 600)
    place.show()
    table = place.front.table
    begun = office.press()
    qtbot.waitUntil(lambda: table.rows_model.rowCount() == 1)
    assert table.rows_model.rows[0].id == begun.id
    charging.make_round(office.courier)
    qtbot.waitUntil(lambda: table.rows_model.rowCount() == 0)


def test_all_payments_are_narrowed_counted_and_added_up(qtbot, office, at_desk, tmp_path):
    office.press(PaymentWay.CASH, tendered=Money(20000))
    office.press(PaymentWay.CHEQUE, shares=((NUMBERS[1], Money(8410)),))
    background = at_desk().background
    place = PaymentsScreen(background)
    qtbot.addWidget(place)
    place.resize(1000, 600)
    place.show()
    qtbot.mouseClick(place.tab_buttons["All payments"], LEFT)
    every = place.front
    qtbot.waitUntil(lambda: every.table.rows_model.rowCount() == 2)
    assert (every.count.text(), every.sum.text()) == ("2 payments", "$226.20 paid")
    types(every.text, "84.10")
    qtbot.waitUntil(lambda: every.table.rows_model.rowCount() == 1)
    assert every.sum.text() == "$84.10 paid"
    every.text.clear()
    every.way.setCurrentIndex(every.way.findData(PaymentWay.CASH.value))
    qtbot.waitUntil(lambda: every.sum.text() == "$142.10 paid")
    every.standing.setCurrentIndex(every.standing.findData(Standing.DECLINED.value))
    qtbot.waitUntil(lambda: every.table.rows_model.rowCount() == 0)
    assert not every.export.isEnabled(), "a representative takes no list out"
    every.standing.setCurrentIndex(0)
    qtbot.waitUntil(lambda: every.table.rows_model.rowCount() == 1)
    every.table.setFocus()
    QTest.keyClick(every.table, Qt.Key.Key_Home)
    QTest.keyClick(every.table, Qt.Key.Key_Return)
    (sheet,) = place.window().findChildren(PaymentSheet)
    assert ended(qtbot, sheet).amount == Money(14210)


def test_every_tab_can_be_turned_to_and_a_new_one_is_one_line(qtbot, office, at_desk):
    place = PaymentsScreen(at_desk(replace(office.desk, colleague=SUE)).background)
    qtbot.addWidget(place)
    place.resize(1000, 600)
    place.show()
    for word, button in place.tab_buttons.items():
        qtbot.mouseClick(button, LEFT)
        assert place.front is place.made[word]
        assert place.front.isVisible()
        qtbot.waitUntil(lambda: place.background.idle)
        assert not place.front.problem.isVisible(), word


def test_the_rail_leads_to_the_payments_and_from_there_to_a_member(qtbot, office, look):
    begun = office.press(PaymentWay.CASH)
    background = Background(office.desk)
    window = Window(background, office.desk.settings, look)
    qtbot.addWidget(window)
    window.show()
    qtbot.mouseClick(window.rail_buttons["Payments"], LEFT)
    place = window.places.currentWidget()
    every = place.turn_to("All payments")
    qtbot.waitUntil(lambda: every.table.rows_model.rowCount() == 1)
    every.table.turn_to(begun.id)
    every.go_to_member.trigger()
    assert window.tabs.front.member_id == office.member_id
    qtbot.waitUntil(lambda: background.idle, timeout=10_000)
    background.close()


def test_a_payment_by_another_id_is_another_payment(office):
    """What makes a second press harmless is the id alone: another form is another payment."""
    first = office.press()
    charging.make_round(office.courier)
    second = office.press(id=str(uuid4()))
    with office.records.read() as db:
        assert db.get(Payment, first.id) is not None
        assert db.get(Payment, second.id) is not None
