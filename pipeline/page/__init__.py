"""The page on which one can play: reports/index.html, one file that needs no network.

Python collects results and weights, and puts them into the file together with the scripts and
styles of this folder and the `page.js` of each problem that has one. Trained networks run in the
browser; the scripts have their own forward pass.
"""
