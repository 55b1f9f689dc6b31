"""Writing melodies note by note: an LSTM that has to remember the key.

A melody is a walk through the scale of a random key, mostly in small steps, that starts and ends on
the tonic. The network reads the notes so far and predicts the next one. Its inputs do not name the
key: the first note is the tonic, and later notes show whether the key is major or minor. The
network has to remember both, and to count the notes, to end on the tonic.

The melodies come from a grammar, so the best possible prediction is known: it weighs the keys by
how likely they make the notes so far. Its bits per note are the *floor*.
"""
