"""spliceai: five nets of 2019 score a variant of a chromosome that is made up here."""

import numpy as np
from spliceai.utils import Annotator, get_delta_scores, one_hot_encode

random = np.random.RandomState(0)
sequence = "".join(random.choice(list("ACGT"), 12000))
with open("made_up.fa", "w") as file:
    file.write(">1\n" + "\n".join(sequence[i : i + 60] for i in range(0, len(sequence), 60)) + "\n")
with open("genes.txt", "w") as file:
    file.write("#NAME\tCHROM\tSTRAND\tTX_START\tTX_END\tEXON_START\tEXON_END\n")
    file.write("MADEUP\t1\t+\t5000\t7000\t5000,6200,\t5400,7000,\n")


class Record:
    chrom, pos, ref, alts = "1", 6000, sequence[5999], [("A" if sequence[5999] != "A" else "C")]


annotator = Annotator("made_up.fa", "genes.txt")
assert len(annotator.models) == 5
scores = get_delta_scores(Record, annotator, 50, 0)
print(scores)
assert len(scores) == 1
fields = scores[0].split("|")
assert fields[1] == "MADEUP"
assert all(0 <= float(score) <= 1 for score in fields[2:6])

context = 10000
x = one_hot_encode("N" * (context // 2) + sequence[:400] + "N" * (context // 2))[None, :]
y = np.mean([model.predict(x) for model in annotator.models], axis=0)
assert y.shape == (1, 400, 3)
assert np.allclose(y.sum(axis=-1), 1, atol=1e-5)
