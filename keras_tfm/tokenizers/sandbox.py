"""Jinja's sandbox as chat templates run in it: no changes to what they see, no way to Python's internals."""

import json
from datetime import datetime

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for chat templates; `marks`, two strings, stand around what `{% generation %}` blocks render."""

    def __init__(self, marks=("", "")):
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
        self.marks = marks
        self.filters["tojson"] = to_json
        self.globals |= {
            "raise_exception": raise_exception,
            "strftime_now": lambda pattern: datetime.now().strftime(pattern),
            "namespace": PublicNamespace,
        }

    def unsafe_undefined(self, obj, attribute):
        raise SecurityError(f"{attribute!r} of a {type(obj).__name__} is not for templates.")


class Generation(Extension):
    """The block `{% generation %}`, which says what the model itself wrote."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

    def _marked(self, caller):
        begin, end = self.environment.marks
        return begin + caller() + end


class PublicNamespace(Namespace):
    """A namespace whose attributes have public names, so that it passes for nothing else."""

    def __init__(*args, **attributes):  # no named arguments: each may be an attribute
        self, *args = args
        attributes = dict(*args, **attributes)
        for name in attributes:
            check_public(name)
        Namespace.__init__(self, attributes)

    def __setitem__(self, name, value):
        check_public(name)
        Namespace.__setitem__(self, name, value)


def check_public(name):
    if str(name).startswith("_"):
        raise SecurityError(f"a namespace has no attribute {name!r}: drop the underscore.")


def raise_exception(message):
    raise TemplateError(message)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    """Jinja's own filter escapes what HTML would take for markup."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
