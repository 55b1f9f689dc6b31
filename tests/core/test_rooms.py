"""Every room keeps the contract."""

import echoes
import writers
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


class TestText(RoomContract):
    setup = small_setup("writer")


class TestTextFromAWindow(RoomContract):
    setup = writers.setup("many-to-one", 3)


class TestTextFromOneCharacter(RoomContract):
    setup = writers.setup("one-to-many", 3, stride=1)


class TestTextOfTheManual(RoomContract):
    setup = writers.setup(
        window=10,
        model={"layers": 2, "embedding": 3},
        training={"state": "sequence", "batch_size": 4},
        dataset=writers.DOCS | {"characters": 50_000},
    )


class TestTextOfTheStandardLibrary(RoomContract):
    setup = writers.setup(
        window=8, dataset=writers.DOCS | {"corpus": "source", "characters": 50_000}
    )


def test_every_room_is_tested_here():
    tested = {kind.setup.experiment.problem for kind in RoomContract.__subclasses__()}
    assert tested == set(rooms.names())
