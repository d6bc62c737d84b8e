"""The `keras-tfm` command: run a pipeline, print the support table, convert and export checkpoints.

The backend is Keras' (the environment variable KERAS_BACKEND).
"""

import argparse
import json
import os
import sys
from pathlib import Path


def main(arguments=None):
    """Runs the command; errors are one line on stderr and the exit status 1."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (OSError, ValueError, TypeError, ImportError) as error:
        sys.exit(f"keras-tfm: {error}")


def run(options):
    """Prints what a pipeline makes of the inputs, one JSON line each."""
    import keras_tfm as kt

    pipe = kt.pipeline(options.task, options.model)
    for text in options.inputs or (line.rstrip("\n") for line in sys.stdin):
        inputs = json.loads(text) if text.startswith(("{", "[")) else text
        print(json.dumps(pipe(inputs), default=lambda array: array.tolist(), ensure_ascii=False), flush=True)


def convert(options):
    """Reads a checkpoint of any readable format and writes it as a preset, or as one `.keras` file.

    From a GGUF file the preset gets the tokenizer, too.
    """
    import keras_tfm as kt

    model = _load(options)
    if options.target.endswith(".keras"):
        temporary = Path(options.target).with_suffix(f".{os.getpid()}.keras")
        try:
            model.save(temporary)
            os.replace(temporary, options.target)
        finally:
            temporary.unlink(missing_ok=True)
    else:
        tokenizer = None
        if options.gguf_file or options.source.endswith(".gguf"):
            tokenizer = kt.AutoTokenizer.from_preset(options.source, gguf_file=options.gguf_file)
        model.save_preset(options.target, tokenizer, options.max_shard_size)
    print(f"{type(model).__name__} written to {options.target}")


def export(options):
    """Writes a checkpoint as a SavedModel."""
    model = _load(options)
    model.export(options.target)
    print(f"{type(model).__name__} exported to {options.target}")


def support(options):
    """Prints the support table, or puts it between the marks of a README."""
    from keras_tfm.support import support_table

    if options.readme is None:
        print(support_table())
        return
    begin, end = "<!-- support -->\n", "<!-- /support -->\n"
    before, _, rest = options.readme.read_text().partition(begin)
    options.readme.write_text(before + begin + support_table() + "\n" + end + rest.partition(end)[2])


def _load(options):
    import keras_tfm as kt
    from keras_tfm.auto import class_of

    file = {"gguf_file": options.gguf_file}
    name = options.cls or class_of(kt.AutoConfig.from_preset(options.source, **file)).__name__
    return getattr(kt, name).from_preset(options.source, dtype=options.dtype, **file)


def _parser():
    parser = argparse.ArgumentParser(prog="keras-tfm", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(function):
        sub = commands.add_parser(function.__name__, help=function.__doc__, description=function.__doc__)
        sub.set_defaults(command=function)
        return sub

    sub = command(run)
    sub.add_argument("task", help="such as text-classification")
    sub.add_argument("model", help="a folder or a Hub id")
    sub.add_argument("inputs", nargs="*", help="texts, or JSON; without any, lines are read from stdin")

    sub = command(support)
    sub.add_argument("--readme", type=Path, help="a file to update between its <!-- support --> marks")

    for function in (convert, export):
        sub = command(function)
        sub.add_argument("source", help="a folder, a Hub id or a GGUF file")
        sub.add_argument("--gguf-file", metavar="NAME", help="a GGUF file of the source, to read in its place")
        sub.add_argument("target", help="the folder to write" + ", or a .keras file" * (function is convert))
        sub.add_argument("--cls", metavar="CLASS", help="default: the class that config.json names")
        sub.add_argument("--dtype", help='such as bfloat16; default "auto", as stored', default="auto")
        if function is convert:
            sub.add_argument("--max-shard-size", default="5GB")
    return parser
