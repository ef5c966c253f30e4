"""The database killed again and again in mid-payment: nothing is double, lost or left open."""

import os
import pwd
import random
import shutil
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import psutil
import pytest

from console.clients.stripe_gateway import StripeGateway
from console.domain.errors import ConsoleError
from console.domain.money import Money
from console.models import schema
from console.models.payments import Payment
from console.sandbox import gateway
from console.services import payments
from tests import servers
from tests.payments.office import count, decide, found, judge, moved_at, real_clock
from tests.servers import SUPERUSER, free_port, run, server_folder

ACCOUNTS = tuple(f"55{place:05}" for place in range(12))


class Server:
    """A PostgreSQL that keeps its word about what it has committed, and can be killed."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.data = str(folder / "data")
        self.url = f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{self.port}/postgres"

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 "
        options += "-c max_connections=60 -c shared_buffers=16MB"
        log = str(self.folder / "log")
        run("pg_ctl", "-D", self.data, "-w", "-l", log, "-o", options, "start")

    def kill(self, *, with_power_cut):
        if not with_power_cut:
            run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
            return
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        family = [psutil.Process(first), *psutil.Process(first).children()]
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=10)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)


@contextmanager
def running_server():
    servers.find_debians()
    folder = server_folder("coop-killed-pg-")
    if os.geteuid() == 0:
        postgres = pwd.getpwnam("postgres")
        os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    server = Server(folder)
    run("initdb", "-D", server.data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-locale",
        "-N")  # fmt: skip
    server.start()
    try:
        yield server
    finally:
        run("pg_ctl", "-D", server.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


class Busy:
    """One who presses and two couriers, at work until it is over."""

    def __init__(self, office, second):
        self.pressed, self.strange = [], []
        self._over, self._chance = threading.Event(), random.Random(4)
        jobs = (lambda: self._press(office), office.sweep, second.sweep)
        self._work = [threading.Thread(target=self._go_on, args=(job,)) for job in jobs]

    def __enter__(self):
        for thread in self._work:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._work:
            thread.join()

    def _press(self, office):
        number = self._chance.choice(ACCOUNTS)
        wish = office.wish(shares=((number, Money(100 + len(self.pressed) % 50)),))
        payments.begin(office.desk, wish)
        self.pressed.append(wish.id)

    def _go_on(self, job):
        while not self._over.wait(0.005):
            try:
                job()
            except ConsoleError:
                continue  # it is told, and done again
            except Exception as problem:  # whatever it is, it must not happen
                self.strange.append(repr(problem))


def survive(times, tmp_path):
    """Kill the database so many times while payments run; answer what was pressed and charged."""
    ahead, chance = [0.0], random.Random(4)
    now = real_clock(lambda: ahead[0])
    file = tmp_path / "gateway.sqlite"
    with running_server() as server, gateway.running(file, clock=now) as till:
        records, others = schema.open_records(server.url), schema.open_records(server.url)
        client = StripeGateway(till.url, till.key, deadline=5, clock=now)
        office = found(records, now, client, numbers=ACCOUNTS)
        second = replace(office, courier=replace(office.courier, records=others))
        with Busy(office, second) as busy:
            for turn in range(times):
                time.sleep(chance.uniform(0.05, 0.35))
                server.kill(with_power_cut=turn % 2 == 0)
                server.start()
                ahead[0] += 70
            time.sleep(0.5)
        for _ in range(30):
            office.sweep()
            ahead[0] += 600
        moved, given = moved_at(till)
        decide(records, moved, now())
        verdict = judge(records, moved, given)
        kept = {one for one in busy.pressed if _is_kept(records, one)}
        there = count(records, Payment)
        client.close()
        records.close()
        others.close()
    assert busy.strange == []
    assert verdict.faults == {}
    assert kept == set(busy.pressed)  # what a desk was told of is on file
    assert verdict.charged > 0
    return there, verdict.charged


def _is_kept(records, payment_id):
    with records.read() as db:
        return db.get(Payment, payment_id) is not None


def test_the_database_killed_in_mid_payment(tmp_path):
    survive(20, tmp_path)


@pytest.mark.soak
def test_the_database_killed_a_hundred_times(tmp_path, capsys):
    there, charged = survive(100, tmp_path)
    with capsys.disabled():
        print(f"\n100 kills of the database: {there} payments, {charged} charged, nothing wrong")  # noqa: T201
