"""How money moves in the database, on both engines: legal moves, shares, the ledger, drawers.

These rules hold for everybody, whoever sets databases up too. `money_people` says who may move
what, which only PostgreSQL can tell.
"""
# ruff: noqa: S608  # every statement is put together from names of our own; nothing was typed

from __future__ import annotations

from typing import Final

from console.domain.payments import LEGAL_MOVES, PaymentState
from console.models.roles import before, refuses

NO_SUCH_MOVE: Final = "a payment does not move like this"
NOT_WHOLE: Final = "a payment is shared out whole"
TOO_MUCH: Final = "no more is given back than was paid"
NOT_STANDING: Final = "this payment does not stand"
SECOND_PERSON: Final = "a second person must approve this"
DRAWER_CLOSED: Final = "this drawer is closed"
NO_SUCH_MOVEMENT: Final = "cash goes in or comes out"
COUNTED: Final = "a drawer that was counted stays as it is"
ENDED: Final = "what has ended stays as it is"
_ONLY_ADDED: Final = "what was is only ever added to"

_FIXED: Final = {
    "payment": (
        "member_id", "way", "origin", "amount", "call_id", "method_id", "link_to", "drawer_id",
        "cheque_number", "tendered", "asked_by", "asked_at",
    ),
    "refund": (
        "payment_id", "member_id", "account_number", "amount", "reason", "needs_second",
        "drawer_id", "asked_by", "asked_at",
    ),
}  # fmt: skip
"""What a payment or a refund keeps from the first moment on."""
_KEPT: Final = ("gateway_id", "code", "answer", "finished_at", "counts_on", "sends")
"""What it keeps once it is known for good."""
_OTHER: Final = {"payment": "refund", "refund": "payment"}
"""A decision about the one must never be taken for one about the other."""
_BY_HAND: Final = {
    "payment": "NEW.way IN ('cash', 'cheque')",
    "refund": "NEW.drawer_id IS NOT NULL",
}
"""At the counter the money is there: what is asked for is charged in the same breath, and no
gateway ever hears of it."""
_END: Final = ", ".join(f"'{one}'" for one in PaymentState if one.is_final)
_MOVES: Final = ", ".join(
    f"('{was}', '{becomes}')" for was, to in LEGAL_MOVES.items() for becomes in sorted(to)
)
_ENDS: Final = {
    "stored_method": "OLD.removed_at IS NOT NULL",
    "auto_pay": "OLD.ended_at IS NOT NULL",
    "arrangement": "OLD.state <> 'open' AND OLD.state <> NEW.state",
    "method_request": "OLD.state NOT IN ('waiting', 'open') AND OLD.state <> NEW.state",
}
"""When something has come to its end for good."""


def _moves(table: str, differ: str, known: str) -> str:
    """Say when a change is no move of the protocol."""
    fixed = " OR ".join(f"OLD.{one} {differ} NEW.{one}" for one in ("id", *_FIXED[table]))
    kept = " OR ".join(f"OLD.{one} {differ} NEW.{one}" for one in _KEPT)
    by_hand = _BY_HAND[table]
    return f"""
      {fixed}
      OR OLD.state <> NEW.state AND NOT (
        (OLD.state, NEW.state) IN ({known}) AND NOT (NEW.state = 'sending' AND {by_hand})
        OR OLD.state = 'intent' AND NEW.state = 'charged' AND {by_hand})
      -- The clock of the key never starts afresh.
      OR NEW.sends < OLD.sends
      OR OLD.first_sent_at IS NOT NULL AND OLD.first_sent_at {differ} NEW.first_sent_at
      OR OLD.state IN ({_END}) AND ({kept})
      OR NEW.settled_at IS NOT NULL AND NEW.state <> 'charged'
      OR OLD.settled_at IS NOT NULL AND OLD.settled_at {differ} NEW.settled_at"""


