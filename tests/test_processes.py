"""What processes owe each other, and what an interrupt has to wait for."""

import signal

import pytest

from pipeline.utils import locks


@pytest.fixture(autouse=True)
def interruptible():
    """Ctrl-C as a terminal has it; what a script starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_who_lives_is_known_by_its_start_though_the_clock_is_set():
    host, pid, started = locks.name().rsplit(":", 2)
    assert locks.alive(locks.name())
    assert locks.alive(f"{host}:{pid}:{float(started) - 1:.2f}")
    assert not locks.alive(f"{host}:{pid}:{float(started) - 3600:.2f}")
    assert locks.alive(f"another:{pid}:{started}")


def test_an_interrupt_waits_until_what_is_short_is_done():
    done = []
    with pytest.raises(KeyboardInterrupt), locks.defer_interrupt():
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_does_not_wait():
    with pytest.raises(KeyboardInterrupt), locks.defer_interrupt():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it has waited")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nobody_who_ignores_interrupts_is_interrupted():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with locks.defer_interrupt():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
