"""Every room keeps the contract."""

from room_contract import RoomContract
from small import small_setup

from pipeline import rooms


class TestShapes(RoomContract):
    setup = small_setup("drawer")


class TestEcho(RoomContract):
    setup = small_setup("echoer")


def test_every_room_is_tested_here():
    tested = {kind.setup.experiment.problem for kind in RoomContract.__subclasses__()}
    assert tested == set(rooms.names())