_LEDGER_COLUMNS: Final = "account_number, kind, amount, day, at, words, source_id"
_STILL_PAID: Final = """
    SELECT {of} FROM ledger_entry e
    WHERE e.account_number = NEW.account_number AND e.kind = 'payment' AND NOT EXISTS (
      SELECT 1 FROM payment_return r WHERE r.payment_id = e.source_id)
    ORDER BY e.id DESC LIMIT 1"""
_BALANCES: Final = f"""
  balance = balance + NEW.amount,
  past_due = CASE
    WHEN NEW.kind = 'payment' THEN {{more}}(past_due + NEW.amount, 0)
    WHEN NEW.kind IN ('return', 'fee') THEN {{more}}(past_due, {{less}}(past_due + NEW.amount,
      balance + NEW.amount - CASE WHEN due_on >= NEW.day THEN coalesce(last_bill, 0) ELSE 0 END))
    ELSE past_due END,
  last_payment = CASE NEW.kind WHEN 'payment' THEN -NEW.amount
    WHEN 'return' THEN ({_STILL_PAID.format(of="-e.amount")})
    ELSE last_payment END,
  last_payment_on = CASE NEW.kind WHEN 'payment' THEN NEW.day
    WHEN 'return' THEN ({_STILL_PAID.format(of="e.day")})
    ELSE last_payment_on END
"""
"""What was due before is paid first. When money comes back, what is owed beyond a bill that is not
due yet is past due again, and the last payment is the last one that stands."""

_GIVEN_BACK: Final = """
(SELECT coalesce(sum(r.amount), 0) FROM refund r
  WHERE r.payment_id = s.payment_id AND r.account_number = s.account_number AND {which})"""
_MAY_YET_BE: Final = _GIVEN_BACK.format(which="r.state NOT IN ('declined', 'abandoned')")
_GIVEN: Final = _GIVEN_BACK.format(which="r.state = 'charged'")
_REFUND_FITS: Final = f"""
EXISTS (
  SELECT 1 FROM payment p JOIN payment_share s ON s.payment_id = p.id
  WHERE p.id = NEW.payment_id AND p.state = 'charged' AND p.member_id = NEW.member_id
  AND s.account_number = NEW.account_number
  AND NOT EXISTS (SELECT 1 FROM payment_return r WHERE r.payment_id = p.id)
  AND NEW.amount + {_MAY_YET_BE} <= s.amount)"""
_NOT_APPROVED: Final = """
NEW.approved_by <> '' AND NEW.approved_by = NEW.asked_by
  OR OLD.approved_by <> '' AND OLD.approved_by <> NEW.approved_by
  OR OLD.state <> 'intent' AND OLD.approved_by <> NEW.approved_by
  OR OLD.state = 'intent' AND NEW.state IN ('sending', 'charged')
    AND NEW.needs_second AND NEW.approved_by = ''"""
_RETURN_FITS: Final = """
NEW.fee >= 0 AND EXISTS (
  SELECT 1 FROM payment p LEFT JOIN drawer d ON d.id = p.drawer_id
  WHERE p.id = NEW.payment_id AND p.state = 'charged' AND p.member_id = NEW.member_id
  AND (NEW.kind <> 'void' OR NEW.fee = 0 AND d.id IS NOT NULL AND d.closed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.payment_id = p.id
      AND r.state NOT IN ('declined', 'abandoned'))))"""
_MOVEMENT_FITS: Final = "NEW.amount <> 0 AND (NEW.kind = 'pay_in') = (NEW.amount > 0)"
_SHARES: Final = """
(SELECT coalesce(sum(s.amount), 0) FROM payment_share s WHERE s.payment_id = NEW.id)"""
_BEGUN: Final = "NEW.state IN ('sending', 'charged') AND OLD.state = 'intent'"
_OPEN_DRAWER: Final = "drawer d WHERE d.id = NEW.drawer_id AND d.closed_at IS NULL"
_HANDED_OVER: Final = "NEW.state = 'charged' AND OLD.state = 'intent' AND NEW.drawer_id IS NOT NULL"


