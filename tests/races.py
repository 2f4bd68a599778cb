"""Things that happen at the same moment: real threads, each with a session and a transaction of its own."""

import threading
from collections.abc import Callable

from flask import Flask

from domain.problems import Problem
from models import db


def at_once(app: Flask, *actions: Callable[[], object]) -> list[Problem | None]:
    """Do all of them at once, each committed by itself; what each was refused with, None for a success."""
    refusals: list[Problem | None] = []
    together = threading.Barrier(len(actions))
    faults: list[BaseException] = []

    def one(action: Callable[[], object]) -> None:
        with app.app_context():
            try:
                together.wait()
                action()
                db.session.commit()
                refusals.append(None)
            except Problem as problem:
                db.session.rollback()
                refusals.append(problem)
            except BaseException as fault:  # noqa: BLE001 - told to the test below, whatever it is
                faults.append(fault)

    threads = [threading.Thread(target=one, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults
    return refusals
