"""The guards around every test can catch what they are there for."""

import socket

import pytest
import requests
from sqlalchemy import text


def test_a_call_inside_a_transaction_is_caught(records, portal):
    def call_too_early():
        with records.read() as db:
            db.execute(text("SELECT 1"))
            requests.get(portal.url, timeout=5)

    with pytest.raises(AssertionError, match="network call inside a transaction"):
        call_too_early()
    assert requests.get(portal.url, timeout=5).status_code


def test_a_call_beyond_this_machine_is_caught():
    with socket.socket() as sock, pytest.raises(AssertionError, match="reached out to"):
        sock.connect(("192.0.2.1", 80))
