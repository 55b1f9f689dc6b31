"""Drawing shapes point by point: a generative LSTM.

A shape is a closed polygon that starts at the origin and has random sizes. The network reads a
vertex and predicts the next one. To draw, it starts at the origin and reads its own predictions.
Source: Brownlee, *Long Short-Term Memory Networks with Python*, chapter 11.

Three facts follow from the data alone. First, a size cannot be predicted before a vertex has shown
it. The best guess is its median, and the error that remains is the *floor*: 1/12 for rectangles,
where width and height each cost 1/4 in one of six coordinates. The error above the floor is the
network's *regret*. Second, a network that sees one point at a time computes a continuous function
of that point. For rectangles it has to map the origin to (1/2, 0), but vertices next to it on the
bottom side to (0, 1/2); only a very steep function comes close to both. Third, a network that
predicts medians and always starts at the same point draws the same shape every time.

A *generator* predicts the distribution of the next coordinate and samples from it, so that every
drawing differs. Its LSTM reads the last step and which coordinate comes next; its output layer
also reads all earlier steps. So generators do not show that an LSTM can remember sizes; the
networks with memory do. A generator's minimum loss is also known. With coordinates in bins, it is
the mean of −ln p, where p is the share of shapes that fall into the same bins; with continuous
coordinates there is a lower bound. A generator's regret is how many nats more than that it pays for
a held-out shape.
"""
