"""What a chat template is told of a tool: the JSON schema of a function, from its type hints and docstring."""

import inspect
import json
import re
import types
import typing
from enum import Enum

NAMES = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}
NAMES |= {list: "array", tuple: "array", dict: "object"}
SCALARS = (int, float, str, bool, type(None))


def tool_schema(tool):
    """A JSON schema (a dict) as it is, or a function -> its schema.

    The function needs a type hint for each argument, and a docstring in Google's style that describes it and each
    argument. `(choices: ["a", "b"])` at the end of a description lists the values. TypeError for what is neither,
    ValueError naming what is missing.
    """
    if isinstance(tool, dict):
        return tool
    if not (inspect.isfunction(tool) or inspect.ismethod(tool)):
        raise TypeError(f"a tool is a function or a JSON schema (a dict), not {tool!r:.80}.")
    name, doc = tool.__name__, inspect.getdoc(tool)
    if not doc:
        raise ValueError(f"the tool {name} needs a docstring: the model has to know what it is for.")
    description, described, returned = _sections(doc.strip())
    parameters = list(inspect.signature(tool).parameters.values())
    if parameters and parameters[0].name in ("self", "cls") and parameters[0].annotation is inspect.Parameter.empty:
        parameters = parameters[1:]
    hints = typing.get_type_hints(tool)
    properties = {}
    for parameter in parameters:
        for known, what in ((hints, "type hint"), (described, "description in the docstring")):
            if parameter.name not in known:
                raise ValueError(f"the tool {name} needs a {what} for its argument {parameter.name}.")
        properties[parameter.name] = _described(_type_schema(hints[parameter.name]), described[parameter.name])
    schema = {"type": "object", "properties": properties}
    if required := [parameter.name for parameter in parameters if parameter.default is inspect.Parameter.empty]:
        schema["required"] = required
    function = {"name": name, "description": description, "parameters": schema}
    if "return" in hints:
        try:
            function["return"] = _type_schema(hints["return"])
        except ValueError:  # the model doesn't write it, so it may be anything
            pass
        else:
            function["return"] |= {} if returned is None else {"description": returned}
    return {"type": "function", "function": function}


def _sections(doc):
    """A docstring -> its description, {argument: description}, what is returned or None."""
    description, *rest = re.split(r"^[ \t]*(Args|Returns|Raises):[ \t]*$", doc, flags=re.MULTILINE)
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    described, depth = {}, None
    for line in filter(str.strip, sections.get("Args", "").split("\n")):
        argument = re.match(r"([ \t]*)(\w+):\s*(.*)", line)
        if argument and (depth is None or len(argument[1]) <= depth):
            depth, name = len(argument[1]), argument[2]
            described[name] = argument[3].strip()
        elif described:
            described[name] = f"{described[name]} {line.strip()}".strip()
    returned = sections.get("Returns")
    return description.strip(), described, None if returned is None else returned.strip()


def _described(schema, description):
    choices = re.search(r"\(choices:\s*(.*?)\)\s*$", description, re.IGNORECASE)
    if choices:
        schema = {**schema, "enum": [c.strip() if isinstance(c, str) else c for c in json.loads(choices[1])]}
        description = description[: choices.start()].strip()
    return {**schema, "description": description}


def _type_schema(hint):
    """The JSON schema of a type; ValueError if it has none."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_schema(hint, [member.value for member in hint])
    if origin is typing.Literal:
        return _enum_schema(hint, list(parts))
    if hint is typing.Any:
        return {}
    if hint in NAMES:
        return {"type": NAMES[hint]}
    if origin in (typing.Union, types.UnionType):
        return _union_schema(parts)
    if origin is list:
        return {"type": "array", "items": _type_schema(parts[0])}
    if origin is tuple and len(parts) > 1 and ... not in parts:
        return {"type": "array", "prefixItems": [_type_schema(part) for part in parts]}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(parts[1])}
    raise ValueError(f"the type {hint} has no JSON schema: use plain types, lists and dicts, or pass a schema.")


def _union_schema(parts):
    choices = [_type_schema(part) for part in parts if part is not type(None)]
    if len(choices) == 1:
        schema = choices[0]
    elif all(choice.keys() == {"type"} and isinstance(choice["type"], str) for choice in choices):
        names = sorted({choice["type"] for choice in choices})
        schema = {"type": names[0] if len(names) == 1 else names}
    else:
        schema = {"anyOf": choices}
    return {**schema, "nullable": True} if type(None) in parts else schema


def _enum_schema(hint, values):
    if not values or any(type(value) not in SCALARS for value in values):
        raise ValueError(f"the type {hint} has no JSON schema: its values must be str, int, float, bool or None.")
    names = list(dict.fromkeys(NAMES[type(value)] for value in values))
    return {"type": names[0] if len(names) == 1 else names, "enum": values}
