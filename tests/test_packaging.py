"""What is built and installed: wheel, sdist and editable."""

import importlib.metadata
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import keras_tfm

ROOT = Path(__file__).parent.parent
CHECK = (
    "import keras_tfm.layers, keras_tfm.presets.io, keras_tfm.auto; "
    "assert 'bert' in keras_tfm.auto.FILES; print(keras_tfm.__file__)"
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the project: builds write into its folder, and two at a time would get into each other's way."""
    folder = tmp_path_factory.mktemp("sources") / "keras_tfm"
    folder.mkdir()
    for name in ("keras_tfm", "layers", "presets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def built(sources, tmp_path_factory):
    """A wheel built from an sdist, as on a release."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, sources])
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def run(command, **options):
    """What a command prints; its errors are shown where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_wheel_installs_one_top_level_package(built, tmp_path):
    wheel = built[0]
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"keras_tfm"}
    assert {"keras_tfm/layers/base.py", "keras_tfm/presets/bert.py", "keras_tfm/support.json"} <= set(names)
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "keras_tfm").rglob("*.py")}
    assert modules <= set(names)  # no subpackage forgotten
    run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "site", wheel])
    check = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {CHECK}"
    assert str(tmp_path / "site") in run([sys.executable, "-c", check], cwd=tmp_path)


def test_sdist_has_the_sources_of_all_packages(built):
    with tarfile.open(built[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"layers/base.py", "presets/io/load.py", "presets/bert.py", "keras_tfm/models/bert.py", "LICENSE"} <= names


def test_editable_install_finds_the_folders_beside_the_package(sources, tmp_path):
    run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"])
    python = tmp_path / "venv" / "bin" / "python"
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (site / "parent.pth").write_text(sysconfig.get_path("purelib"))  # what the package depends on
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-build-isolation"]
    run([*pip, "--editable", sources])
    assert run([python, "-c", CHECK], cwd=tmp_path) == str(sources / "keras_tfm" / "__init__.py")


def test_versions_agree():
    assert importlib.metadata.version("keras-tfm") == keras_tfm.__version__