# SQLite


def _refused(name: str, on: str, table: str, when: str, words: str) -> str:
    return f"""
    CREATE TRIGGER {name} BEFORE {on} ON {table} WHEN {when}
    BEGIN SELECT RAISE(ABORT, '{words}'); END
    """


def _sqlite_outgoing(table: str) -> tuple[str, ...]:
    return (
        _refused(
            f"{table}_moves",
            "UPDATE",
            table,
            _moves(table, "IS NOT", f"VALUES {_MOVES}"),
            NO_SUCH_MOVE,
        ),
        _refused(
            f"{table}_begins",
            "INSERT",
            table,
            f"NEW.state <> 'intent' OR NEW.amount <= 0"
            f" OR EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"
            f" OR EXISTS (SELECT 1 FROM {_OTHER[table]} WHERE id = NEW.id)",
            NO_SUCH_MOVE,
        ),
        _refused(f"{table}_keeps_delete", "DELETE", table, "true", _ONLY_ADDED),
        _refused(
            f"{table}_is_handed_over",
            "UPDATE",
            table,
            f"{_HANDED_OVER} AND NOT EXISTS (SELECT 1 FROM {_OPEN_DRAWER})",
            DRAWER_CLOSED,
        ),
    )


_NOW_ON_SQLITE: Final = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"

