"""Tables of results are read again when they have changed."""

from pipeline.runs import results
from pipeline.utils import files, paths


def test_a_table_that_was_written_again_is_read_again(in_folder):
    in_folder("")
    for loss in ("0.5", "0.25"):
        row = f"network,sequences,updates,train_loss\nsmall,1,1,{loss}\n"
        files.write_text(paths.history("small"), row)
        for _ in range(2):
            assert results.load_history("small")["train_loss"].tolist() == [float(loss)]
