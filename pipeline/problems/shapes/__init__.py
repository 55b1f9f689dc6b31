"""Drawing shapes point by point: a generative LSTM.

A shape is a closed polygon that starts in the origin, its sizes drawn at random. The network sees a
vertex and predicts the next one; to draw, it starts in the origin and its own predictions are fed
back. Source: Brownlee, *Long Short-Term Memory Networks with Python*, chapter 11.

Three things are known before any training. A size cannot be predicted before a vertex has shown it;
the best guess is its median, and what that still loses is the *floor* that the error cannot fall
below (for rectangles 1/12: width and height cost 1/4 each, on two of six coordinates). What an
experiment loses above the floor is its *regret*. A network that sees one point at a time is a
continuous map from points to points: it cannot send the origin to (1/2, 0) and its close neighbours
on the bottom side to the height above them, so a regret is left whatever its size. And a network
that predicts medians, drawing from the same first point, draws the same shape every time.

A *generator* is told not to predict the next coordinate but to say how it is distributed, and draws
it from that: another shape each time. What it cannot avoid to lose is known, too: the logarithm of
the number of bins of each size that it draws, or, exactly, of how many shapes look alike in bins.
Its regret is how much likelier the true shapes are than it takes them to be, in nats.
"""