SQLITE: Final = (
    *_sqlite_outgoing("payment"),
    *_sqlite_outgoing("refund"),
    _refused(
        "payment_is_whole", "UPDATE", "payment", f"{_BEGUN} AND NEW.amount <> {_SHARES}", NOT_WHOLE
    ),
    _refused(
        "payment_share_begins",
        "INSERT",
        "payment_share",
        """NEW.amount <= 0 OR NOT EXISTS (
      SELECT 1 FROM payment p JOIN account a ON a.number = NEW.account_number
      WHERE p.id = NEW.payment_id AND p.state = 'intent' AND NEW.is_open
      AND a.member_id = p.member_id)""",
        NOT_WHOLE,
    ),
    _refused(
        "payment_share_follows",
        "UPDATE",
        "payment_share",
        f"NEW.is_open OR (SELECT state FROM payment WHERE id = NEW.payment_id) NOT IN ({_END})",
        NO_SUCH_MOVE,
    ),
    f"""
    CREATE TRIGGER payment_is_recorded AFTER UPDATE OF state ON payment
    WHEN NEW.state = 'charged' AND OLD.state <> 'charged'
    BEGIN
      INSERT INTO ledger_entry ({_LEDGER_COLUMNS})
      SELECT s.account_number, 'payment', -s.amount,
        coalesce(NEW.counts_on, date('now')), {_NOW_ON_SQLITE}, NEW.method_words, NEW.id
      FROM payment_share s WHERE s.payment_id = NEW.id ORDER BY s.account_number;
    END
    """,
    f"""
    CREATE TRIGGER payment_is_over AFTER UPDATE OF state ON payment
    WHEN NEW.state IN ({_END}) AND OLD.state <> NEW.state
    BEGIN UPDATE payment_share SET is_open = 0 WHERE payment_id = NEW.id AND is_open; END
    """,
    _refused("refund_fits", "INSERT", "refund", f"NOT {_REFUND_FITS}", TOO_MUCH),
    _refused("refund_is_approved", "UPDATE", "refund", _NOT_APPROVED, SECOND_PERSON),
    f"""
    CREATE TRIGGER refund_is_recorded AFTER UPDATE OF state ON refund
    WHEN NEW.state = 'charged' AND OLD.state <> 'charged'
    BEGIN
      INSERT INTO ledger_entry ({_LEDGER_COLUMNS}) VALUES (
        NEW.account_number, 'refund', NEW.amount, coalesce(NEW.counts_on, date('now')),
        {_NOW_ON_SQLITE}, substr(NEW.reason, 1, 200), NEW.id);
    END
    """,
    _refused(
        "payment_return_fits", "INSERT", "payment_return", f"NOT ({_RETURN_FITS})", NOT_STANDING
    ),
    f"""
    CREATE TRIGGER payment_return_is_recorded AFTER INSERT ON payment_return
    BEGIN
      INSERT INTO ledger_entry ({_LEDGER_COLUMNS})
      SELECT s.account_number, 'return', s.amount - {_GIVEN},
        NEW.counts_on, {_NOW_ON_SQLITE}, substr(NEW.reason, 1, 200), NEW.id
      FROM payment_share s WHERE s.payment_id = NEW.payment_id ORDER BY s.account_number;
      INSERT INTO ledger_entry ({_LEDGER_COLUMNS})
      SELECT min(s.account_number), 'fee', NEW.fee, NEW.counts_on, {_NOW_ON_SQLITE},
        'Returned payment fee', NEW.id
      FROM payment_share s WHERE s.payment_id = NEW.payment_id AND NEW.fee > 0
      HAVING min(s.account_number) IS NOT NULL;
    END
    """,
    _refused(
        "ledger_entry_has_source",
        "INSERT",
        "ledger_entry",
        """console_audited() AND NOT (
      (NEW.kind = 'payment' AND EXISTS (SELECT 1 FROM payment p
        JOIN payment_share s ON s.payment_id = p.id WHERE p.id = NEW.source_id
        AND p.state = 'charged' AND s.account_number = NEW.account_number
        AND NEW.amount = -s.amount))
      OR (NEW.kind = 'refund' AND EXISTS (SELECT 1 FROM refund r WHERE r.id = NEW.source_id
        AND r.state = 'charged' AND r.account_number = NEW.account_number
        AND r.amount = NEW.amount))
      OR (NEW.kind = 'return' AND EXISTS (SELECT 1 FROM payment_return r
        JOIN payment_share s ON s.payment_id = r.payment_id WHERE r.id = NEW.source_id
        AND s.account_number = NEW.account_number AND NEW.amount <= s.amount))
      OR (NEW.kind = 'fee' AND EXISTS (SELECT 1 FROM payment_return r
        WHERE r.id = NEW.source_id AND r.fee = NEW.amount))
      OR NEW.kind IN ('bill', 'opening'))""",
        NOT_STANDING,
    ),
    f"""
    CREATE TRIGGER ledger_entry_counts AFTER INSERT ON ledger_entry WHEN console_audited()
    BEGIN UPDATE account SET {_BALANCES.format(more="max", less="min")}
      WHERE number = NEW.account_number; END
    """,
    _refused("drawer_stays_shut", "UPDATE", "drawer", "OLD.closed_at IS NOT NULL", COUNTED),
    _refused(
        "drawer_movement_fits",
        "INSERT",
        "drawer_movement",
        f"NOT EXISTS (SELECT 1 FROM {_OPEN_DRAWER})",
        DRAWER_CLOSED,
    ),
    _refused(
        "drawer_movement_goes",
        "INSERT",
        "drawer_movement",
        f"NOT ({_MOVEMENT_FITS})",
        NO_SUCH_MOVEMENT,
    ),
    *(
        _refused(f"{table}_stays_ended", "UPDATE", table, ended, ENDED)
        for table, ended in _ENDS.items()
    ),
    """
    CREATE TRIGGER auto_pay_begins AFTER INSERT ON auto_pay WHEN NEW.ended_at IS NULL
    BEGIN UPDATE account SET autopay = 1 WHERE number = NEW.account_number; END
    """,
    """
    CREATE TRIGGER auto_pay_ends AFTER UPDATE OF ended_at ON auto_pay
    WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL
    BEGIN UPDATE account SET autopay = 0 WHERE number = NEW.account_number; END
    """,
)


# PostgreSQL


def _always(name: str, body: str) -> str:
    """Write a trigger function that holds for everybody, whoever sets databases up too."""
    return f"""
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    AS $$
    BEGIN
      {body}
      RETURN NEW;
    END $$
    """


