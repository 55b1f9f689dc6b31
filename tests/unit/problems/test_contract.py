"""Every room keeps the contract."""

import echoes
import writers
from room_contract import RoomContract
from small import small_config

from pipeline.problems.base import problem_names


class TestShapes(RoomContract):
    config = small_config("drawer")


class TestEcho(RoomContract):
    config = small_config("echoer")


class TestEchoOfScaledAndMissingIntegers(RoomContract):
    config = echoes.config(
        4, 2, missing="masked", representation="scaled", model={"architecture": "vector"}
    )


class TestEchoThatIsAskedWhereSequencesBegin(RoomContract):
    config = echoes.config(4, 2, missing="unseen")


class TestEchoOfOtherLengths(RoomContract):
    config = echoes.config(
        4,
        4,
        shortest=2,
        lengths=[1, 4, 6],
        model={
            "decoder_context": "state",
            "teacher_forcing": True,
            "attends": True,
            "embedding": 3,
        },
    )


class TestEchoOfThePast(RoomContract):
    config = echoes.config(
        5,
        5,
        stride=5,
        answer="sequence",
        model={"architecture": "lstm"},
        training={"state": "sequence"},
    )


class TestText(RoomContract):
    config = small_config("writer")


class TestTextFromAWindow(RoomContract):
    config = writers.config("many-to-one", 3)


class TestTextFromOneCharacter(RoomContract):
    config = writers.config("one-to-many", 3, stride=1)


class TestTextOfTheManual(RoomContract):
    config = writers.config(
        window=10,
        model={"layers": 2, "embedding": 3},
        training={"state": "sequence", "batch_size": 4},
        dataset=writers.DOCS | {"characters": 50_000},
    )


class TestTextOfTheStandardLibrary(RoomContract):
    config = writers.config(
        window=8, dataset=writers.DOCS | {"corpus": "source", "characters": 50_000}
    )


def test_every_room_is_tested_here():
    tested = {kind.config.experiment.problem for kind in RoomContract.__subclasses__()}
    assert tested == set(problem_names())
