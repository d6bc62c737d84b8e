"""What is built and installed: wheel, sdist and editable."""

import importlib.metadata
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import keras_tfm

pytestmark = pytest.mark.xdist_group("packaging")  # two builds of one folder at a time get into each other's way

ROOT = Path(__file__).parent.parent
CHECK = (
    "import keras_tfm.layers, keras_tfm.presets.io, keras_tfm.auto; "
    "assert 'bert' in keras_tfm.auto.FILES; print(keras_tfm.__file__)"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel built from an sdist, as on a release."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def test_wheel_installs_one_top_level_package(built, tmp_path):
    wheel = built[0]
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"keras_tfm"}
    assert {"keras_tfm/layers/base.py", "keras_tfm/presets/bert.py", "keras_tfm/support.json"} <= set(names)
    sources = {path.relative_to(ROOT / "keras_tfm").as_posix() for path in (ROOT / "keras_tfm").rglob("*.py")}
    assert {f"keras_tfm/{source}" for source in sources} <= set(names)  # no subpackage forgotten
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "site", wheel]
    subprocess.run(pip, check=True, capture_output=True)
    path = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {CHECK}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert str(tmp_path / "site") in path.stdout


def test_sdist_has_the_sources_of_all_packages(built):
    with tarfile.open(built[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"layers/base.py", "presets/io/load.py", "presets/bert.py", "keras_tfm/models/bert.py", "LICENSE"} <= names


def test_editable_install_finds_the_folders_beside_the_package(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (site / "parent.pth").write_text(sysconfig.get_path("purelib"))  # what the package depends on
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--editable", ROOT], check=True, capture_output=True)
    path = subprocess.run([python, "-c", CHECK], check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    assert path.strip() == str(ROOT / "keras_tfm" / "__init__.py")


def test_versions_agree():
    assert importlib.metadata.version("keras-tfm") == keras_tfm.__version__
