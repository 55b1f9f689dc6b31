"""What processes owe each other, and what an interrupt has to wait for."""

import signal

import pytest

from pipeline import processes


def test_an_interrupt_waits_until_what_is_short_is_done():
    done = []
    with pytest.raises(KeyboardInterrupt), processes.undisturbed():
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_does_not_wait():
    with pytest.raises(KeyboardInterrupt), processes.undisturbed():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it has waited")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nobody_who_ignores_interrupts_is_interrupted():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with processes.undisturbed():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
