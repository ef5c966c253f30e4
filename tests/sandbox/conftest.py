"""The stand-ins, for the tests of this room."""

from tests.browser import chromium, page
from tests.stand_ins import client, clock, post, site

__all__ = ["chromium", "client", "clock", "page", "post", "site"]
