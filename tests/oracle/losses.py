"""Writes tests/fixtures/losses/bert.json: the losses of the reference's BERT heads and their gradients.

    pip install transformers==4.39.3 torch "numpy<2"        (in a virtual environment of its own)
    python tests/oracle/losses.py

The reference computes its losses inside the models, so each model here is given the logits in the place of its last
layer: the rest of it does not matter.
"""

import json
from pathlib import Path

import torch
import transformers

FILE = Path(__file__).parents[1] / "fixtures" / "losses" / "bert.json"
B, T, V, CHOICES = 3, 5, 11, 4
TINY = {
    "vocab_size": V,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": T,
}


class Given(torch.nn.Module):
    """A last layer that answers what it was given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, *_):
        return self.answer


def classification(labels, **config):
    count = config.get("num_labels", 2)
    return "BertForSequenceClassification", config, "classifier", {"logits": (B, count)}, {"labels": labels}


def words(name, layer, labels):
    return name, {"is_decoder": name == "BertLMHeadModel"}, layer, {"logits": (B, T, V)}, {"labels": labels}


def answers(starts, ends):
    logits = {"start_logits": (B, T), "end_logits": (B, T)}
    labels = {"start_positions": starts, "end_positions": ends}
    return "BertForQuestionAnswering", {}, "qa_outputs", logits, labels


TAGS = [[0, -100, 2, 1, -100], [-100, -100, 0, 2, 2], [-100] * T]
WORDS = [[-100, 3, -100, 10, 0], [7, 7, -100, -100, -100], [-100, 1, 2, 3, 4]]
CASES = {
    "one label is regression": classification([0.5, -1.0, 2.0], num_labels=1),
    "regression of several": classification([[0.5, -1.0], [0.0, 2.0], [1.0, 1.0]], problem_type="regression"),
    "integers are classes": classification([2, 0, 1], num_labels=3),
    "some classes are ignored": classification([2, -100, 1], num_labels=3),
    "rows of floats are several classes": classification([[1.0, 0.0, 1.0], [0.0] * 3, [0.0, 1.0, 0.0]], num_labels=3),
    "classes as asked": classification([1, 0, 1], problem_type="single_label_classification"),
    "several classes as asked": classification(
        [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]], problem_type="multi_label_classification"
    ),
    "tokens": ("BertForTokenClassification", {"num_labels": 3}, "classifier", {"logits": (B, T, 3)}, {"labels": TAGS}),
    "masked words": words("BertForMaskedLM", "cls", WORDS),
    "next words": words("BertLMHeadModel", "cls", WORDS),
    "choices": ("BertForMultipleChoice", {}, "classifier", {"logits": (B, CHOICES)}, {"labels": [3, 0, 2]}),
    "next sentence": ("BertForNextSentencePrediction", {}, "cls", {"logits": (B, 2)}, {"labels": [1, 0, 0]}),
    "answers": answers([0, 2, 4], [1, 2, 4]),
    "answers outside of the text": answers([0, T, 4], [-1, T + 7, -100]),
    "pre-training": (
        "BertForPreTraining",
        {},
        "cls",
        {"prediction_logits": (B, T, V), "seq_relationship_logits": (B, 2)},
        {"labels": WORDS, "next_sentence_label": [1, 0, 1]},
    ),
}


def record(class_name, config, layer, shapes, labels):
    """The fixture of one case: what goes in, the loss, and its gradients with respect to the logits."""
    cls = getattr(transformers, class_name)
    model = cls(transformers.BertConfig(**TINY, **config)).eval()
    logits = {name: (torch.randn(shape) * 2).round(decimals=3).requires_grad_() for name, shape in shapes.items()}
    first, *others = logits.values()
    match class_name:
        case "BertForMultipleChoice":
            answer = first.reshape(-1, 1)
        case "BertForQuestionAnswering":
            answer = torch.stack([first, *others], -1)
        case _:
            answer = (first, *others) if others else first
    setattr(model, layer, Given(answer))
    ids = torch.zeros((B, CHOICES, T) if class_name == "BertForMultipleChoice" else (B, T), dtype=torch.long)
    loss = model(input_ids=ids, **{name: torch.tensor(values) for name, values in labels.items()}).loss
    loss.backward()
    return {
        "class": class_name,
        "config": TINY | config,
        "logits": {name: rounded(tensor) for name, tensor in logits.items()},
        "labels": labels,
        "loss": round(loss.item(), 6),
        "gradients": {name: rounded(tensor.grad) for name, tensor in logits.items()},
    }


def rounded(tensor):
    def of(values):
        return [of(v) for v in values] if isinstance(values, list) else round(values, 6)

    return of(tensor.tolist())


if __name__ == "__main__":
    torch.manual_seed(0)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    lines = [f" {json.dumps(name)}: {json.dumps(record(*case))}" for name, case in CASES.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
