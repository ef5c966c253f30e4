"""The one kind of problem that staff are meant to read; every other exception is a bug."""


class ConsoleError(Exception):
    """A problem whose message is written for staff and safe to show them."""
