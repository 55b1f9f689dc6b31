"""What every stage stands on: params.yaml as types, files, random streams, statistics, rooms.

One folder, so that dvc.yaml names it once in each stage: all results depend on all of it.
"""
