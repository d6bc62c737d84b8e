"""Training encoder-decoders from scratch: a small BART and a small T5 learn to write words backwards.

    pip install "keras-tfm[jax]"
    KERAS_BACKEND=jax python guides/reverse_strings.py

Nothing is downloaded: the words are made of random letters, the tokenizer is ByT5's, which knows bytes, and the models
have two layers a side. After one to two minutes each, on two CPU cores, more than 99 % of the words that they have
never seen come back right, letter by letter.
"""

import argparse
import sys
import time

import keras
import numpy as np

import keras_tfm as kt

LETTERS, LONGEST = "abcdefghij", 8
TEXTS = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0, "vocab_size": 384}
MODELS = {
    "BART": kt.BartForConditionalGeneration(
        kt.BartConfig(
            d_model=64,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=128,
            decoder_ffn_dim=128,
            max_position_embeddings=32,
            dropout=0.0,
            forced_eos_token_id=None,
            **TEXTS,
        )
    ),
    "T5": kt.T5ForConditionalGeneration(
        kt.T5Config(d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4, dropout_rate=0.0, **TEXTS)
    ),
}


def main():
    options = arguments()
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)

    # 1. Words and the same backwards, as arrays of one shape. Padding is no label: the loss passes over -100.
    tokenizer = kt.ByT5Tokenizer()
    words = ["".join(random.choice(list(LETTERS), random.integers(1, LONGEST + 1))) for _ in range(options.words)]
    words, unseen = words[:-500], sorted(set(words[-500:]) - set(words[:-500]))
    padding = {"padding": "max_length", "max_length": LONGEST + 1}
    inputs = tokenizer(words, **padding)
    targets = tokenizer([word[::-1] for word in words], **padding)["input_ids"]
    labels = np.where(targets == tokenizer.pad_token_id, -100, targets)

    for name, model in MODELS.items():
        # 2. Training. The decoder sees the labels, shifted by one: `fit` does that, as the loss is the task's own.
        steps = options.epochs * -(-len(words) // options.batch_size)
        rate = keras.optimizers.schedules.CosineDecay(0.0, steps - 100, warmup_target=2e-3, warmup_steps=100)
        model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0))
        start = time.perf_counter()
        model.fit(inputs, labels, epochs=options.epochs, batch_size=options.batch_size, verbose=progress())
        seconds = time.perf_counter() - start

        # 3. Words that it has never seen, written token by token.
        texts = model.generate(tokenizer(unseen, **padding), max_new_tokens=LONGEST + 1)
        answers = tokenizer.batch_decode(texts, skip_special_tokens=True)
        right = np.mean([answer == word[::-1] for answer, word in zip(answers, unseen, strict=True)])
        print(f"{name} on {keras.backend.backend()}: {right:.1%} of {len(unseen)} new words right, {seconds:.0f} s")
        print("  ".join(f"{word} -> {answer}" for word, answer in zip(unseen[:4], answers, strict=False)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=20000, help="so many are made, 500 of them for the test")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=64)
    return parser.parse_args()


def progress():
    """Keras' verbosity: a progress bar where there is a terminal to show it, else a line an epoch."""
    return "auto" if sys.stdout.isatty() else 2


if __name__ == "__main__":
    main()
