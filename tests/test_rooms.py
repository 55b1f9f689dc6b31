"""Every room keeps the contract."""

from room_contract import RoomContract
from ruamel.yaml import YAML
from small import PARAMS

from pipeline import params, rooms

DOCUMENT = YAML(typ="safe", pure=True).load(PARAMS)


def setup(name: str) -> params.Setup:
    experiment = DOCUMENT["experiments"][name]
    dataset = DOCUMENT["datasets"][experiment["dataset"]]
    return params.setup({"name": name, "experiment": experiment, "dataset": dataset})


class TestShapes(RoomContract):
    setup = setup("drawer")


class TestEcho(RoomContract):
    setup = setup("echoer")


def test_every_room_is_tested_here():
    tested = {kind.setup.experiment.problem for kind in RoomContract.__subclasses__()}
    assert tested == set(rooms.names())
