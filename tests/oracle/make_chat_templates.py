"""Makes tests/fixtures/tokenizers/chat.json: what the reference renders and encodes of conversations.

pip install transformers==5.23.0 jinja2                 (in a virtual environment of its own)
python tests/oracle/make_chat_templates.py
"""

import json
import tempfile
from pathlib import Path

import chat_recipe as recipe
from transformers import PreTrainedTokenizerFast
from transformers.utils import get_json_schema

FIXTURES = Path(__file__).parents[1] / "fixtures" / "tokenizers"


def main():
    family = json.loads((FIXTURES / "families" / "qwen2.json").read_text("utf-8"))
    saved = family["variants"]["chat"]["saved"]["fast"]
    saved["tokenizer.json"]["model"] = family["model"]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in saved.items():
            (Path(folder) / name).write_text(json.dumps(content), "utf-8")
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    fixture = {
        "rendered": [
            tokenizer.apply_chat_template(conversation, chat_template=template, tokenize=False, **options)
            for template, conversation, options in recipe.RENDERED
        ],
        "encoded": [
            dict(tokenizer.apply_chat_template(conversation, chat_template=template, **options))
            for template, conversation, options in recipe.ENCODED
        ],
        "schemas": [get_json_schema(function) for function in recipe.FUNCTIONS],
        "named": [],
    }
    tokenizer.chat_template = recipe.NAMED
    for name, tools in ((None, None), (None, [recipe.SCHEMA]), ("terse", None), ("{{ bos_token }}x", None)):
        text = tokenizer.apply_chat_template(recipe.LONG, chat_template=name, tools=tools, tokenize=False)
        fixture["named"].append([name, tools, text])
    (FIXTURES / "chat.json").write_text(json.dumps(fixture, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
