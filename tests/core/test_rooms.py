"""Every room keeps the contract."""

import echoes
from room_contract import RoomContract
from small import small_setup

from pipeline.core import rooms


class TestShapes(RoomContract):
    setup = small_setup("drawer")


class TestEcho(RoomContract):
    setup = small_setup("echoer")


class TestEchoOfScaledAndMissingIntegers(RoomContract):
    setup = echoes.setup(
        4, 2, missing="masked", representation="scaled", model={"architecture": "vector"}
    )


class TestEchoThatIsAskedWhereSequencesBegin(RoomContract):
    setup = echoes.setup(4, 2, missing="unseen")


class TestEchoOfOtherLengths(RoomContract):
    setup = echoes.setup(
        4,
        4,
        shortest=2,
        lengths=[1, 4, 6],
        model={"handover": "state", "teacher_forcing": True, "attends": True, "embedding": 3},
    )


class TestEchoOfThePast(RoomContract):
    setup = echoes.setup(
        5,
        5,
        stride=5,
        answer="sequence",
        model={"architecture": "lstm"},
        training={"state": "sequence"},
    )


def test_every_room_is_tested_here():
    tested = {kind.setup.experiment.problem for kind in RoomContract.__subclasses__()}
    assert tested == set(rooms.names())
