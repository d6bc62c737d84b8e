"""Chat templates against what the reference renders (tests/oracle/make_chat_templates.py); their files; bad ones."""

import dataclasses
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from test_tokenizer_families import class_of, fixture, write_folder

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "oracle"))
recipe = importlib.import_module("chat_recipe")
RECORDED = json.loads((HERE / "fixtures" / "tokenizers" / "chat.json").read_text("utf-8"))
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("chat") / "hub", "qwen2", "chat", "fast_saved")


@pytest.fixture
def tokenizer(folder):
    return class_of("qwen2").from_preset(folder)


@pytest.mark.parametrize("index", range(len(recipe.RENDERED)))
def test_rendered(index, tokenizer):
    template, conversation, options = recipe.RENDERED[index]
    text = tokenizer.apply_chat_template(conversation, chat_template=template, tokenize=False, **options)
    assert text == RECORDED["rendered"][index]


@pytest.mark.parametrize("index", range(len(recipe.ENCODED)))
def test_encoded(index, tokenizer):
    template, conversation, options = recipe.ENCODED[index]
    output = tokenizer.apply_chat_template(conversation, chat_template=template, **options)
    expected = {key: value for key, value in RECORDED["encoded"][index].items() if key != "token_type_ids"}
    assert set(output) == set(expected)
    for key, rows in expected.items():
        assert output[key].dtype == "int32"
        assert output[key].tolist() == (rows if isinstance(rows[0], list) else [rows]), key
    ids = tokenizer.apply_chat_template(conversation, chat_template=template, return_dict=False, **plain(options))
    np.testing.assert_array_equal(ids, output["input_ids"])


def plain(options):
    return {key: value for key, value in options.items() if key != "return_assistant_tokens_mask"}


def test_characters_of_several_tokens_are_the_assistant_s_to_the_last(tokenizer):
    conversation = [{"role": "assistant", "content": "\U0001f600"}]
    template = "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}."
    options = {"chat_template": template, "return_assistant_tokens_mask": True}
    output = tokenizer.apply_chat_template(conversation, **options)
    mask = [1] * (output["input_ids"].size - 1) + [0]
    assert output["assistant_masks"].tolist() == [mask]
    assert len(mask) > 2
    tokenizer.padding_side = "left"
    asked = {"padding": "max_length", "max_length": 9, "tokenizer_kwargs": {"return_offsets_mapping": True}}
    padded = tokenizer.apply_chat_template(conversation, **options, **asked)
    assert padded["assistant_masks"][0].tolist() == [0] * (9 - len(mask)) + mask
    assert padded["offset_mapping"].shape == (1, 9, 2)


def test_named_templates(tokenizer, tmp_path):
    tokenizer.chat_template = recipe.NAMED
    tokenizer.save_preset(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*.jinja")) == [
        "chat_template.jinja",
        "terse.jinja",
        "tool_use.jinja",
    ]
    for loaded in (tokenizer, class_of("qwen2").from_preset(tmp_path)):
        assert loaded.chat_template == recipe.NAMED
        for name, tools, text in RECORDED["named"]:
            options = {"chat_template": name, "tools": tools, "tokenize": False}
            assert loaded.apply_chat_template(recipe.LONG, **options) == text
    tokenizer.chat_template = {"a": "x", "b": "y"}
    with pytest.raises(ValueError, match="must name one of the tokenizer's templates: a, b"):
        tokenizer.apply_chat_template(HELLO)
    with pytest.raises(ValueError, match=r"'\.\./x' is no name for a chat template"):
        class_of("qwen2").from_preset(tmp_path, chat_template={"../x": "y"})


