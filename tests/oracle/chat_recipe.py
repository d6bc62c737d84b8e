"""Chat templates, in the manner of those that checkpoints have, and conversations to render with them."""

import enum
from typing import Any, Literal

CHATML = """{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' %}
        {%- generation %}
        {{- message.content + '<|im_end|>' }}
        {%- endgeneration %}
    {%- else %}
        {{- message.content + '<|im_end|>' }}
    {%- endif %}
    {{- '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
INSTRUCT = """{% if messages[0]['role'] == 'system' %}
{% set rest = messages[1:] %}
{% set system = '<<SYS>>\\n' + messages[0]['content'] | trim + '\\n<</SYS>>\\n\\n' %}
{% else %}
{% set rest = messages %}
{% set system = '' %}
{% endif %}
{% for message in rest %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('roles must alternate: user, assistant, ...') }}
{% endif %}
{% if message['role'] == 'user' %}
{{ bos_token or '' }}[INST] {{ (system if loop.first else '') + message['content'].strip() }} [/INST]
{%- else %}
 {{ message['content'] | trim }} {{ eos_token }}
{%- endif %}
{% endfor %}
"""
TOOLS = """{%- set ns = namespace(system='', seen=0) %}
{%- macro content(message) -%}
    {%- if message.content is string -%}
        {{ message.content }}
    {%- else -%}
        {%- for part in message.content -%}
            {%- if part.type == 'text' -%}{{ part.text }}{%- else -%}<{{ part.type }}>{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
{%- for message in messages %}
    {%- if message.role == 'ignored' %}{% continue %}{% endif %}
    {%- set ns.seen = ns.seen + 1 %}
    {%- if ns.seen > 4 %}{% break %}{% endif %}
<{{ message.role }}{{ ' ' + message.name if message.name is defined }}>
    {%- if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif %}
    {%- if 'content' in message %}{{ content(message) }}{% endif %}
    {%- for call in message.tool_calls or [] %}
 [{{ call.function.name }} {{ call.function.arguments | tojson }}]
    {%- endfor %}
{%- endfor %}
{%- if tools %}
 tools: {{ tools | tojson(indent=2) }}
    {%- for tool in tools %} {{ tool.function.parameters | tojson(sort_keys=true) }}{% endfor %}
{%- endif %}
{%- for document in documents or [] %}
 {{ document['title'] | upper }}: {{ document.text }}
{%- endfor %}
 {{ strftime_now('%Y') | length }} {{ thinking_budget | default(7) }} {{ dict(a=1).a }} {{ range(3) | list }}
"""
BROKEN = "{% for message in messages %}{{ message.content }}"

SYSTEM = {"role": "system", "content": ' You are <b>terse</b> & "kind". '}
USER = {"role": "user", "content": "  the cat \u00e9t\u00e9 \u4e2d\u6587 \U0001f600 sat? "}
ASSISTANT = {"role": "assistant", "content": "On the mat.  "}
SHORT = [USER]
LONG = [SYSTEM, USER, ASSISTANT, {"role": "user", "content": "why?"}]
ENDING = [USER, ASSISTANT]
CALLING = [
    {"role": "ignored", "content": "x"},
    {"role": "user", "content": [{"type": "text", "text": "see "}, {"type": "image"}, {"type": "text", "text": "it"}]},
    {
        "role": "assistant",
        "content": None,
        "reasoning": "hm",
        "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"city": "K\u00f6ln"}}}],
    },
    {"role": "tool", "name": "weather", "content": "22 \u00b0C"},
    {"role": "user", "content": "thanks"},
    {"role": "user", "content": "never seen"},
]
DOCUMENTS = [{"title": "cats", "text": "They sit."}, {"title": "dogs", "text": "They don't."}]


class Unit(enum.Enum):
    C = "celsius"
    F = "fahrenheit"


def weather(city: str, days: int = 1, unit: Unit = Unit.C, parts: list[str] | None = None) -> dict[str, float]:
    """
    The weather of a city.

    It may rain.

    Args:
        city: Where: the city's name,
            with its country.
        days: How many days. (choices: [1, 2, 3])

        unit: Degrees.
        parts: What to tell.

    Returns:
        What was measured.
    """


def search(
    query: str | int, pair: tuple[int, str], near: int | list[int], how: Literal["a", 1, None], rest: Any, many: list
):
    """Searches.

    Args:
        query: What for.
        pair: A pair.
        near: Near what.
        how: How.
        rest: Whatever.
        many: Many.
    """


def nothing() -> None:
    """Does nothing."""


FUNCTIONS = [weather, search, nothing]
SCHEMA = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}

# (template, conversation, options)
RENDERED = [
    (CHATML, SHORT, {}),
    (CHATML, LONG, {"add_generation_prompt": True}),
    (CHATML, ENDING, {"continue_final_message": True}),
    (CHATML, [LONG, SHORT], {}),
    (INSTRUCT, LONG, {}),
    (INSTRUCT, LONG[1:], {"bos_token": "<s>"}),
    (INSTRUCT, ENDING, {"continue_final_message": True}),
    (TOOLS, CALLING, {"documents": DOCUMENTS, "thinking_budget": 3}),
    (TOOLS, CALLING, {"tools": [SCHEMA]}),
    (TOOLS, CALLING[:2], {"continue_final_message": True}),
    (TOOLS, CALLING[:3], {"continue_final_message": "reasoning_content"}),
    (TOOLS, CALLING[:4], {"add_generation_prompt": True}),
]
ENCODED = [
    (CHATML, LONG, {"return_assistant_tokens_mask": True}),
    (CHATML, [LONG, ENDING, SHORT], {"return_assistant_tokens_mask": True, "padding": True}),
    (CHATML, [LONG, SHORT], {"padding": "max_length", "max_length": 16, "truncation": True}),
    (CHATML, SHORT, {"add_generation_prompt": True}),
]
NAMED = {"default": CHATML, "tool_use": TOOLS, "terse": "{{ messages[-1].content }}"}
