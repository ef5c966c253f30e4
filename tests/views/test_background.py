import logging
import threading

from shiboken6 import delete

from console.background import Background


def test_work_that_outlives_its_background_ends_quietly(desk, qapp, caplog):
    background = Background(desk)
    go_on = threading.Event()
    workers = background._pool
    background.start(lambda: go_on.wait(10), lambda _: None)
    background.close(wait=False)
    delete(background)
    go_on.set()
    workers.shutdown(wait=True)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
