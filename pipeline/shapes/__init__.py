"""Drawing shapes point by point: a generative LSTM.

A shape is a closed polygon that starts in the origin, its size drawn at random. The network sees a
vertex and predicts the next one; to draw, it starts in the origin and its own predictions are fed
back. Source: Brownlee, *Long Short-Term Memory Networks with Python*, chapter 11.
"""
