"""Signals and the deadline are seen at checkpoints, and nowhere else."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from nonstop.errors import Interruption
from nonstop.stopping import Stop


@pytest.mark.parametrize(
    ("number", "name", "exit_code"), [(signal.SIGINT, "SIGINT", 130), (signal.SIGTERM, "SIGTERM", 143)]
)
def test_a_signal_waits_for_the_next_checkpoint(number: int, name: str, exit_code: int) -> None:
    stop = Stop()
    with stop.listening():
        stop.checkpoint()
        os.kill(os.getpid(), number)
        with pytest.raises(Interruption) as caught:
            stop.checkpoint()
    assert (caught.value.reason, caught.value.exit_code) == (name, exit_code)


def test_a_second_signal_breaks_off() -> None:
    stop = Stop()
    with stop.listening():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)


def test_the_handlers_from_before_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Stop().listening():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_thread_than_the_main_one_can_run_too() -> None:
    reached = []

    def run() -> None:
        with Stop().listening():
            reached.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert reached == [True]


def test_the_deadline_ends_a_run_at_a_checkpoint() -> None:
    Stop(deadline=3600).checkpoint()
    with pytest.raises(Interruption, match=r"the deadline of 0 s has passed") as caught:
        Stop(deadline=0).checkpoint()
    assert caught.value.exit_code == 1


def test_the_deadline_breaks_off_what_takes_longer() -> None:
    cancelled = threading.Event()
    with Stop(deadline=0).breaking_off(cancelled.set):
        assert cancelled.wait(timeout=10)


@pytest.mark.parametrize("deadline", [None, 3600.0])
def test_what_ends_in_time_is_not_broken_off(deadline: float | None) -> None:
    cancelled = threading.Event()
    before = threading.active_count()
    with Stop(deadline).breaking_off(cancelled.set):
        assert threading.active_count() == before + (deadline is not None)
    assert not cancelled.is_set()
