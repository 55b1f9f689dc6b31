"""Files, paths, seeds, statistics, processes, messages: no knowledge of networks."""