def _refusal(name: str, on: str, table: str, when: str, words: str) -> tuple[str, str]:
    body = f"IF {when} THEN {refuses(words)}; END IF;"
    return _always(name, body), before(table, on, name)


def _after(table: str, on: str, asked: str) -> str:
    return f"CREATE TRIGGER {asked} AFTER {on} ON {table} FOR EACH ROW EXECUTE FUNCTION {asked}()"


def _postgresql_outgoing(table: str) -> tuple[str, ...]:
    return (
        *_refusal(
            f"{table}_moves",
            "UPDATE",
            table,
            _moves(table, "IS DISTINCT FROM", _MOVES),
            NO_SUCH_MOVE,
        ),
        *_refusal(
            f"{table}_begins",
            "INSERT",
            table,
            f"NEW.state <> 'intent' OR NEW.amount <= 0"
            f" OR EXISTS (SELECT 1 FROM {_OTHER[table]} o WHERE o.id = NEW.id)",
            NO_SUCH_MOVE,
        ),
        _always(
            f"{table}_is_handed_over",
            f"""
      IF {_HANDED_OVER} THEN
        -- Whoever counts this drawer waits until we are through, or we for them.
        PERFORM 1 FROM {_OPEN_DRAWER} FOR SHARE;
        IF NOT FOUND THEN {refuses(DRAWER_CLOSED)}; END IF;
      END IF;""",
        ),
        before(table, "UPDATE", f"{table}_is_handed_over"),
    )


_INTO_LEDGER: Final = f"INSERT INTO ledger_entry ({_LEDGER_COLUMNS})"

