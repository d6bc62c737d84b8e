"""Training a detector from scratch: a small DETR learns to find coloured squares.

    pip install "keras-tfm[jax]" pillow
    KERAS_BACKEND=jax python guides/train_detector.py

Nothing is downloaded: the pictures are drawn, up to three squares on noise. After one to two minutes on two CPU cores,
the boxes that it finds in new pictures overlap the true ones by more than 80 % (mean intersection over union). Some of
the pictures are saved with the boxes in them, as found.png.
"""

import argparse
import sys
import time

import keras
import numpy as np
from PIL import Image, ImageDraw

import keras_tfm as kt

COLORS = {"red": (220, 60, 60), "green": (60, 190, 90), "blue": (70, 90, 230)}
SIZE, MOST = 64, 3
CONFIG = kt.DetrConfig(
    backbone_config=kt.ResNetConfig(
        embedding_size=16, hidden_sizes=[32, 64], depths=[1, 1], layer_type="basic", out_features=["stage2"]
    ),
    d_model=64,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=128,
    decoder_ffn_dim=128,
    num_queries=8,
    dropout=0.0,
    init_std=0.1,
    auxiliary_loss=True,
    id2label=dict(enumerate(COLORS)),
)


def main():
    options = arguments()
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)

    # 1. Pictures with annotations as COCO has them. The processor makes arrays of both; labels are filled up to three.
    processor = kt.DetrImageProcessor(size={"shortest_edge": SIZE, "longest_edge": SIZE})
    pictures, annotations = zip(*(draw(random) for _ in range(options.pictures)), strict=True)
    inputs = processor(list(pictures), list(annotations))
    labels = processor.padded_labels(inputs.pop("labels"), MOST)

    # 2. Training. A DETR's backbone comes trained and partly frozen; this one has everything to learn. The loss is
    # the task's own: queries are matched with squares, whose classes and boxes they then have to tell.
    model = kt.DetrForObjectDetection(CONFIG)
    model.backbone.extractor.unfreeze()
    steps = options.epochs * -(-options.pictures // options.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps - 100, warmup_target=1e-3, warmup_steps=100)
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0))
    start = time.perf_counter()
    model.fit(inputs, labels, epochs=options.epochs, batch_size=options.batch_size, verbose=progress())
    seconds = time.perf_counter() - start

    # 3. New pictures: what is found, in pixels, and by how much it overlaps what is there.
    pictures, annotations = zip(*(draw(random) for _ in range(200)), strict=True)
    outputs = model.predict(processor(list(pictures)), verbose=0)
    found = processor.post_process_object_detection(outputs, threshold=0.5, target_sizes=[(SIZE, SIZE)] * len(pictures))
    overlaps = [best(each, one) for each, truth in zip(found, annotations, strict=True) for one in truth["annotations"]]
    print(f"mean IoU {np.mean(overlaps):.2f} on {keras.backend.backend()}, {seconds:.0f} s")

    # 4. Some of them side by side, larger, with the boxes.
    sheet = Image.new("RGB", (6 * 3 * SIZE, 3 * SIZE))
    for i, (picture, each) in enumerate(zip(pictures[:6], found, strict=False)):
        large = picture.resize((3 * SIZE, 3 * SIZE))
        for label, box in zip(each["labels"], each["boxes"] * 3, strict=True):
            ImageDraw.Draw(large).rectangle(box.tolist(), outline="white", width=2)
            ImageDraw.Draw(large).text((box[:2] + 4).tolist(), model.config.id2label[int(label)], "white")
        sheet.paste(large, (i * 3 * SIZE, 0))
    sheet.save(options.png)


def draw(random):
    """A picture with one to three squares, and where they are."""
    pixels, half, objects = random.integers(0, 120, (SIZE, SIZE, 3), "uint8"), SIZE // 2, []
    for quarter in random.permutation(4)[: random.integers(1, MOST + 1)]:  # one in each, so that none hides another
        side, label = int(random.integers(12, 28)), int(random.integers(len(COLORS)))
        top, left = (half * place + int(random.integers(half - side + 1)) for place in divmod(int(quarter), 2))
        pixels[top : top + side, left : left + side] = list(COLORS.values())[label]
        objects.append({"bbox": [left, top, side, side], "category_id": label, "area": side**2})
    return Image.fromarray(pixels), {"image_id": 0, "annotations": objects}


def best(found, truth):
    """The most that a box of the right colour overlaps a true one, by the union of both."""
    left, top, side, _ = truth["bbox"]
    boxes = found["boxes"][found["labels"] == truth["category_id"]]
    low, high = np.maximum(boxes[:, :2], (left, top)), np.minimum(boxes[:, 2:], (left + side, top + side))
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    return max(shared / (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + side**2 - shared), default=0.0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--png", default="found.png", help="where the pictures go")
    return parser.parse_args()


def progress():
    """Keras' verbosity: a progress bar where there is a terminal to show it, else a line an epoch."""
    return "auto" if sys.stdout.isatty() else 2


if __name__ == "__main__":
    main()
