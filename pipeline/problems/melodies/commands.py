"""`pipeline play`."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from pipeline.problems.base import TrainedNetwork
from pipeline.problems.melodies.data import grammar
from pipeline.utils import files
from pipeline.utils.options import TEMPERATURE


def play(
    network: TrainedNetwork,
    out: Annotated[Path | None, typer.Option(help="File to write (default: NETWORK.mid).")] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Melodies, one after another.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the sampling.")] = 0,
    temperature: Annotated[float, TEMPERATURE] = 1.0,
) -> None:
    """Write a MIDI file of melodies with a trained network."""
    path = out or Path(f"{network.config.identifier}.mid")
    files.prepare_output("--out", path, (".mid",))
    from pipeline.problems.melodies.model import make_writer  # loads Keras: after all checks

    write = make_writer(network.load(network.config), network.config)
    melodies = write(count, seed, temperature)[0]
    with files.atomic_write(path) as partial:
        _save_midi(melodies, partial)
    print(path)


def _save_midi(melodies: np.ndarray, path: Path) -> None:
    """Write melodies (S, T) to a MIDI file, at 120 beats per minute and with rests between them."""
    from mido import Message, MidiFile, MidiTrack

    track, file = MidiTrack(), MidiFile()
    for melody in melodies.tolist():
        rest = 2 * file.ticks_per_beat if track else 0
        for note in melody:
            pitch, duration = divmod(note, len(grammar.DURATIONS))
            ticks = round(grammar.DURATIONS[duration] * file.ticks_per_beat)
            track.append(Message("note_on", note=pitch + grammar.LOWEST, time=rest))
            track.append(Message("note_off", note=pitch + grammar.LOWEST, time=ticks))
            rest = 0
    file.tracks.append(track)
    file.save(path)