def test_where_templates_are_stored(tokenizer, tmp_path):
    """The reference's older versions read tokenizer_config.json, later ones rather a file of their own."""
    tokenizer.chat_template = "{{ messages[0].content }}!"
    tokenizer.save_preset(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert config["chat_template"] == (tmp_path / "chat_template.jinja").read_text() == tokenizer.chat_template
    load = class_of("qwen2").from_preset
    assert load(tmp_path).apply_chat_template(HELLO, tokenize=False) == "hello!"
    (tmp_path / "chat_template.jinja").write_text("from the file")
    assert load(tmp_path).chat_template == "from the file"
    assert load(tmp_path, chat_template="mine").chat_template == "mine"
    (tmp_path / "chat_template.jinja").unlink()
    assert load(tmp_path).chat_template == "{{ messages[0].content }}!"
    config["chat_template"] = [{"name": "default", "template": "D"}, {"name": "rag", "template": "R"}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert load(tmp_path).chat_template == {"default": "D", "rag": "R"}
    for damaged in (3, ["x"], {"default": 1}):
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": damaged}))
        with pytest.raises(ValueError, match="chat_template must be a template"):
            load(tmp_path)


def test_schemas_of_functions(tokenizer):
    tools = recipe.FUNCTIONS
    template = "{{ tools | tojson }}"
    text = tokenizer.apply_chat_template(HELLO, tools=tools, chat_template=template, tokenize=False)
    assert json.loads(text) == RECORDED["schemas"]


def no_docstring(a: int): ...


def no_hint(a):
    """Does.

    Args:
        a: Something.
    """


def no_description(a: int):
    """Does."""


def of_no_json(a: Path):
    """Does.

    Args:
        a: Something.
    """


@pytest.mark.parametrize(
    ("tool", "kind", "message"),
    [
        (no_docstring, ValueError, "the tool no_docstring needs a docstring"),
        (no_hint, ValueError, "the tool no_hint needs a type hint for its argument a"),
        (no_description, ValueError, "no_description needs a description in the docstring for its argument a"),
        (of_no_json, ValueError, "Path'> has no JSON schema"),
        ("weather", TypeError, "a tool is a function or a JSON schema"),
    ],
)
def test_bad_tools(tool, kind, message, tokenizer):
    with pytest.raises(kind, match=message):
        tokenizer.apply_chat_template(HELLO, tools=[tool], chat_template="x")


@dataclasses.dataclass
class Message:
    role: str
    content: object


def test_templates_see_plain_data_only(tokenizer, tmp_path):
    """Objects become dicts or their type's name: their methods might do anything."""
    conversation = [Message(np.str_("user"), [np.float32(0.5), np.bool_(False), tmp_path, (1, None)])]
    template = "{{ messages[0].role }} {{ messages[0].content }} {{ messages[0].content[2].unlink is defined }} {{ n }}"
    text = tokenizer.apply_chat_template(conversation, chat_template=template, tokenize=False, n=np.arange(2))
    assert text == f"user [0.5, False, '<{type(tmp_path).__name__}>', (1, None)] False <ndarray>"
    own = [{"role": "user", "content": "a", "extra": {"b": 1}}]
    template = "{% set _ = messages[0].update({'content': 'b'}) %}"
    with pytest.raises(ValueError, match="fails for this conversation"):
        tokenizer.apply_chat_template(own, chat_template=template)
    tokenizer.apply_chat_template(own, chat_template="{{ messages[0].content }}", continue_final_message=True)
    assert own == [{"role": "user", "content": "a", "extra": {"b": 1}}]


@pytest.mark.parametrize(
    "template",
    [
        "{{ ().__class__ }}",
        "{{ ().__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__class__.__base__ }}",
        "{{ raise_exception.__globals__ }}",
        "{{ strftime_now.__globals__['__builtins__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__.__mro__}'.format(1) }}",
        "{{ '{x.__class__}'.format_map({'x': 1}) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ lipsum.__globals__['os'] }}",
        "{{ cycler.__init__ }}",
        "{{ dict.mro() }}",
        "{% set n = namespace(__call__=dict) %}",
        "{% set n = namespace() %}{% set n.__class__ = dict %}",
        "{{ messages.append(1) }}",
        "{{ range(10**9) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
    ],
)
def test_python_is_out_of_reach(template, tokenizer):
    with pytest.raises(ValueError, match="the chat template fails for this conversation: ."):
        tokenizer.apply_chat_template(HELLO, chat_template=template, tokenize=False)


@pytest.mark.parametrize(
    ("conversation", "options", "kind", "message"),
    [
        (HELLO, {}, ValueError, "has no chat template: pass one, chat_template="),
        (HELLO, {"chat_template": recipe.BROKEN}, ValueError, "the chat template is not valid: Unexpected end"),
        (HELLO, {"chat_template": "{{ 1 + 'a' }}"}, ValueError, "fails for this conversation: TypeError: unsupported"),
        (recipe.ENDING[1:], {"chat_template": recipe.INSTRUCT}, ValueError, "roles must alternate"),
        ([], {"chat_template": "x"}, ValueError, "the conversation is empty"),
        ("hello", {"chat_template": "x"}, TypeError, "conversation must be a list of messages, not str"),
        (["hello"], {"chat_template": "x"}, TypeError, "messages are dicts"),
        ([HELLO, "hello"], {"chat_template": "x"}, TypeError, "messages are dicts"),
        (HELLO, {"chat_template": "x", "return_tensors": "pt"}, TypeError, "drop return_tensors"),
        (
            HELLO,
            {"chat_template": "x", "return_assistant_tokens_mask": True, "tokenize": False},
            ValueError,
            "needs tokenize=True",
        ),
        (
            HELLO,
            {"chat_template": "x", "continue_final_message": True, "add_generation_prompt": True},
            ValueError,
            "continue_final_message and add_generation_prompt exclude each other",
        ),
        (HELLO, {"chat_template": "content", "continue_final_message": True}, ValueError, "leaves out or changes"),
        (HELLO, {"chat_template": "x", "continue_final_message": True}, ValueError, "does not use 'content'"),
        (HELLO, {"chat_template": "x", "continue_final_message": "thinking"}, ValueError, "has no 'thinking'"),
        (
            [{"role": "user", "content": [{"type": "image"}]}],
            {"chat_template": "content", "continue_final_message": True},
            ValueError,
            "has no text to continue",
        ),
        (HELLO, {"chat_template": "x", "documents": "cats"}, TypeError, "documents are dicts"),
    ],
)
def test_bad_calls(conversation, options, kind, message, tokenizer):
    with pytest.raises(kind, match=message):
        tokenizer.apply_chat_template(conversation, **options)


def test_masks_need_blocks_and_offsets(tokenizer, tmp_path):
    with pytest.warns(UserWarning, match="no {% generation %} blocks"):
        output = tokenizer.apply_chat_template(HELLO, chat_template="hello", return_assistant_tokens_mask=True)
    assert not output["assistant_masks"].any()
    slow = class_of("gpt_sw3").from_preset(write_folder(tmp_path / "hub", "gpt_sw3", "default", "files"))
    with pytest.raises(ValueError, match="does not know which characters"):
        slow.apply_chat_template(HELLO, chat_template=recipe.CHATML, return_assistant_tokens_mask=True)


def test_jinja_is_needed_and_no_old_one(tokenizer, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda package: "3.1.5")
    with pytest.raises(ImportError, match="jinja2 3.1.5 has a leaky sandbox"):
        tokenizer.apply_chat_template(HELLO, chat_template="old jinja")
    monkeypatch.delitem(sys.modules, "keras_tfm.tokenizers.sandbox", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r"chat templates need the package jinja2: pip install 'keras-tfm\[chat\]'"):
        tokenizer.apply_chat_template(HELLO, chat_template="no jinja")


def test_every_family_has_it(tmp_path):
    for family in ("llama", "gpt2"):
        name = next(iter(fixture(family)["variants"]))
        tokenizer = class_of(family).from_preset(write_folder(tmp_path / family, family, name, "fast_saved"))
        template = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"
        ids = tokenizer.apply_chat_template(HELLO, chat_template=template)["input_ids"][0]
        assert [ids[0], ids[-1]] == [tokenizer.bos_token_id, tokenizer.eos_token_id]
        assert tokenizer.decode(ids, skip_special_tokens=True) == "hello"
