"""The grammar of melodies: Markov chains of pitches, one per key, and a chain of durations.

A note is an integer: its pitch, in semitones from `LOWEST`, times the number of durations, plus its
duration. Axes: S melody, T note, Y key, P pitch, D duration.
"""

import numpy as np

LOWEST, PITCHES = 57, 25  # two octaves from A3, as numbers of MIDI
DURATIONS = (0.5, 1.0, 2.0)  # in beats
NOTES = PITCHES * len(DURATIONS)

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
KEYS = [(tonic, scale) for scale in SCALES for tonic in TONICS]

STEPS = {-4: 0.05, -2: 0.12, -1: 0.28, 0: 0.1, 1: 0.28, 2: 0.12, 4: 0.05}
"""Probabilities of steps in the scale; at the ends of the range, of those that stay inside it."""

NEXT_DURATION = np.array([[0.75, 0.2, 0.05], [0.2, 0.6, 0.2], [0.1, 0.6, 0.3]])  # (D, D)
FIRST_DURATION = np.array([0.3, 0.5, 0.2])  # (D,)


def _chains(tonic: str, scale: str) -> tuple[np.ndarray, np.ndarray]:
    """Return p (P, P) of the next pitch, and of the last one: the nearest tonic, or the lower."""
    degrees = (LOWEST + np.arange(PITCHES) - TONICS.index(tonic)) % 12
    pitches, tonics = np.flatnonzero(np.isin(degrees, SCALES[scale])), np.flatnonzero(degrees == 0)
    following = np.zeros((PITCHES, PITCHES))
    for index, pitch in enumerate(pitches):
        steps = {index + s: p for s, p in STEPS.items() if 0 <= index + s < len(pitches)}
        following[pitch, pitches[list(steps)]] = np.array([*steps.values()]) / sum(steps.values())
    nearest = np.abs(np.arange(PITCHES)[:, None] - tonics).argmin(axis=1)
    return following, np.eye(PITCHES)[tonics[nearest]]


# Both are (Y, P, P).
NEXT_PITCH, LAST_PITCH = map(np.stack, zip(*(_chains(*key) for key in KEYS), strict=True))
FIRST_PITCH = LAST_PITCH[:, PITCHES // 2]  # (Y, P): the tonic nearest to the middle
IN_SCALE = NEXT_PITCH.sum(axis=2) > 0  # (Y, P)


def generate(count: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Generate melodies (S, T), uint8, each in a random key."""
    keys = rng.integers(len(KEYS), size=count)
    pitch = _sample(FIRST_PITCH[keys], rng)
    duration = _sample(np.broadcast_to(FIRST_DURATION, (count, len(DURATIONS))), rng)
    notes = [pitch * len(DURATIONS) + duration]
    for t in range(1, length):
        pitch = _sample((LAST_PITCH if t == length - 1 else NEXT_PITCH)[keys, pitch], rng)
        duration = _sample(NEXT_DURATION[duration], rng)
        notes.append(pitch * len(DURATIONS) + duration)
    return np.stack(notes, axis=1).astype(np.uint8)


def log_probabilities(melodies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ln p of the pitches of melodies (S, T) in each key, (S, Y), and of durations, (S,).

    It is −inf in a key that does not allow the pitches.
    """
    pitch, duration = np.divmod(melodies.astype(int), len(DURATIONS))
    with np.errstate(divide="ignore"):
        by_key = (
            np.log(FIRST_PITCH[:, pitch[:, 0]])
            + np.log(NEXT_PITCH[:, pitch[:, :-2], pitch[:, 1:-1]]).sum(axis=-1)
            + np.log(LAST_PITCH[:, pitch[:, -2], pitch[:, -1]])
        ).T
    steps = NEXT_DURATION[duration[:, :-1], duration[:, 1:]]
    return by_key, np.log(FIRST_DURATION[duration[:, 0]]) + np.log(steps).sum(axis=-1)


def floor(melodies: np.ndarray) -> float:
    """Return the bits per note of the best prediction of melodies (S, T): −log2 p / T."""
    by_key, of_durations = log_probabilities(melodies)
    best = by_key.max(axis=1)
    of_pitches = best + np.log(np.exp(by_key - best[:, None]).mean(axis=1))
    return float(-(of_pitches + of_durations).mean() / melodies.shape[1] / np.log(2))


def _sample(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an index (S,) from each row of probabilities (S, N)."""
    cumulative = probabilities.cumsum(axis=1)
    return (cumulative <= rng.random((len(cumulative), 1)) * cumulative[:, -1:]).sum(axis=1)
