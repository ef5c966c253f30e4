"""The stand-ins, for the tests of this room."""

from tests.stand_ins import client, clock, post, site

__all__ = ["client", "clock", "post", "site"]