POSTGRESQL: Final = (
    *_postgresql_outgoing("payment"),
    *_postgresql_outgoing("refund"),
    *_refusal(
        "payment_is_whole", "UPDATE", "payment", f"{_BEGUN} AND NEW.amount <> {_SHARES}", NOT_WHOLE
    ),
    *_refusal(
        "payment_share_begins",
        "INSERT",
        "payment_share",
        """NEW.amount <= 0 OR NOT EXISTS (
        SELECT 1 FROM payment p JOIN account a ON a.number = NEW.account_number
        WHERE p.id = NEW.payment_id AND p.state = 'intent' AND NEW.is_open
        AND p.xmin = pg_current_xact_id()::xid AND a.member_id = p.member_id)""",
        NOT_WHOLE,
    ),
    *_refusal(
        "payment_share_follows",
        "UPDATE",
        "payment_share",
        f"""NEW.is_open OR (OLD.id, OLD.payment_id, OLD.account_number, OLD.amount)
        IS DISTINCT FROM (NEW.id, NEW.payment_id, NEW.account_number, NEW.amount)
        OR (SELECT p.state FROM payment p WHERE p.id = NEW.payment_id) NOT IN ({_END})""",
        NO_SUCH_MOVE,
    ),
    _always(
        "payment_is_recorded",
        f"""
      IF NEW.state = OLD.state THEN RETURN NEW; END IF;
      IF NEW.state = 'charged' THEN
        {_INTO_LEDGER}
        SELECT s.account_number, 'payment', -s.amount, coalesce(NEW.counts_on, current_date),
          clock_timestamp(), NEW.method_words, NEW.id
        FROM payment_share s WHERE s.payment_id = NEW.id ORDER BY s.account_number;
      END IF;
      IF NEW.state IN ({_END}) THEN
        UPDATE payment_share SET is_open = false WHERE payment_id = NEW.id AND is_open;
      END IF;""",
    ),
    _after("payment", "UPDATE", "payment_is_recorded"),
    _always(
        "refund_fits",
        f"""
      -- Two who give back at the same time wait for each other here; the drawer comes first, as
      -- for whoever counts it.
      PERFORM 1 FROM drawer d WHERE d.id = NEW.drawer_id FOR KEY SHARE;
      PERFORM 1 FROM payment p WHERE p.id = NEW.payment_id FOR UPDATE;
      IF NOT {_REFUND_FITS} THEN {refuses(TOO_MUCH)}; END IF;""",
    ),
    before("refund", "INSERT", "refund_fits"),
    *_refusal("refund_is_approved", "UPDATE", "refund", _NOT_APPROVED, SECOND_PERSON),
    _always(
        "refund_is_recorded",
        f"""
      IF NEW.state = 'charged' AND OLD.state <> 'charged' THEN
        {_INTO_LEDGER} VALUES (NEW.account_number, 'refund', NEW.amount,
          coalesce(NEW.counts_on, current_date), clock_timestamp(), left(NEW.reason, 200), NEW.id);
      END IF;""",
    ),
    _after("refund", "UPDATE", "refund_is_recorded"),
    _always(
        "payment_return_fits",
        f"""
      IF NEW.kind = 'void' THEN
        PERFORM 1 FROM drawer d JOIN payment p ON p.drawer_id = d.id
          WHERE p.id = NEW.payment_id FOR SHARE OF d;
      END IF;
      PERFORM 1 FROM payment p WHERE p.id = NEW.payment_id FOR UPDATE;
      IF NOT ({_RETURN_FITS}) THEN {refuses(NOT_STANDING)}; END IF;""",
    ),
    before("payment_return", "INSERT", "payment_return_fits"),
    _always(
        "payment_return_is_recorded",
        f"""
      {_INTO_LEDGER}
      SELECT s.account_number, 'return', s.amount - {_GIVEN},
        NEW.counts_on, clock_timestamp(), left(NEW.reason, 200), NEW.id
      FROM payment_share s WHERE s.payment_id = NEW.payment_id ORDER BY s.account_number;
      IF NEW.fee > 0 THEN
        {_INTO_LEDGER}
        SELECT min(s.account_number), 'fee', NEW.fee, NEW.counts_on, clock_timestamp(),
          'Returned payment fee', NEW.id
        FROM payment_share s WHERE s.payment_id = NEW.payment_id;
      END IF;""",
    ),
    _after("payment_return", "INSERT", "payment_return_is_recorded"),
    _always(
        "ledger_entry_counts",
        f"""
      -- What fills tables brings its balances along.
      IF current_setting('console.auditing', true) = 'off' AND audit_may_say_who() THEN
        RETURN NEW;
      END IF;
      UPDATE account SET {_BALANCES.format(more="greatest", less="least")}
        WHERE number = NEW.account_number;""",
    ),
    _after("ledger_entry", "INSERT", "ledger_entry_counts"),
    _always("ledger_entry_stays", f"{refuses(_ONLY_ADDED)};"),
    before("ledger_entry", "UPDATE OR DELETE", "ledger_entry_stays"),
    *_refusal("drawer_stays_shut", "UPDATE", "drawer", "OLD.closed_at IS NOT NULL", COUNTED),
    _always(
        "drawer_movement_fits",
        f"""
      PERFORM 1 FROM {_OPEN_DRAWER} FOR SHARE;
      IF NOT FOUND THEN {refuses(DRAWER_CLOSED)}; END IF;""",
    ),
    before("drawer_movement", "INSERT", "drawer_movement_fits"),
    *_refusal(
        "drawer_movement_goes",
        "INSERT",
        "drawer_movement",
        f"NOT ({_MOVEMENT_FITS})",
        NO_SUCH_MOVEMENT,
    ),
    *(
        statement
        for table, ended in _ENDS.items()
        for statement in _refusal(f"{table}_stays_ended", "UPDATE", table, ended, ENDED)
    ),
    _always(
        "auto_pay_shows",
        """
      UPDATE account SET autopay = NEW.ended_at IS NULL WHERE number = NEW.account_number
        AND autopay <> (NEW.ended_at IS NULL);""",
    ),
    _after("auto_pay", "INSERT OR UPDATE", "auto_pay_shows"),
)
